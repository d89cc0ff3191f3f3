//! Configurations that are compared with no other: their figures.

use super::facts::{Facts, at_most_three, distinct, fits};
use crate::figures::FigureId;
use crate::scenario::Mode;
use crate::summary::numbers::time;
use crate::verdict::Metric;
use crate::wording::{capitalised, thousands};

impl Facts<'_> {
    /// What configurations that read a backlog and are compared with no other read; nothing of those that others are
    /// compared with, which the comparisons tell of.
    pub(super) fn alone(&self) -> Option<String> {
        let configurations = 0..self.names.scenario.configurations.len();
        let is_compared = |index: usize| {
            let answers = |metric: Metric| metric != Metric::STOPWATCH || metric.is_inferential(self.names.scenario);
            let mut all = self.comparisons.iter().filter(|c| answers(c.metric));
            all.any(|c| c.baseline == index || c.configuration == index)
        };
        let alone = configurations.filter(|&c| self.names.configuration(c).mode == Mode::Backlog && !is_compared(c));
        let is_silent = |c: &usize| {
            self.names
                .scenario
                .app_of(self.names.configuration(*c))
                .silent()
                .is_some()
        };
        let (silent, alone): (Vec<usize>, Vec<usize>) = alone.partition(is_silent);
        let by_stopwatch = self.by_stopwatch(&silent);
        if alone.is_empty() {
            return by_stopwatch;
        }
        let rates = self.rates_of(&alone);
        Some(rates.into_iter().chain(by_stopwatch).collect::<Vec<String>>().join(" "))
    }

    /// What programs took that nothing holds until a start.
    fn by_stopwatch(&self, silent: &[usize]) -> Option<String> {
        let took = |index: &usize| {
            let seconds = self.names.summaries[*index].point(FigureId::StopwatchSeconds)?;
            let label = self.names.label(*index, &self.names.common(&[]));
            Some(format!(
                "{label} takes {} from its start to its last commit",
                time(seconds * 1e3)
            ))
        };
        let sentences: Vec<String> = silent.iter().filter_map(took).collect();
        let known = (!sentences.is_empty()).then(|| format!("{}.", at_most_three(&sentences)));
        known.map(|text| capitalised(&text))
    }

    /// Records per second of configurations that are compared with no other.
    fn rates_of(&self, alone: &[usize]) -> Option<String> {
        let rates: Vec<(usize, f64)> = alone
            .iter()
            .filter_map(|&c| Some((c, self.names.summaries[c].point(FigureId::RecordsPerSecond)?)))
            .collect();
        let label = |index: usize| self.names.label(index, &self.names.common(&[]));
        let missing = || {
            distinct(
                alone
                    .iter()
                    .filter(|c| rates.iter().all(|(known, _)| known != *c))
                    .map(|&c| label(c)),
            )
        };
        let (first, others) = match &rates[..] {
            [] if alone.is_empty() => return None,
            [] => {
                return Some(format!(
                    "No answer: no trial of {} can be used.",
                    at_most_three(&missing())
                ));
            }
            [only] => {
                let interval = self.interval_of_rate(only.0);
                let text = format!("{} reads {} records/s{interval}.", label(only.0), thousands(only.1));
                return Some(capitalised(&text));
            }
            [first, others @ ..] => (first, others),
        };
        let each = others
            .iter()
            .map(|(index, rate)| format!("; {} {}", label(*index), thousands(*rate)));
        let text = format!(
            "{} reads {} records/s{}.",
            label(first.0),
            thousands(first.1),
            each.collect::<String>()
        );
        if fits(&text) {
            return Some(capitalised(&text));
        }
        let least = rates.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
        let most = rates.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(format!(
            "Of {} configurations {} reads least, {} records/s, and {} most, {} records/s.",
            rates.len(),
            label(least.0),
            thousands(least.1),
            label(most.0),
            thousands(most.1)
        ))
    }

    /// ` [1,970, 2,010]`; empty where there is none.
    fn interval_of_rate(&self, configuration: usize) -> String {
        let rate = self.names.summaries[configuration].estimate(FigureId::RecordsPerSecond);
        rate.and_then(|rate| rate.interval)
            .map_or(String::new(), |(low, high)| {
                format!(" [{}, {}]", thousands(low), thousands(high))
            })
    }
}
