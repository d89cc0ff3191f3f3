//! What the workers' clients reported in the course of a trial, for the message of its failure.

use super::TrialMachine;
use crate::client_errors::is_same;
use crate::measure::Failure;

/// Reports that the message of a failure lists.
const LISTED: usize = 3;

impl TrialMachine {
    /// Notes what a client reported. A reader may name any consumer: those that it does not have are left out.
    pub(super) fn note_report(&mut self, reader: usize, consumer: Option<u32>, message: &str, times: u64) {
        let consumer = consumer.unwrap_or(0);
        if (consumer as usize) < self.role(reader).prepare.consumers.len() {
            let reports = self.reports.entry((reader, consumer)).or_default();
            reports.put(message, times);
        }
    }

    /// The failure with what the clients reported, unless it says so already: the first reports of all members, the same
    /// one of several members once.
    pub(crate) fn with_reports(&self, mut failure: Failure) -> Failure {
        let mut listed: Vec<(&str, u64, Vec<String>)> = Vec::new();
        for ((reader, consumer), reports) in &self.reports {
            let who = || self.role(*reader).member_name(*consumer as usize);
            for report in reports.iter().filter(|report| !failure.message.contains(&report.text)) {
                match listed.iter_mut().find(|(text, ..)| is_same(text, &report.text)) {
                    Some((_, times, members)) => {
                        *times += report.times;
                        members.push(who());
                    }
                    None => listed.push((&report.text, report.times, vec![who()])),
                }
            }
        }
        let more = listed.len().saturating_sub(LISTED);
        let mut texts: Vec<String> = listed
            .iter()
            .take(LISTED)
            .map(|(text, times, members)| describe(text, *times, members))
            .collect();
        if more > 0 {
            texts.push(format!("and {more} more"));
        }
        if !texts.is_empty() {
            failure.message = format!("{}; reported by the client: {}", failure.message, texts.join("; "));
        }
        failure
    }
}

fn describe(text: &str, times: u64, members: &[String]) -> String {
    let who = match members {
        [one] => one.clone(),
        several => format!("{} members", several.len()),
    };
    let often = if times == 1 {
        String::new()
    } else {
        format!(", {times} times")
    };
    format!("{text} ({who}{often})")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::measure::FailureKind;
    use crate::protocol::FromWorker;
    use crate::testing::script::{Reader, Script};
    use crate::trial::limits::Limits;

    const M1: &str = "group 1, process 1, consumer 1";
    const M2: &str = "group 1, process 2, consumer 1";

    fn reports(script: &mut Script, reader: usize, message: &str, times: u64) {
        let (consumer, message) = (Some(0), message.to_owned());
        script.says(
            Reader(reader),
            FromWorker::Reported {
                consumer,
                message,
                times,
            },
        );
    }

    #[test]
    fn a_stall_names_the_topic_and_what_each_client_reported_the_same_once() {
        let mut script = Script::reading();
        reports(
            &mut script,
            0,
            "a quota of the brokers throttled it for 1.5 s so far",
            1,
        );
        reports(
            &mut script,
            0,
            "a quota of the brokers throttled it for 9.0 s so far",
            2,
        );
        reports(
            &mut script,
            1,
            "a quota of the brokers throttled it for 7.5 s so far",
            1,
        );
        reports(&mut script, 1, "Connection refused", 1);
        script.passes(Limits::default().stall + Duration::from_secs(1));
        let both = format!("{M1} and {M2}");
        let cause = format!(
            "with 2 partitions unread, such as t [0]; reported by the client: a quota of the brokers throttled it for 9.0 s \
             so far (2 members, 3 times); Connection refused ({M2})"
        );
        script.failed(FailureKind::Stall, Some(&both), &cause);
    }

    #[test]
    fn a_failure_does_not_repeat_what_it_is_made_of_and_is_bounded_whatever_a_worker_says() {
        let mut script = Script::reading();
        for n in 0..1_000 {
            reports(&mut script, 0, &format!("report-{n} {}", "x".repeat(10_000)), 1);
        }
        reports(&mut script, 1, "gone", 1);
        script.says(
            Reader(1),
            FromWorker::Reported {
                consumer: Some(7),
                message: "of nobody".to_owned(),
                times: 1,
            },
        );
        let message = "the client reported: gone".to_owned();
        script.says(
            Reader(1),
            FromWorker::Failed {
                consumer: Some(0),
                connect: false,
                message,
            },
        );
        let failure = script.failure();
        assert_eq!(failure.message.matches("gone").count(), 1, "{failure:?}");
        assert!(failure.message.ends_with("; and 5 more"), "{failure:?}");
        assert!(failure.message.len() < 3_000, "{}", failure.message.len());
    }
}
