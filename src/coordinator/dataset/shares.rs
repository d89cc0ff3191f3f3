//! How many records of a data set each partition gets.

use crate::scenario::DatasetSpec;

/// Records of each partition of one of the data set's topics: equal, or by weight with the remainder to the largest
/// fractions.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shares of a u64 are not negative and fit"
)]
pub(super) fn partition_counts(spec: &DatasetSpec, topic: u32) -> Vec<u64> {
    let topics = u64::from(spec.topics);
    let of_topic = spec.records / topics + u64::from(u64::from(topic) < spec.records % topics);
    let partitions = spec.partitions as usize;
    let equal = vec![1.0 / f64::from(spec.partitions); partitions];
    let weights = if spec.weights.is_empty() { &equal } else { &spec.weights };
    let exact: Vec<f64> = weights.iter().map(|weight| weight * of_topic as f64).collect();
    // The small addend keeps an exact share from falling below itself by rounding.
    let mut counts: Vec<u64> = exact.iter().map(|share| (share + 1e-6).floor() as u64).collect();
    let mut order: Vec<usize> = (0..partitions).collect();
    let fraction = |index: usize| exact[index] - exact[index].floor();
    order.sort_by(|a, b| fraction(*b).total_cmp(&fraction(*a)));
    let left = of_topic.saturating_sub(counts.iter().sum());
    for (index, _) in order.into_iter().cycle().zip(0..left) {
        counts[index] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::dataset;

    fn spec(partitions: u32, records: u64, weights: &[f64]) -> DatasetSpec {
        DatasetSpec {
            partitions,
            records,
            weights: weights.to_vec(),
            ..dataset()
        }
    }

    #[test]
    fn partitions_get_equal_shares_or_their_weights_and_nothing_is_lost() {
        assert_eq!(partition_counts(&spec(4, 8_000, &[]), 0), [2_000; 4]);
        assert_eq!(partition_counts(&spec(3, 10, &[]), 0), [4, 3, 3]);
        assert_eq!(partition_counts(&spec(2, 1_000, &[0.9, 0.1]), 0), [900, 100]);
        let sums: u64 = (0..3)
            .map(|t| {
                partition_counts(
                    &DatasetSpec {
                        topics: 3,
                        ..spec(2, 11, &[])
                    },
                    t,
                )
                .iter()
                .sum::<u64>()
            })
            .sum();
        assert_eq!(sums, 11);
    }
}
