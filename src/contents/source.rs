//! Draws keys, and where each record's value lies in the contents.

use std::ops::Range;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, LogNormal, Zipf};

use crate::scenario::{Keys, Size};

/// Bytes of a key.
pub const KEY_BYTES: usize = 8;

/// Makes keys and values.
pub struct RecordSource {
    contents_bytes: usize,
    rng: ChaCha8Rng,
    size: Size,
    log_normal: Option<LogNormal<f64>>,
    zipf: Option<Zipf<f64>>,
}

impl RecordSource {
    /// Keys and values cut from so many bytes of contents, for one of the producers of a seed; each has random numbers
    /// of its own.
    ///
    /// # Errors
    /// A distribution of sizes or keys that cannot be drawn from.
    pub fn new(size: Size, keys: Keys, contents_bytes: usize, seed: u64, producer: u64) -> Result<Self, String> {
        let log_normal = match size {
            Size::LogNormal { median, sigma, .. } => {
                Some(LogNormal::new(f64::from(median).ln(), sigma).map_err(|error| error.to_string())?)
            }
            _ => None,
        };
        let zipf = match keys {
            Keys::Zipf { exponent, count } => {
                Some(Zipf::new(count as f64, exponent).map_err(|error| error.to_string())?)
            }
            _ => None,
        };
        let rng = ChaCha8Rng::seed_from_u64(seed ^ (producer + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Ok(RecordSource {
            contents_bytes,
            rng,
            size,
            log_normal,
            zipf,
        })
    }

    /// A record's key as eight bytes: drawn by its weight, or the one after `latest`.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "drawn from 1 to a u64 count"
    )]
    pub fn key(&mut self, latest: &mut u64) -> [u8; KEY_BYTES] {
        let number = match &self.zipf {
            Some(zipf) => zipf.sample(&mut self.rng) as u64,
            None => {
                *latest += 1;
                *latest
            }
        };
        number.to_be_bytes()
    }

    /// Where the next record's value lies in the contents: at `at`, which moves on, so that nothing comes again within a
    /// batch, and the processor sees what is read next.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=max"
    )]
    pub fn value(&mut self, at: &mut usize) -> Range<usize> {
        let bytes = match self.size {
            Size::Fixed(bytes) => bytes,
            Size::Uniform { min, max } => self.rng.random_range(min..=max),
            Size::LogNormal { max, .. } => {
                let drawn = self
                    .log_normal
                    .as_ref()
                    .map_or(0.0, |normal| normal.sample(&mut self.rng));
                drawn.round().clamp(0.0, f64::from(max)) as u32
            }
        } as usize;
        let bytes = bytes.min(self.contents_bytes);
        let fits = *at + bytes <= self.contents_bytes;
        let from = if fits { *at } else { 0 };
        *at = from + bytes;
        from..*at
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::text;
    use super::*;

    fn source(text: &[u8], size: Size, keys: Keys) -> RecordSource {
        RecordSource::new(size, keys, text.len(), 1, 0).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn values_have_their_size_and_differ() {
        let text = text(1);
        let mut source = source(&text, Size::Fixed(100), Keys::None);
        let mut offset = 0;
        let values: HashSet<&[u8]> = (0..100).map(|_| &text[source.value(&mut offset)]).collect();
        assert!(values.iter().all(|value| value.len() == 100));
        assert_eq!(values.len(), 100);
    }

    #[test]
    fn values_cut_in_turn_follow_one_another_and_begin_anew_at_the_end() {
        let mut source =
            RecordSource::new(Size::Fixed(40), Keys::None, 100, 1, 0).unwrap_or_else(|error| panic!("{error}"));
        let mut offset = 0;
        let values: Vec<_> = (0..4).map(|_| source.value(&mut offset)).collect();
        assert_eq!(values, [0..40, 40..80, 0..40, 40..80]);
    }

    #[test]
    fn sizes_follow_their_distribution() {
        let text = text(1);
        let mut uniform = source(&text, Size::Uniform { min: 10, max: 20 }, Keys::None);
        let sizes: HashSet<usize> = (0..1_000).map(|_| uniform.value(&mut 0).len()).collect();
        assert_eq!(sizes, (10..=20).collect());
        let mut skewed = source(
            &text,
            Size::LogNormal {
                median: 100,
                sigma: 1.0,
                max: 500,
            },
            Keys::None,
        );
        let mut sizes: Vec<usize> = (0..1_001).map(|_| skewed.value(&mut 0).len()).collect();
        sizes.sort_unstable();
        assert!((80..125).contains(&sizes[500]), "median {}", sizes[500]);
        assert_eq!(sizes[1_000], 500);
    }

    #[test]
    fn unique_keys_never_repeat_and_zipf_keys_favour_the_first() {
        let text = text(1);
        let mut latest = 7 << 40;
        let mut unique = source(&text, Size::Fixed(1), Keys::Unique);
        let keys: HashSet<[u8; 8]> = (0..1_000).map(|_| unique.key(&mut latest)).collect();
        assert_eq!(keys.len(), 1_000);
        let mut zipf = source(
            &text,
            Size::Fixed(1),
            Keys::Zipf {
                exponent: 1.2,
                count: 100,
            },
        );
        let mut counts = [0u32; 101];
        for _ in 0..10_000 {
            counts[usize::from(zipf.key(&mut latest)[7])] += 1;
        }
        assert!(counts[1] > counts[2] && counts[2] > counts[10], "{counts:?}");
        assert_eq!(counts[0], 0);
    }
}
