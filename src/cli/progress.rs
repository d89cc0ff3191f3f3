//! Displays the progress of a run: live on a terminal, plain lines elsewhere, nothing with
//! `--quiet`.

use std::io::{IsTerminal, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::coordinator::Observer;
use crate::measure::{LoadMeasurement, LoadVerdict, Measurement, Status, Trial, TrialKind, TrialOrder};
use crate::plan::Progress;
use crate::report::{duration, rate};
use crate::trial::{Entry, Happening, Phase};
use crate::wording::with_commas;

/// How often a line about filling is written where there is no terminal.
const FILL_LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Makes the display that fits.
pub(super) fn observer(quiet: bool) -> std::sync::Arc<dyn Observer> {
    if quiet {
        std::sync::Arc::new(Quiet)
    } else if std::io::stderr().is_terminal() {
        std::sync::Arc::new(Live::new())
    } else {
        std::sync::Arc::new(Lines::default())
    }
}

/// Only what must not be missed.
struct Quiet;

impl Observer for Quiet {
    fn preparing(&self, _what: &str) {}
    fn filling(&self, _done: u64, _total: u64) {}
    fn trial_started(&self, _order: &TrialOrder, _configuration: &str, _progress: Progress) {}
    fn trial_happened(&self, _entry: &Entry) {}
    fn trial_ended(&self, _trial: &Trial, _progress: Progress) {}
    fn note(&self, message: &str) {
        say(&format!("note: {message}"));
    }
}

/// Standard error may be closed; the run goes on without it.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// A line for each thing that ended.
#[derive(Default)]
struct Lines {
    /// The latest line about filling: when, and how many records.
    fill: Mutex<Option<(Instant, u64)>>,
    clock: TimeLeft,
}

impl Observer for Lines {
    fn preparing(&self, what: &str) {
        say(what);
    }

    fn filling(&self, done: u64, total: u64) {
        let mut last_line = self.fill.lock().unwrap_or_else(PoisonError::into_inner);
        let due =
            last_line.is_none_or(|(at, before)| before < done && (done == total || at.elapsed() >= FILL_LINE_INTERVAL));
        if due {
            *last_line = Some((Instant::now(), done));
            say(&format!(
                "filling: {} of {} records",
                with_commas(done),
                with_commas(total)
            ));
        }
    }

    fn trial_started(&self, _order: &TrialOrder, _configuration: &str, progress: Progress) {
        self.clock.begin(progress);
    }

    fn trial_happened(&self, _entry: &Entry) {}

    fn trial_ended(&self, trial: &Trial, progress: Progress) {
        let left = ahead(progress, self.clock.left(progress));
        say(&format!(
            "[{}/{}{left}] {}",
            progress.trials_done,
            progress.trials_planned,
            trial_line(trial)
        ));
    }

    fn note(&self, message: &str) {
        say(&format!("note: {message}"));
    }
}

/// Two bars: the run and the present trial.
struct Live {
    run: ProgressBar,
    trial: ProgressBar,
    bars: MultiProgress,
    clock: TimeLeft,
    /// The phase of the present trial, and when it began.
    present: Mutex<Option<(Phase, u64)>>,
}

impl Live {
    fn new() -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(8));
        let run = bars.add(ProgressBar::new(1));
        let trial = bars.add(ProgressBar::new(1));
        let style =
            |template: &str| ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        run.set_style(style("{bar:30} {pos}/{len} {msg}"));
        trial.set_style(style("{bar:30} {wide_msg}"));
        Live {
            run,
            trial,
            bars,
            clock: TimeLeft::default(),
            present: Mutex::new(None),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // It fails only where there is no terminal to clear.
        let _ = self.bars.clear();
    }
}

impl Observer for Live {
    fn preparing(&self, what: &str) {
        self.trial.set_message(what.to_owned());
        self.trial.tick();
    }

    fn filling(&self, done: u64, total: u64) {
        self.trial.set_length(total);
        self.trial.set_position(done);
        self.trial.set_message(format!(
            "filling: {} of {} records",
            with_commas(done),
            with_commas(total)
        ));
    }

    fn trial_started(&self, order: &TrialOrder, configuration: &str, progress: Progress) {
        self.clock.begin(progress);
        self.trial.set_position(0);
        let left = ahead(progress, self.clock.left(progress));
        self.run.set_length(u64::from(progress.trials_planned));
        self.run.set_position(u64::from(progress.trials_done));
        self.run
            .set_message(format!("trials{left}; {}: {configuration}", stage(order)));
    }

    fn trial_happened(&self, entry: &Entry) {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        if let Happening::Phase(phase) = entry.what {
            *present = Some((phase, entry.at_ns));
            self.trial.set_message(match phase {
                Phase::Starting => "starting processes",
                Phase::Joining => "joining",
                Phase::Reading => "reading",
                Phase::Draining => "reading what has arrived",
                Phase::Collecting | Phase::Over => "collecting results",
            });
        }
        if let (Happening::Read { done, total }, Some((phase, began_ns))) = (&entry.what, *present) {
            let count = format!("{} of {} records", with_commas(*done), with_commas(*total));
            let seconds = entry.at_ns.saturating_sub(began_ns) as f64 / 1e9;
            self.trial.set_length(*total.max(&1));
            self.trial.set_position(*done);
            self.trial.set_message(match phase {
                Phase::Draining => format!("reading what has arrived: {count}"),
                _ if seconds > 0.05 => format!("reading {count}, {}", rate(*done as f64 / seconds)),
                _ => format!("reading {count}"),
            });
        }
    }

    fn trial_ended(&self, trial: &Trial, _progress: Progress) {
        if !matches!(trial.status, Status::Complete) {
            self.note(&trial_line(trial));
        }
    }

    fn note(&self, message: &str) {
        // It fails only where there is no terminal.
        let _ = self.bars.println(message);
    }
}

fn stage(order: &TrialOrder) -> String {
    match order.kind {
        TrialKind::Pilot => "pilot".to_owned(),
        TrialKind::Warmup => "warm-up".to_owned(),
        TrialKind::Counted => format!("block {}", order.block + 1),
        TrialKind::Search => format!("search {}", order.block + 1),
    }
}

/// One trial in a line.
fn trial_line(trial: &Trial) -> String {
    let head = format!("{}, {}", stage(&trial.order), trial.configuration_name);
    let figures = trial.measurement.as_ref().map(|m| {
        if let Some(load) = &m.load {
            return load_figures(m, load);
        }
        if !m.has_read_time() {
            let seconds = duration(m.stopwatch_ns() as f64 / 1e9);
            return format!("{} records, {seconds} by the stopwatch", with_commas(m.records()));
        }
        let seconds = m.read_ns() as f64 / 1e9;
        format!(
            "{} in {}",
            rate(m.records() as f64 / seconds.max(1e-9)),
            duration(seconds)
        )
    });
    let figures = figures.unwrap_or_default();
    match &trial.status {
        Status::Complete => format!("{head}: {figures}"),
        Status::Excluded { reason } => format!("{head}: left out, {reason} ({figures})"),
        Status::Failed(failure) => {
            let who = failure.who.as_ref().map(|who| format!("{who}: ")).unwrap_or_default();
            format!("{head}: failed, {}: {who}{}", failure.kind.describe(), failure.message)
        }
    }
}

/// What became of the records that arrived.
fn load_figures(measurement: &Measurement, load: &LoadMeasurement) -> String {
    let load_rate = format!("at {}", rate(load.offered_per_second));
    if !load.reached {
        return format!(
            "{load_rate}: load not reached, {} were sent",
            rate(load.sent_per_second)
        );
    }
    if let Some(overload) = load.overload {
        return format!(
            "{load_rate}: overloaded, the lag grew by {}",
            rate(overload.lag_growth_per_second)
        );
    }
    let unsure = match load.verdict() {
        LoadVerdict::CannotSay => "; cannot say whether it is held",
        LoadVerdict::Holds | LoadVerdict::Overloaded => "",
    };
    if measurement.outside.is_some() {
        let verdict = match load.verdict() {
            LoadVerdict::CannotSay => "cannot say whether it keeps up",
            LoadVerdict::Holds | LoadVerdict::Overloaded => "keeps up",
        };
        return format!("{load_rate}: {verdict}");
    }
    let latencies = measurement.latencies();
    let percentile = |share| {
        let ns = latencies.as_ref()?.response.percentile_ns(share)?;
        Some(duration(ns as f64 / 1e9))
    };
    let percentiles = [("p50", percentile(0.5)), ("p99", percentile(0.99))];
    let known: Vec<String> = (percentiles.into_iter())
        .filter_map(|(name, value)| Some(format!("{name} {}", value?)))
        .collect();
    let unread = if load.unread > 0 {
        format!("; {} records left unread", with_commas(load.unread))
    } else {
        String::new()
    };
    format!(
        "{load_rate}: {}{unread}{unsure}",
        if known.is_empty() {
            "too few records".to_owned()
        } else {
            known.join(", ")
        }
    )
}

/// What is probably ahead, with a comma before it: the time left, and where the run goes on until something holds, how
/// many blocks that will take and how many there can be.
fn ahead(progress: Progress, left: Option<String>) -> String {
    let left = left.map_or(String::new(), |left| format!(", {left} left"));
    let blocks = |number: u32| format!("{number} more {}", if number == 1 { "block" } else { "blocks" });
    let more = progress.blocks_planned.saturating_sub(progress.blocks_done);
    match progress
        .blocks_at_most
        .map(|most| most.saturating_sub(progress.blocks_done))
    {
        None => left,
        Some(_) if more == 0 => String::new(),
        Some(most) if more < most => format!(", about {}{left}; at most {most}", blocks(more)),
        Some(most) => format!(", at most {}{left}", blocks(most)),
    }
}

/// Guesses the time left from the trials of this session.
#[derive(Default)]
struct TimeLeft(Mutex<Option<(Instant, u32)>>);

impl TimeLeft {
    fn begin(&self, progress: Progress) {
        let mut begun = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        begun.get_or_insert_with(|| (Instant::now(), progress.trials_done));
    }

    /// `None` before three trials have ended.
    fn left(&self, progress: Progress) -> Option<String> {
        let (begun, done_before) = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let done = progress
            .trials_done
            .checked_sub(done_before)
            .filter(|done| *done >= 3)?;
        let each = begun.elapsed().as_secs_f64() / f64::from(done);
        let left = progress.trials_planned.saturating_sub(progress.trials_done);
        Some(duration(each * f64::from(left)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(blocks_planned: u32, blocks_at_most: Option<u32>) -> Progress {
        Progress {
            trials_done: 20,
            trials_planned: 32,
            blocks_done: 10,
            blocks_planned,
            blocks_at_most,
        }
    }

    #[test]
    fn what_is_ahead_names_the_blocks_where_their_number_is_open() {
        let left = || Some("2 min".to_owned());
        assert_eq!(ahead(progress(16, None), left()), ", 2 min left");
        assert_eq!(
            ahead(progress(16, Some(40)), left()),
            ", about 6 more blocks, 2 min left; at most 30"
        );
        assert_eq!(ahead(progress(11, Some(40)), None), ", about 1 more block; at most 30");
        assert_eq!(
            ahead(progress(40, Some(40)), left()),
            ", at most 30 more blocks, 2 min left"
        );
        assert_eq!(ahead(progress(10, Some(40)), left()), "");
    }
}
