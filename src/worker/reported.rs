//! Reports of a member's client. Each is passed on once. An error that waiting cannot fix is reported as a failure.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rdkafka::error::RDKafkaErrorCode;

use crate::client_errors::{ClientError, Report, Reports};
use crate::measure::OffsetSpan;
use crate::protocol::Position;

/// Something that a member has to say from a thread of its own.
pub(super) enum News {
    /// It cannot go on.
    Failed(String),
    /// Its client reported something.
    Reported(Report),
    /// The store did not answer the commit of these records.
    Unanswered(Vec<OffsetSpan>),
    /// It is about to store the first record of a partition since the assignment.
    Began(Position),
}

/// Where a member says it.
pub(super) type NewsSink = Arc<dyn Fn(News) + Send + Sync>;

/// The reports of one member's client.
#[derive(Default)]
pub(super) struct Reported {
    reports: Mutex<Reports>,
    /// Nowhere, where only a reader is tested.
    sink: OnceLock<NewsSink>,
}

impl Reported {
    /// Says everything there from now on.
    pub(super) fn to(sink: NewsSink) -> Self {
        let reported = Reported::default();
        // Empty until now.
        let _ = reported.sink.set(sink);
        reported
    }

    /// Takes an error in. One that no waiting fixes ends the trial, and so does work that takes longer than the time
    /// between two polls may be where it did so before: the group takes the partitions away each time.
    pub(super) fn error(&self, error: &ClientError) {
        let times = self.report(&error.to_string());
        let keeps_leaving = error.code == RDKafkaErrorCode::PollExceeded && times > 1;
        if error.is_permanent() || keeps_leaving {
            self.fail(format!("the client reported: {error}"));
        }
    }

    /// Takes a report in; how often it has come.
    pub(super) fn report(&self, text: &str) -> u64 {
        eprintln!("client: {text}");
        let (times, news) = {
            let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
            reports.count(text)
        };
        if let Some(report) = news {
            self.say(News::Reported(report));
        }
        times
    }

    /// Says that the member cannot go on.
    pub(super) fn fail(&self, message: String) {
        self.say(News::Failed(message));
    }

    /// Says that the store did not answer the commit of these records.
    pub(super) fn unanswered(&self, records: Vec<OffsetSpan>) {
        self.say(News::Unanswered(records));
    }

    /// Says where the member begins to store the records of a partition.
    pub(super) fn began(&self, position: Position) {
        self.say(News::Began(position));
    }

    fn say(&self, news: News) {
        if let Some(sink) = self.sink.get() {
            sink(news);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    fn reported() -> (Reported, Receiver<News>) {
        let (say, said) = channel();
        (Reported::to(Arc::new(move |news| say.send(news).unwrap())), said)
    }

    /// The failures among what was said.
    fn failures(said: &Receiver<News>) -> Vec<String> {
        let failed = |news| match news {
            News::Failed(message) => Some(message),
            News::Reported(_) | News::Unanswered(_) | News::Began(_) => None,
        };
        said.try_iter().filter_map(failed).collect()
    }

    #[test]
    fn a_permanent_error_ends_the_trial_and_one_that_may_pass_is_reported() {
        let (reported, said) = reported();
        reported.error(&ClientError::new(
            RDKafkaErrorCode::BrokerTransportFailure,
            "Connection refused",
        ));
        assert_eq!(failures(&said), [""; 0]);
        reported.error(&ClientError::new(
            RDKafkaErrorCode::InvalidSessionTimeout,
            "JoinGroup failed",
        ));
        let failures = failures(&said);
        assert_eq!(failures.len(), 1);
        assert!(failures[0].contains("group.min.session.timeout.ms"), "{failures:?}");
    }

    #[test]
    fn a_client_that_left_its_group_over_its_work_ends_the_trial_when_it_does_so_again() {
        let (reported, said) = reported();
        let exceeded = |by| {
            let text = format!("Application maximum poll interval (6000ms) exceeded by {by}ms");
            reported.error(&ClientError::new(RDKafkaErrorCode::PollExceeded, &text));
        };
        exceeded(120);
        assert_eq!(failures(&said), [""; 0]);
        exceeded(77);
        assert!(failures(&said)[0].contains("raise max.poll.interval.ms"));
    }
}
