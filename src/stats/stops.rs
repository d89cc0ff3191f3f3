//! Several comparisons that are looked at together, each of which stops by itself.

use super::permutation::holm;

/// Which of several comparisons have stopped. A comparison that stops keeps its p for ever: later observations cannot
/// undo what was concluded.
///
/// Holm's correction stays valid, because it needs no more than that each p is valid by itself, and the p of
/// [`super::Sequential`] is valid at whatever look it is read. A verdict cannot be lost either: a comparison that Holm
/// rejects at one look is rejected at all later ones if every comparison with a smaller p stops at that look too.
#[derive(Debug, Clone, PartialEq)]
pub struct Stops {
    /// The p at which each comparison stopped.
    kept: Vec<Option<f64>>,
}

impl Stops {
    /// So many comparisons, none of which has stopped.
    pub fn none(comparisons: usize) -> Self {
        Stops {
            kept: vec![None; comparisons],
        }
    }

    /// A look. `p` gives the present p of a comparison that goes on; `is_settled` decides by its corrected p whether it
    /// stops now. Returns the corrected p of all.
    pub fn look(&mut self, p: impl Fn(usize) -> f64, is_settled: impl Fn(usize, f64) -> bool) -> Vec<f64> {
        let all: Vec<f64> = (self.kept.iter().enumerate())
            .map(|(index, kept)| kept.unwrap_or_else(|| p(index)))
            .collect();
        let corrected = holm(&all);
        for (index, kept) in self.kept.iter_mut().enumerate() {
            if kept.is_none() && is_settled(index, corrected[index]) {
                *kept = Some(all[index]);
            }
        }
        corrected
    }

    /// True where a comparison has stopped.
    pub fn has_stopped(&self, comparison: usize) -> bool {
        self.kept[comparison].is_some()
    }

    /// True where all have.
    pub fn have_all_stopped(&self) -> bool {
        self.kept.iter().all(Option::is_some)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "p are kept as they are")]

    use proptest::prelude::*;

    use super::*;
    use crate::stats::SIGNIFICANCE;

    #[test]
    fn a_comparison_that_stopped_keeps_its_p() {
        let mut stops = Stops::none(2);
        let first = stops.look(|index| [0.01, 0.5][index], |_, p| p <= SIGNIFICANCE);
        assert_eq!(first, [0.02, 0.5]);
        assert!(stops.has_stopped(0) && !stops.has_stopped(1) && !stops.have_all_stopped());
        let later = stops.look(|index| [0.9, 0.03][index], |_, p| p <= SIGNIFICANCE);
        assert_eq!(later, [0.02, 0.03]);
        assert!(stops.have_all_stopped());
    }

    proptest! {
        /// What is rejected at a look stays rejected, whatever the p of the others do.
        #[test]
        fn no_later_look_undoes_a_verdict(looks in prop::collection::vec(prop::collection::vec(0.0..0.2_f64, 5), 1..8)) {
            let mut stops = Stops::none(5);
            let mut rejected = [false; 5];
            for p in &looks {
                let corrected = stops.look(|index| p[index], |_, p| p <= SIGNIFICANCE);
                for (was, p) in rejected.iter_mut().zip(&corrected) {
                    prop_assert!(!*was || *p <= SIGNIFICANCE, "{corrected:?}");
                    *was = *p <= SIGNIFICANCE;
                }
            }
        }
    }
}
