//! What a client of the library reports of itself: which errors no waiting fixes, what does, and each report once. Knows
//! the library's codes and texts, and nothing of consumers and trials.

use std::fmt;
use std::sync::LazyLock;

use rdkafka::error::RDKafkaErrorCode;
use regex::Regex;

/// Different reports kept of one client.
const REPORTS_MAX: usize = 8;

/// Characters kept of a report. The library's own texts are shorter, so that no secret in one is cut before it is masked.
const REPORT_CHARS_MAX: usize = 600;

/// The library's words where an answer is larger than the client accepts.
const RESPONSE_LIMIT: &str = "increase receive.message.max.bytes";

const OWN_INSTANCE: &str = "give each member a group.instance.id of its own, or none";
const DELETED: &str = "the topic was deleted";

/// What to change about an error.
const FIXES: &[(RDKafkaErrorCode, &str)] = &[
    (
        RDKafkaErrorCode::InvalidSessionTimeout,
        "set session.timeout.ms between the brokers' group.min.session.timeout.ms and group.max.session.timeout.ms",
    ),
    (RDKafkaErrorCode::FencedInstanceId, OWN_INSTANCE),
    (RDKafkaErrorCode::UnreleasedInstanceId, OWN_INSTANCE),
    (
        RDKafkaErrorCode::UnsupportedAssignor,
        "take an assignor that the brokers have (their group.consumer.assignors)",
    ),
    (
        RDKafkaErrorCode::GroupMaxSizeReached,
        "start fewer members, or raise the brokers' group.max.size (group.consumer.max.size in the consumer protocol)",
    ),
    (
        RDKafkaErrorCode::PollExceeded,
        "raise max.poll.interval.ms above the time that the work on a record takes, or do not read = \"stream\"",
    ),
    (
        RDKafkaErrorCode::BadCompression,
        "raise receive.message.max.bytes, which limits what a batch holds when decompressed; or the batch is damaged",
    ),
    (
        RDKafkaErrorCode::AutoOffsetReset,
        "set auto.offset.reset to earliest or latest: the offset is not there",
    ),
    (RDKafkaErrorCode::UnknownTopicOrPartition, DELETED),
    (RDKafkaErrorCode::UnknownTopic, DELETED),
    (RDKafkaErrorCode::UnknownPartition, DELETED),
];

/// An error that a client reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientError {
    /// The library's code.
    pub code: RDKafkaErrorCode,
    /// What the client says, without the library's thread names and times.
    pub text: String,
}

impl ClientError {
    /// An error in the client's words.
    pub fn new(code: RDKafkaErrorCode, text: &str) -> Self {
        ClientError {
            code,
            text: plain(text),
        }
    }

    /// True where no waiting fixes it.
    pub fn is_permanent(&self) -> bool {
        use RDKafkaErrorCode as Code;
        match self.code {
            // A broken record has the same code.
            Code::BadMessage => self.text.contains(RESPONSE_LIMIT),
            Code::Fatal
            | Code::Authentication
            | Code::SaslAuthenticationFailed
            | Code::UnsupportedSASLMechanism
            | Code::TopicAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::UnsupportedVersion
            | Code::UnsupportedFeature
            | Code::InconsistentGroupProtocol
            | Code::InvalidGroupId
            | Code::InvalidSessionTimeout
            | Code::GroupMaxSizeReached
            | Code::FencedInstanceId
            | Code::UnreleasedInstanceId
            | Code::UnsupportedAssignor
            | Code::MessageSizeTooLarge
            | Code::BadCompression
            | Code::NotImplemented
            | Code::AutoOffsetReset => true,
            _ => self.is_of_unknown_topic(),
        }
    }

    /// True where a topic or partition does not exist. It may have been made a moment ago.
    pub fn is_of_unknown_topic(&self) -> bool {
        matches!(
            self.code,
            RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownPartition
        )
    }

    /// What to change, where the client's words do not say it. The text of a fatal error holds that of its cause.
    fn fix(&self) -> Option<&'static str> {
        let caused = |code: RDKafkaErrorCode| self.code == RDKafkaErrorCode::Fatal && self.text.contains(&words(code));
        let row = FIXES.iter().find(|(code, _)| *code == self.code || caused(*code));
        row.map(|(_, fix)| *fix)
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?})", self.text, self.code)?;
        self.fix().map_or(Ok(()), |fix| write!(f, "; {fix}"))
    }
}

/// The library's words for a code.
fn words(code: RDKafkaErrorCode) -> String {
    let named = code.to_string();
    let words = named
        .split_once(" (")
        .map(|(_, words)| words.trim_end_matches(')').to_owned());
    words.unwrap_or(named)
}

/// What a client reported, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// In words.
    pub text: String,
    /// How often so far.
    pub times: u64,
}

/// The reports of one client, each once: texts that differ in their numbers alone are one report.
#[derive(Debug, Default)]
pub struct Reports(Vec<Report>);

impl Reports {
    /// Counts a report: how often it has come, and itself where that should be passed on, which is the first time and
    /// whenever its count has doubled. What comes beyond 8 others is neither counted nor passed on.
    pub fn count(&mut self, text: &str) -> (u64, Option<Report>) {
        let known = self.0.iter().find(|known| is_same(&known.text, text));
        let times = known.map_or(1, |report| report.times + 1);
        if !self.put(text, times) {
            return (0, None);
        }
        let text = shortened(text);
        (times, times.is_power_of_two().then_some(Report { text, times }))
    }

    /// Notes that this was reported so often; false where it is one too many.
    pub fn put(&mut self, text: &str, times: u64) -> bool {
        let text = shortened(text);
        let index = self.0.iter().position(|known| is_same(&known.text, &text));
        match index {
            Some(index) => self.0[index] = Report { text, times },
            None if self.0.len() < REPORTS_MAX => self.0.push(Report { text, times }),
            None => return false,
        }
        true
    }

    /// All, in the order of their first coming.
    pub fn iter(&self) -> impl Iterator<Item = &Report> {
        self.0.iter()
    }

    /// True before the first.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(REPORT_CHARS_MAX).collect()
}

/// True for texts that differ in no more than their numbers.
pub fn is_same(one: &str, other: &str) -> bool {
    // A number that belongs to a name, such as a topic's, makes a difference.
    static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(^|[\s(\[:=#])\d[\d.]*").ok());
    let skeleton = |text: &str| {
        let without = NUMBER.as_ref().map(|number| number.replace_all(text, "$1"));
        without.map_or_else(|| text.to_owned(), std::borrow::Cow::into_owned)
    };
    one == other || skeleton(one) == skeleton(other)
}

/// The client's words without the library's thread names and times.
fn plain(text: &str) -> String {
    static ORNAMENT: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\[thrd:[^\]]*\]: | \(after \d+ms in state [^)]*\)").ok());
    match ORNAMENT.as_ref() {
        Some(ornament) => ornament.replace_all(text.trim(), "").into_owned(),
        None => text.trim().to_owned(),
    }
}

/// What a line of a client's log reports; `None` for one that repeats an error, or is about the settings only.
pub fn report_of_log(facility: &str, message: &str) -> Option<String> {
    const KNOWN: [&str; 4] = ["CONFWARN", "FAIL", "FATAL", "MAXPOLL"];
    (!KNOWN.contains(&facility)).then(|| plain(message))
}

/// True for what clients say when the broker does not accept the user.
pub fn is_authentication(cause: &str) -> bool {
    let lower = cause.to_ascii_lowercase();
    [
        "invalid credentials",
        "authentication failed",
        "authentication failure",
        "authentication error",
        "authenticationexception",
        "saslauthenticationfailed",
        "authenticationfailederror",
    ]
    .iter()
    .any(|part| lower.contains(part))
}

/// A note on the client that is refused: Kafka 4.x refuses librdkafka before 2.6 even with the right SCRAM password. `None`
/// where the client is not the cause, such as this program's own. `client` and `version` are as
/// a worker has reported them.
pub fn client_note(cause: &str, client: &str, version: &str) -> Option<String> {
    if !is_authentication(cause) || version == rdkafka::util::get_rdkafka_version().1 {
        return None;
    }
    let mut numbers = version
        .trim_start_matches('v')
        .split(['.', '-'])
        .map_while(|part| part.parse::<u32>().ok());
    let release = (numbers.next()?, numbers.next().unwrap_or(0));
    let is_librdkafka = client.to_ascii_lowercase().contains("rdkafka");
    Some(if is_librdkafka && release < (2, 6) {
        format!(
            "its client is {client} {version}: librdkafka before 2.6 is refused so by Kafka 4.x with the right SCRAM \
             password; give the worker 2.6 or later"
        )
    } else {
        format!("its client is {client} {version}")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_settings_and_rights_are_permanent_and_those_of_the_network_are_not() {
        use RDKafkaErrorCode as Code;
        let too_large = "b:9092/1: Receive failed: Invalid response size 1000088 (0..1000): increase \
                         receive.message.max.bytes (after 5ms in state UP)";
        let error = ClientError::new(Code::BadMessage, too_large);
        assert!(error.is_permanent());
        assert!(
            error
                .to_string()
                .ends_with("increase receive.message.max.bytes (BadMessage)"),
            "{error}"
        );
        for code in [
            Code::InvalidSessionTimeout,
            Code::UnsupportedAssignor,
            Code::FencedInstanceId,
            Code::GroupMaxSizeReached,
            Code::Authentication,
            Code::MessageSizeTooLarge,
            Code::AutoOffsetReset,
            Code::UnknownTopicOrPartition,
        ] {
            assert!(ClientError::new(code, "x").is_permanent(), "{code:?}");
        }
        let broken = "MessageSet at offset 7 (90 bytes) failed CRC32C check";
        for (code, text) in [
            (Code::BadMessage, broken),
            (Code::BrokerTransportFailure, "Connection refused"),
            (Code::AllBrokersDown, "2/2 brokers are down"),
            (Code::PollExceeded, "Application maximum poll interval exceeded"),
            (Code::OffsetOutOfRange, "x"),
        ] {
            assert!(!ClientError::new(code, text).is_permanent(), "{code:?}");
        }
    }

    #[test]
    fn a_fatal_error_has_the_fix_of_its_cause() {
        let text = "Fatal error: Broker: The assignor or its version range is not supported by the consumer group: \
                    ConsumerGroupHeartbeat fatal error";
        let error = ClientError::new(RDKafkaErrorCode::Fatal, text);
        assert!(error.is_permanent());
        assert!(error.to_string().ends_with("group.consumer.assignors)"), "{error}");
    }

    #[test]
    fn a_report_that_repeats_itself_with_other_numbers_is_one_and_is_passed_on_when_its_count_doubles() {
        let mut reports = Reports::default();
        let passed: Vec<u64> = (1..=9)
            .filter_map(|n| reports.count(&format!("throttled for {n}.5 s (broker {n})")).1)
            .map(|report| report.times)
            .collect();
        assert_eq!(passed, [1, 2, 4, 8]);
        let kept: Vec<&Report> = reports.iter().collect();
        assert_eq!(kept.len(), 1);
        assert_eq!(
            (kept[0].times, kept[0].text.as_str()),
            (9, "throttled for 9.5 s (broker 9)")
        );
    }

    #[test]
    fn reports_are_bounded_in_number_and_length_and_topics_differ_by_the_numbers_in_their_names() {
        let mut reports = Reports::default();
        assert!(!is_same("orders-1 [0]: gone", "orders-2 [0]: gone"));
        assert!(is_same("orders-1 [0]: gone", "orders-1 [3]: gone"));
        for n in 0..100 {
            reports.count(&format!("topic-{n} {}", "x".repeat(1_000)));
        }
        assert_eq!(reports.iter().count(), REPORTS_MAX);
        assert!(reports.iter().all(|report| report.text.len() <= REPORT_CHARS_MAX));
    }

    #[test]
    fn a_line_of_the_log_is_a_report_unless_it_repeats_an_error() {
        let said = |facility, message| report_of_log(facility, message);
        assert_eq!(
            said(
                "SESSTMOUT",
                "[thrd:main]: Consumer group session timed out (in join-state steady)"
            )
            .unwrap(),
            "Consumer group session timed out (in join-state steady)"
        );
        assert_eq!(said("MAXPOLL", "exceeded"), None);
        assert_eq!(said("CONFWARN", "is a producer property"), None);
    }

    #[test]
    fn an_old_client_that_is_refused_is_named_with_its_version() {
        let cause = "SASL authentication error: Authentication failed";
        let note = |client: &str, version: &str| client_note(cause, client, version).unwrap();
        assert!(note("librdkafka", "2.3.0").contains("librdkafka 2.3.0: librdkafka before 2.6 is refused"));
        assert!(note("confluent-kafka/librdkafka", "v1.9.2-RC3").contains("before 2.6"));
        assert_eq!(note("librdkafka", "2.6.0"), "its client is librdkafka 2.6.0");
        assert_eq!(note("kafka-clients", "2.3.0"), "its client is kafka-clients 2.3.0");
        assert_eq!(client_note("connection refused", "librdkafka", "2.3.0"), None);
        let own = rdkafka::util::get_rdkafka_version().1;
        assert_eq!(client_note(cause, "librdkafka", &own), None);
    }
}
