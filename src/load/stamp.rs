//! The stamp at the beginning of a record's value: intended time, time of sending, and producer.

/// Bytes of a stamp; a value must have at least so many.
pub const STAMP_BYTES: usize = 24;
/// Bits of a sequence number; a producer at a million records a second uses them up in nine years.
const SEQUENCE_BITS: u32 = 48;

/// What a record of a live trial says about itself. In a record its times are nanoseconds of the coordinator's
/// `CLOCK_MONOTONIC`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// When the schedule wanted it to be sent.
    pub intended_ns: u64,
    /// When it was given to the producer's client.
    pub sent_ns: u64,
    /// The producer, from 0.
    pub producer: u16,
    /// Its number among the producer's records, from 0, below 2^48.
    pub sequence: u64,
}

impl Stamp {
    /// The stamp on another clock, which shows so much more.
    #[must_use]
    #[inline]
    pub fn moved(self, by_ns: i64) -> Self {
        Stamp {
            intended_ns: self.intended_ns.saturating_add_signed(by_ns),
            sent_ns: self.sent_ns.saturating_add_signed(by_ns),
            ..self
        }
    }

    /// The stamp as it stands in a value: three little-endian numbers of 64 bits, the producer above the sequence.
    pub fn to_bytes(self) -> [u8; STAMP_BYTES] {
        let from = u64::from(self.producer) << SEQUENCE_BITS | self.sequence & ((1 << SEQUENCE_BITS) - 1);
        let mut bytes = [0; STAMP_BYTES];
        for (place, number) in bytes.chunks_exact_mut(8).zip([self.intended_ns, self.sent_ns, from]) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    /// The stamp of a value; `None` where the value is too short to have one.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "16 bits are left")]
    pub fn of_value(value: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(u64::from_le_bytes(*value.get(at..)?.first_chunk()?));
        let from = number(16)?;
        Some(Stamp {
            intended_ns: number(0)?,
            sent_ns: number(8)?,
            producer: (from >> SEQUENCE_BITS) as u16,
            sequence: from & ((1 << SEQUENCE_BITS) - 1),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_stamp_is_read_back_from_the_value_that_it_was_written_to(
            intended_ns: u64, sent_ns: u64, producer: u16, sequence in 0u64..1 << 48, rest in 0usize..100,
        ) {
            let stamp = Stamp { intended_ns, sent_ns, producer, sequence };
            let mut value = stamp.to_bytes().to_vec();
            value.resize(STAMP_BYTES + rest, b'x');
            prop_assert_eq!(Stamp::of_value(&value), Some(stamp));
        }
    }

    #[test]
    fn a_value_too_short_for_a_stamp_has_none() {
        assert_eq!(Stamp::of_value(&[0; STAMP_BYTES - 1]), None);
        assert_eq!(Stamp::of_value(&[]), None);
    }
}
