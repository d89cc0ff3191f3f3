//! Where the time of a run went: every nanosecond of its sessions belongs to one part.

use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

use crate::measure::{Measurement, SessionTimes, Step, Trial, TrialKind};

/// What time was spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display)]
#[serde(untagged)]
pub enum Part {
    /// A step before or after the trials.
    #[strum(to_string = "{0}")]
    Session(Step),
    /// A phase of the trials.
    #[strum(to_string = "{0}")]
    Trial(TrialPhase),
}

/// The phases of a trial that follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum TrialPhase {
    /// From the first process being started to the last one's introduction.
    #[strum(to_string = "starting processes")]
    Start,
    /// Until all consumers have reached the cluster.
    #[strum(to_string = "connecting")]
    Connect,
    /// Until every member has its assignment.
    #[strum(to_string = "joining the group")]
    Join,
    /// Until the common start.
    #[strum(to_string = "waiting for the common start")]
    Hold,
    /// Until the last record, in counted trials.
    #[strum(to_string = "reading, counted trials")]
    Reading,
    /// Until the last record, in trials that are not counted.
    #[strum(to_string = "reading, pilots and warm-up")]
    ReadingUncounted,
    /// Until every process has sent its result.
    #[strum(to_string = "collecting results")]
    Results,
    /// Until every member has left and every process has ended.
    #[strum(to_string = "leaving and ending processes")]
    End,
    /// Storing the trial and preparing the next; failed trials.
    #[strum(to_string = "between trials")]
    Between,
}

impl TrialPhase {
    /// True while records are read.
    pub fn is_reading(self) -> bool {
        matches!(self, TrialPhase::Reading | TrialPhase::ReadingUncounted)
    }
}

/// The time of one part, over all sessions and trials.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TimePart {
    /// Of what.
    pub part: Part,
    /// In all.
    pub seconds: f64,
}

/// Where the time of a run went, apart from making its report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeAccount {
    /// All of it.
    pub seconds: f64,
    /// Trials that were run, failed ones included.
    pub trials: u32,
    /// In the order of a run; they add up to `seconds`.
    pub parts: Vec<TimePart>,
}

impl TimeAccount {
    /// The share of the time in which records were read.
    pub fn reading_share(&self) -> f64 {
        let is_reading = |part: &&TimePart| matches!(part.part, Part::Trial(phase) if phase.is_reading());
        let reading: f64 = self.parts.iter().filter(is_reading).map(|part| part.seconds).sum();
        reading / self.seconds.max(f64::MIN_POSITIVE)
    }
}

/// The account of a run; `None` where its sessions did not note their times.
pub fn account(sessions: &[SessionTimes], trials: &[Trial]) -> Option<TimeAccount> {
    let mut sums = Sums::default();
    let mut count = 0;
    for session in sessions {
        let own: Vec<&Trial> = trials.iter().filter(|trial| trial.session == session.session).collect();
        count += own.len();
        for (step, from_ns, until_ns) in session.stretches() {
            let ns = until_ns.saturating_sub(from_ns);
            if step == Step::Trials {
                sums.add_trials(&own, ns);
            } else {
                sums.add(Part::Session(step), ns);
            }
        }
    }
    let total_ns: u64 = sums.0.iter().map(|(_, ns)| ns).sum();
    (total_ns > 0).then(|| TimeAccount {
        seconds: total_ns as f64 / 1e9,
        trials: u32::try_from(count).unwrap_or(u32::MAX),
        parts: sums.in_order(),
    })
}

/// Nanoseconds by part.
#[derive(Default)]
struct Sums(Vec<(Part, u64)>);

impl Sums {
    fn add(&mut self, part: Part, ns: u64) {
        match self.0.iter_mut().find(|(known, _)| *known == part) {
            Some((_, sum)) => *sum += ns,
            None => self.0.push((part, ns)),
        }
    }

    /// What the phases of trials leave of the step that ran them lies between them.
    fn add_trials(&mut self, trials: &[&Trial], step_ns: u64) {
        let mut known_ns = 0;
        for trial in trials {
            let measurement = trial.measurement.iter();
            for (phase, ns) in measurement.flat_map(|m| phases(m, trial.order.kind)) {
                self.add(Part::Trial(phase), ns);
                known_ns += ns;
            }
        }
        self.add(Part::Trial(TrialPhase::Between), step_ns.saturating_sub(known_ns));
    }

    fn in_order(&self) -> Vec<TimePart> {
        let steps = |of: fn(&Step) -> bool| Step::VARIANTS.iter().filter(move |step| of(step));
        let before = steps(|step| *step < Step::Trials).map(|step| Part::Session(*step));
        let during = TrialPhase::VARIANTS.iter().map(|phase| Part::Trial(*phase));
        let after = steps(|step| *step > Step::Trials).map(|step| Part::Session(*step));
        let known = |part: Part| self.0.iter().find(|(known, _)| *known == part);
        let parts = before.chain(during).chain(after).filter_map(known);
        parts
            .map(|(part, ns)| TimePart {
                part: *part,
                seconds: *ns as f64 / 1e9,
            })
            .collect()
    }
}

/// The phases of a trial in their order, each with its nanoseconds.
fn phases(measurement: &Measurement, kind: TrialKind) -> impl Iterator<Item = (TrialPhase, u64)> {
    let m = measurement;
    let hello_ns = m.processes.iter().map(|process| process.hello_ns).max();
    let reading = match kind {
        TrialKind::Counted | TrialKind::Search => TrialPhase::Reading,
        TrialKind::Pilot | TrialKind::Warmup => TrialPhase::ReadingUncounted,
    };
    let ends = [
        (TrialPhase::Start, hello_ns),
        (TrialPhase::Connect, Some(m.subscribe_ns)),
        (TrialPhase::Join, Some(m.joined_ns)),
        (TrialPhase::Hold, Some(m.start_ns)),
        (reading, Some(m.end_ns)),
        (TrialPhase::Results, m.results_ns),
        (TrialPhase::End, m.ended_ns),
    ];
    let mut from_ns = m.spawn_ns;
    ends.into_iter().filter_map(move |(phase, end_ns)| {
        let end_ns = end_ns?;
        let ns = end_ns.saturating_sub(from_ns);
        from_ns = from_ns.max(end_ns);
        Some((phase, ns))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::measure::{FailureKind, StepStart};
    use crate::testing::{measurement, trial};

    const S: u64 = 1_000_000_000;

    fn session(number: u32, from_ns: u64, steps: &[(Step, u64)], ended_ns: u64) -> SessionTimes {
        let steps = steps.iter().map(|(step, at_ns)| StepStart {
            step: *step,
            at_ns: from_ns + at_ns,
        });
        SessionTimes {
            session: number,
            steps: steps.collect(),
            ended_ns: from_ns + ended_ns,
        }
    }

    #[test]
    fn every_nanosecond_of_a_session_belongs_to_one_part() {
        // Spawned at 1.0 s, subscribed at 1.1, joined at 1.4, started at 1.5, and read for a second.
        let mut measurement = measurement().build();
        measurement.results_ns = Some(2_600 * S / 1000);
        measurement.ended_ns = Some(2_650 * S / 1000);
        let counted = trial().measured(measurement.clone()).build();
        let pilot = trial().kind(TrialKind::Pilot).measured(measurement).build();
        let failed = trial().failed(FailureKind::WorkerDied).build();
        let steps = [
            (Step::Starting, 0),
            (Step::Brokers, S / 10),
            (Step::Data, 6 * S),
            (Step::Checking, 7 * S),
            (Step::Data, 8 * S),
            (Step::Trials, 10 * S),
            (Step::Closing, 15 * S),
        ];
        let session = session(1, 77 * S, &steps, 16 * S);
        let account = account(&[session], &[pilot, counted, failed]).unwrap();
        let seconds: Vec<(String, f64)> = account.parts.iter().map(|p| (p.part.to_string(), p.seconds)).collect();
        let expected = [
            ("starting the guardian", 0.1),
            ("starting or reaching the brokers", 5.9),
            ("checks and calibration", 1.0),
            ("filling the data set", 3.0),
            ("starting processes", 0.02),
            ("connecting", 0.18),
            ("joining the group", 0.6),
            ("waiting for the common start", 0.2),
            ("reading, counted trials", 1.0),
            ("reading, pilots and warm-up", 1.0),
            ("collecting results", 0.2),
            ("leaving and ending processes", 0.1),
            ("between trials", 1.7),
            ("cleaning up", 1.0),
        ];
        assert_eq!(seconds, expected.map(|(part, seconds)| (part.to_owned(), seconds)));
        assert_eq!((account.seconds, account.trials), (16.0, 3));
        assert!((account.reading_share() - 2.0 / 16.0).abs() < 1e-9);
    }

    #[test]
    fn sessions_of_a_resumed_run_add_up_and_what_was_not_noted_lies_between_trials() {
        let first = session(1, 0, &[(Step::Trials, 0)], 4 * S);
        let second = session(2, 900 * S, &[(Step::Trials, 0)], 3 * S);
        let trials = [trial().build(), trial().session(2).build()];
        let account = account(&[first, second], &trials).unwrap();
        let between = account.parts.last().unwrap();
        assert_eq!(between.part, Part::Trial(TrialPhase::Between));
        assert_eq!((account.seconds, between.seconds), (7.0, 4.0));
        assert!(super::account(&[], &trials).is_none());
    }
}
