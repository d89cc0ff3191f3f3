//! The bytes from which record values are cut: a text of words, or bytes that compressors shorten to a given share.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::scenario::Compression;

/// Bytes from which values are cut. Read in turn, nothing comes again within a producer's batch, which is smaller, as
/// long as keys do not spread the values over so many partitions that a batch of one spans all of it.
const CONTENTS_BYTES: usize = 8 << 20;
/// Bytes that a record has in a batch beside its value: lengths, time and offset as differences to the first's.
const FRAMING_BYTES: f64 = 8.0;
/// The part of a compressible unit that can be foretold repeats itself after so many bytes.
const PERIOD: usize = 64;
/// Bytes of a unit at a ratio of 1, and by how many they grow with it: the larger a unit, the less does it matter what
/// a compressor needs to say where it begins and ends; but a small record must not be all noise or all repetition.
const UNIT_BYTES: f64 = 512.0;
const UNIT_BYTES_PER_RATIO: f64 = 64.0;

/// Words of lower-case letters, drawn so that general-purpose compressors get about a half: neither noise, which no
/// compressor shortens, nor a constant, which every one does.
pub fn text(seed: u64) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let words: Vec<Vec<u8>> = (0..4_096)
        .map(|_| {
            (0..rng.random_range(2..=9))
                .map(|_| rng.random_range(b'a'..=b'z'))
                .chain([b' '])
                .collect()
        })
        .collect();
    let mut text = Vec::with_capacity(CONTENTS_BYTES + 16);
    while text.len() < CONTENTS_BYTES {
        text.extend_from_slice(&words[rng.random_range(0..words.len())]);
    }
    text
}

/// What a compressor writes for what it can foretell, in bytes: fitted to batches of records of 100 B to 10 KiB.
struct Costs {
    /// For each repetition that it finds.
    repetition: f64,
    /// For each byte repeated.
    byte: f64,
    /// For a record's framing, and for the repetition that it cuts in two.
    framing: f64,
}

impl Costs {
    fn of(compression: Compression) -> Self {
        let (repetition, byte, framing) = match compression {
            // Without the producer's compression it is the broker's or nobody's; lz4 is the commonest.
            Compression::None | Compression::Lz4 => (3.0, 1.0 / 255.0, 12.0),
            Compression::Snappy => (4.0, 3.0 / 64.0, 8.5),
            Compression::Gzip => (3.0, 1.0 / 200.0, 4.2),
            Compression::Zstd => (3.0, 0.0, 4.4),
        };
        Costs {
            repetition,
            byte,
            framing,
        }
    }
}

/// Bytes that `compression` shortens to 1 / `ratio`, as batches of records whose values have `mean_bytes`: units of
/// noise, which nothing shortens, followed by repetition, which costs next to nothing. Small records cannot be shortened
/// without end, since their framing cannot; what is beyond reach is all repetition.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=unit"
)]
pub fn compressible(seed: u64, compression: Compression, ratio: f64, mean_bytes: f64) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut period = [0; PERIOD];
    rng.fill_bytes(&mut period);
    let unit = UNIT_BYTES.max(UNIT_BYTES_PER_RATIO * ratio).round();
    let noise = noise_bytes(unit, &Costs::of(compression), ratio, mean_bytes);
    let mut contents = Vec::with_capacity(CONTENTS_BYTES + unit as usize);
    let mut owed = 0.0;
    while contents.len() < CONTENTS_BYTES {
        owed += noise;
        let begin = contents.len();
        let noise_end = begin + owed as usize;
        owed = owed.fract();
        contents.resize(noise_end, 0);
        rng.fill_bytes(&mut contents[begin..]);
        contents.extend(period.iter().cycle().take(unit as usize - (noise_end - begin)));
    }
    contents
}

/// Bytes of noise in a unit, for which noise, repetition and framing together are 1 / `ratio` of the batch.
fn noise_bytes(unit: f64, costs: &Costs, ratio: f64, mean_bytes: f64) -> f64 {
    if ratio <= 1.0 {
        return unit;
    }
    let records = unit / mean_bytes.max(1.0);
    let compressed = (unit + records * FRAMING_BYTES) / ratio;
    let foretold = costs.repetition + costs.byte * unit + costs.framing * records;
    ((compressed - foretold) / (1.0 - costs.byte)).clamp(0.0, unit)
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test that cannot go on says so")]
mod tests {
    use std::io::Write;

    use super::*;

    /// A batch as a producer makes it of values cut in turn, without its head: at most 10,000 records and 1 MB.
    fn batch(contents: &[u8], value_bytes: usize) -> Vec<u8> {
        let records = 10_000.min(1_000_000 / value_bytes);
        let mut batch = Vec::new();
        for (offset, value) in contents.chunks_exact(value_bytes).take(records).enumerate() {
            let mut body = vec![0];
            // A millisecond for every 700 records, no key, no headers.
            for number in [offset / 700, offset] {
                varint(number << 1, &mut body);
            }
            body.push(1);
            varint(value_bytes << 1, &mut body);
            body.extend_from_slice(value);
            body.push(0);
            varint(body.len() << 1, &mut batch);
            batch.extend_from_slice(&body);
        }
        batch
    }

    fn varint(mut number: usize, out: &mut Vec<u8>) {
        while number > 0x7f {
            out.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        out.push(number.to_le_bytes()[0]);
    }

    /// How many times as long as its compressed form the batch is, by the compressors and settings of the client library.
    fn ratio(compression: Compression, batch: &[u8]) -> f64 {
        let compressed = match compression {
            Compression::Zstd => zstd::bulk::compress(batch, 3).expect("zstd").len(),
            Compression::Lz4 => {
                let frame = lz4_flex::frame::FrameInfo::new().block_size(lz4_flex::frame::BlockSize::Max64KB);
                let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(frame, Vec::new());
                encoder.write_all(batch).expect("lz4");
                encoder.finish().expect("lz4").len()
            }
            other => panic!("no compressor for {other:?} here"),
        };
        batch.len() as f64 / compressed as f64
    }

    /// Wanted ratios with the furthest that a measured one may be off, as a share.
    fn check(compression: Compression, value_bytes: u32, wanted: &[f64], tolerance: f64) {
        {
            for wanted in wanted {
                let contents = compressible(7, compression, *wanted, f64::from(value_bytes));
                let got = ratio(compression, &batch(&contents, value_bytes as usize));
                let off = (got / wanted - 1.0).abs();
                assert!(
                    off <= tolerance,
                    "{compression:?}, {value_bytes} B: {got:.2} for {wanted}"
                );
            }
        }
    }

    #[test]
    fn batches_of_large_records_shrink_to_the_wanted_share() {
        for compression in [Compression::Lz4, Compression::Zstd] {
            for value_bytes in [1_024, 10_240] {
                check(compression, value_bytes, &[1.0, 1.5, 2.0, 4.0, 8.0, 12.0, 20.0], 0.06);
            }
        }
    }

    #[test]
    fn batches_of_small_records_shrink_to_the_wanted_share_as_far_as_their_framing_lets_them() {
        check(Compression::Zstd, 100, &[1.0, 1.5, 2.0, 4.0, 8.0], 0.10);
        // This compressor finds more of the framing's repetitions than the client library's, for which the costs hold.
        check(Compression::Lz4, 100, &[1.0, 1.5, 2.0, 4.0], 0.20);
    }

    #[test]
    fn noise_is_not_shortened_and_no_two_values_of_it_are_equal() {
        let contents = compressible(7, Compression::None, 1.0, 100.0);
        let values: std::collections::HashSet<&[u8]> = contents.chunks_exact(100).collect();
        assert_eq!(values.len(), contents.len() / 100);
    }

    #[test]
    fn the_text_of_words_is_shortened_to_about_a_half() {
        let got = ratio(Compression::Zstd, &batch(&text(1), 1_024));
        assert!((1.7..3.0).contains(&got), "{got}");
    }
}
