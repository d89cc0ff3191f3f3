//! The quick form of a scenario: what its question compares, once, in short trials. Names do not change.

use super::families;
use super::model::{Axis, Configuration, Mode, Repetitions, Scenario, TrialLength, Until, Work};

/// Blocks at most, unless a first look needs more. Clear differences are decided at the first look, after 6 or 7 blocks;
/// more looks cost more than they decide in so few blocks (`cargo bench --bench verdicts -- quick`).
const BLOCKS: u32 = 7;
/// Reading time of a trial.
const SECONDS: f64 = 0.5;
/// The same where transactions of different sizes are compared. All configurations read the same records, and the slowest
/// takes this long: one that stores 100 rows in a transaction is through 10 to 20 times as soon as one that stores one.
const TRANSACTIONS_SECONDS: f64 = 4.0;
/// Up to so many values of the compared axis all stay.
const VALUES_MAX: usize = 4;
/// Where cases are compared, the first axis stays as far as it makes no more configurations than these.
const CONFIGURATIONS_MAX: usize = 6;

impl Scenario {
    /// Every case with the first value of each matrix key, in trials of half a second, until decided or for 7
    /// blocks, or as many as verdicts need. Trials that compare sizes of transactions take up to 4 s, and live trials stay as
    /// long as they are. The data sets are shorter by as much as the trials. A search for capacity is less precise.
    ///
    /// Where cases are not what is compared, the first compared matrix key keeps its values, or the ends and the middle
    /// of more than four. Where they are, the first matrix key keeps its values if all trials read a backlog and no more
    /// than six configurations come of it. The values of a named baseline take the place of the first ones.
    #[must_use]
    pub fn quick(&self) -> Scenario {
        let values = self.quick_values();
        let is_kept = |configuration: &Configuration| {
            let mut pairs = configuration.axis_values.iter().zip(&values);
            pairs.all(|(value, kept)| kept.contains(&value.as_str()))
        };
        let mut quick = self.keeping(is_kept);
        let seconds = quick.quick_seconds();
        quick.shorten_datasets(seconds);
        quick.trial = TrialLength::Seconds(seconds);
        let durations = quick.configurations.iter().filter_map(|each| each.mode.load());
        let longest_ns = durations.map(|load| load.duration_ns).max().unwrap_or(0);
        quick.capacity = quick.capacity.map(|capacity| capacity.quick(longest_ns));
        let needed = families::blocks_needed(families::comparisons(&quick.configurations));
        quick.with_blocks(Repetitions::until_holds(Until::Decided, needed.max(BLOCKS)))
    }

    /// Leaves as much of each data set as trials need that are shorter than the scenario's. A backlog behind which
    /// records arrive is read to its end, however long that takes, so it stays.
    fn shorten_datasets(&mut self, quick_seconds: f64) {
        let TrialLength::Seconds(seconds) = self.trial else {
            return;
        };
        let share = quick_seconds / seconds;
        if share >= 1.0 {
            return;
        }
        for (index, dataset) in self.datasets.iter_mut().enumerate() {
            let mut readers = self.configurations.iter().filter(|each| each.dataset == index);
            if dataset.existing().is_none() && readers.all(|each| each.mode == Mode::Backlog) {
                dataset.shorten(share);
            }
        }
        self.keep_families();
    }

    /// How long its slowest trials take, never longer than those of the scenario.
    fn quick_seconds(&self) -> f64 {
        let storing = self.configurations.iter().filter(|each| each.work == Work::Store);
        let mut sizes = storing.map(|each| each.store_batch);
        let first = sizes.next();
        let limit = if sizes.any(|size| Some(size) != first) {
            TRANSACTIONS_SECONDS
        } else {
            SECONDS
        };
        match self.trial {
            TrialLength::Seconds(seconds) => limit.min(seconds.max(SECONDS)),
            TrialLength::Records(_) | TrialLength::Everything => limit,
        }
    }

    /// The values of each axis that the quick form keeps.
    fn quick_values(&self) -> Vec<Vec<&str>> {
        let Some((compared, baseline)) = self.closest_comparison() else {
            return self.axes.iter().map(first_value).collect();
        };
        let mut differing = differing_axes(compared, baseline);
        let first = differing.next();
        let mut values: Vec<Vec<&str>> = baseline.axis_values.iter().map(|value| vec![value.as_str()]).collect();
        for axis in differing {
            values[axis].push(&compared.axis_values[axis]);
        }
        match first {
            Some(axis) => values[axis] = self.compared_values(axis, compared, baseline),
            None => self.keep_first_axis(&mut values, baseline),
        }
        values
    }

    /// Cases are compared at each value of the first axis, where that costs little.
    fn keep_first_axis<'a>(&'a self, values: &mut [Vec<&'a str>], baseline: &Configuration) {
        let Some(axis) = self.axes.iter().position(|axis| axis.values.len() > 1) else {
            return;
        };
        let is_compared = |value: &&str| {
            let mut there = self.configurations.iter().filter(|c| c.axis_values[axis] == *value);
            there.any(|c| c.baseline.is_some())
        };
        let values_of_axis = self.axes[axis].values.iter().map(String::as_str);
        let kept = ends_and_middle(
            values_of_axis.filter(is_compared).collect(),
            &baseline.axis_values[axis],
        );
        let here = self
            .configurations
            .iter()
            .filter(|c| c.axis_values == baseline.axis_values);
        let is_backlog = self.configurations.iter().all(|c| c.mode == Mode::Backlog);
        if is_backlog && here.count() * kept.len() <= CONFIGURATIONS_MAX {
            values[axis] = kept;
        }
    }

    /// The first of the comparisons whose two sides differ in the fewest axes: what is compared, and its baseline.
    fn closest_comparison(&self) -> Option<(&Configuration, &Configuration)> {
        let compared = self.configurations.iter();
        let comparisons = compared.filter_map(|each| Some((each, &self.configurations[each.baseline?])));
        comparisons.min_by_key(|(compared, baseline)| differing_axes(compared, baseline).count())
    }

    /// Values of the axis that are compared with the baseline, and the baseline's own, in the order of the axis. Of a
    /// long axis the ends and the middle.
    fn compared_values(&self, axis: usize, compared: &Configuration, baseline: &Configuration) -> Vec<&str> {
        let own = baseline.axis_values[axis].as_str();
        let differs_in_axis_only = |each: &Configuration| {
            each.case == compared.case && differing_axes(each, compared).all(|index| index == axis)
        };
        let is_compared = |value: &str| {
            self.configurations.iter().any(|each| {
                each.axis_values[axis] == value && each.baseline == compared.baseline && differs_in_axis_only(each)
            })
        };
        let values = self.axes[axis].values.iter().map(String::as_str);
        ends_and_middle(
            values.filter(|value| *value == own || is_compared(value)).collect(),
            own,
        )
    }
}

/// All values of a short axis; of a long one the ends, the middle and the baseline's own.
fn ends_and_middle<'a>(all: Vec<&'a str>, own: &str) -> Vec<&'a str> {
    if all.len() <= VALUES_MAX {
        return all;
    }
    let chosen = [all[0], all[all.len() / 2], all[all.len() - 1], own];
    all.into_iter().filter(|value| chosen.contains(value)).collect()
}

fn first_value(axis: &Axis) -> Vec<&str> {
    axis.values.iter().take(1).map(String::as_str).collect()
}

/// The axes in which two configurations have different values, as indices into the scenario's.
fn differing_axes(a: &Configuration, b: &Configuration) -> impl Iterator<Item = usize> {
    let pairs = a.axis_values.iter().zip(&b.axis_values);
    pairs.enumerate().filter(|(_, (a, b))| a != b).map(|(index, _)| index)
}
