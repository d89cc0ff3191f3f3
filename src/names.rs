//! Names of topics and groups. On a cluster only the name distinguishes tandem's from others, so all forms of names are
//! built and recognised here.

/// The shortest prefix by which topics and groups may be recognised and deleted.
const PREFIX_MIN: usize = 3;

/// The prefix of Kafka's own topics.
const INTERNAL: &str = "__";

/// Hexadecimal digits of a run's id, and of a probe of the doctor.
const ID_DIGITS: usize = 8;

/// Hexadecimal digits of the hash of a kept data set.
pub const HASH_DIGITS: usize = 16;

/// The topic of a data set of a run; `run` is the prefix with the run's id, data set and topic count from 1.
pub fn data_topic(run: &str, dataset: usize, topic: u32) -> String {
    format!("{run}-d{dataset}-{topic}")
}

/// The start of the names of a trial.
pub fn trial(run: &str, number: u32) -> String {
    format!("{run}-t{number}")
}

/// A topic that a trial creates for arriving records; from 1.
pub fn arrivals_topic(trial: &str, topic: u32) -> String {
    format!("{trial}-{topic}")
}

/// A group of a trial, from 1.
pub fn trial_group(trial: &str, group: u32) -> String {
    format!("{trial}-g{group}")
}

/// The name of the client that reads a run's data without being measured.
pub fn warming(run: &str) -> String {
    format!("{run}-warm")
}

/// A topic of a kept data set, from 1.
pub fn kept_topic(prefix: &str, hash: &str, topic: u32) -> String {
    format!("{prefix}data-{hash}-{topic}")
}

/// The topic that records what a kept data set holds.
pub fn kept_record(prefix: &str, hash: &str) -> String {
    format!("{prefix}data-{hash}-about")
}

/// The group whose one member with a partition may fill a kept data set.
pub fn kept_claim(prefix: &str, hash: &str) -> String {
    format!("{prefix}data-{hash}-filling")
}

/// The owner of a topic or group of tandem's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Made {
    /// A data set that outlives its run, its record or its claim.
    Kept {
        /// The hash of what defines it.
        hash: String,
    },
    /// Of a run, which removes it at its end.
    Run {
        /// The run's id.
        id: String,
    },
    /// Of the doctor's probe, which removes it at its end.
    Doctor,
}

/// Topics and groups have names of different forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum NameOf {
    Topic,
    Group,
}

/// The owner of a name that tandem gave; `None` for other names, whatever their prefix.
pub fn recognise(prefix: &str, name: &str, of: NameOf) -> Option<Made> {
    let rest = name.strip_prefix(prefix)?;
    if let Some(rest) = rest.strip_prefix("data-") {
        let (hash, end) = rest.split_once('-')?;
        let known = match of {
            NameOf::Topic => is_number(end) || end == "about",
            NameOf::Group => end == "filling",
        };
        return (known && is_hexadecimal(hash, HASH_DIGITS)).then(|| Made::Kept { hash: hash.to_owned() });
    }
    if let Some(rest) = rest.strip_prefix("doctor-") {
        let id = match of {
            NameOf::Topic => rest,
            NameOf::Group => ["-classic", "-consumer"]
                .iter()
                .find_map(|end| rest.strip_suffix(end))?,
        };
        return is_hexadecimal(id, ID_DIGITS).then_some(Made::Doctor);
    }
    let (id, part) = rest.split_once('-')?;
    (is_hexadecimal(id, ID_DIGITS) && is_part(part, of)).then(|| Made::Run { id: id.to_owned() })
}

/// True for the group of a trial of this run, and for the table in which the records of one end.
pub fn is_trial_group(run: &str, name: &str) -> bool {
    let part = name.strip_prefix(run).and_then(|rest| rest.strip_prefix('-'));
    part.is_some_and(|part| part.starts_with('t') && is_part(part, NameOf::Group))
}

/// `d1-2` or `t12-1` of a topic, `t12-g1` or `warm` of a group.
fn is_part(part: &str, of: NameOf) -> bool {
    if part == "warm" {
        return of == NameOf::Group;
    }
    let Some((owner, number)) = part.split_once('-') else {
        return false;
    };
    let of_trial = owner.strip_prefix('t').is_some_and(is_number);
    let of_dataset = owner.strip_prefix('d').is_some_and(is_number);
    match of {
        NameOf::Topic => (of_trial || of_dataset) && is_number(number),
        NameOf::Group => of_trial && number.strip_prefix('g').is_some_and(is_number),
    }
}

fn is_number(text: &str) -> bool {
    (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_hexadecimal(text: &str, digits: usize) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == digits && text.bytes().all(digit)
}

/// Why nothing may be deleted by this prefix; `None` where deletion is allowed.
pub fn too_wide(prefix: &str) -> Option<String> {
    if prefix.len() < PREFIX_MIN {
        return Some(format!(
            "the prefix {prefix:?} is too short to distinguish tandem's topics from others: use at least {PREFIX_MIN} characters"
        ));
    }
    prefix
        .starts_with(INTERNAL)
        .then(|| format!("the prefix {prefix:?} is the one of Kafka's own topics"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_name_of_tandem_is_recognised() {
        let run = Made::Run { id: "0a1b2c3d".into() };
        let trial = trial("tandem-0a1b2c3d", 12);
        let is_only = |name: &str, of: NameOf, made: &Made| {
            let other = if of == NameOf::Topic {
                NameOf::Group
            } else {
                NameOf::Topic
            };
            assert_eq!(recognise("tandem-", name, of).as_ref(), Some(made), "{name}");
            assert_eq!(recognise("tandem-", name, other), None, "{name}");
        };
        is_only(&data_topic("tandem-0a1b2c3d", 2, 13), NameOf::Topic, &run);
        is_only(&arrivals_topic(&trial, 1), NameOf::Topic, &run);
        is_only(&trial_group(&trial, 3), NameOf::Group, &run);
        is_only(&warming("tandem-0a1b2c3d"), NameOf::Group, &run);
        let hash = "0123456789abcdef";
        let kept = Made::Kept { hash: hash.into() };
        is_only(&kept_topic("tandem-", hash, 1), NameOf::Topic, &kept);
        is_only(&kept_record("tandem-", hash), NameOf::Topic, &kept);
        is_only(&kept_claim("tandem-", hash), NameOf::Group, &kept);
        is_only("tandem-doctor-0a1b2c3d", NameOf::Topic, &Made::Doctor);
        is_only("tandem-doctor-0a1b2c3d-classic", NameOf::Group, &Made::Doctor);
    }

    #[test]
    fn the_table_of_a_trial_is_known_by_the_name_of_its_group() {
        let run = "tandem-0a1b2c3d";
        assert!(is_trial_group(run, &trial_group(&trial(run, 7), 2)));
        for other in [
            "tandem-0a1b2c3d-warm",
            "tandem-0a1b2c3d-t7-1",
            "tandem-0a1b2c3e-t7-g2",
            "tandem-0a1b2c3d-totals",
        ] {
            assert!(!is_trial_group(run, other), "{other}");
        }
    }

    #[test]
    fn names_of_others_are_not_recognised_whatever_their_prefix() {
        for name in [
            "tandem-orders",
            "tandem-",
            "tandem-deadbeef",
            "tandem-deadbeef-",
            "tandem-deadbeef-orders",
            "tandem-deadbeef-d1",
            "tandem-deadbeef-d1-g1",
            "tandem-DEADBEEF-d1-1",
            "tandem-data-orders-1",
            "tandem-data-0123456789abcdef-orders",
            "tandem-doctor-visits",
            "tandem-x-deadbeef-d1-1",
            "tandem-20240131-warm-orders",
            "orders",
            "__consumer_offsets",
        ] {
            for of in [NameOf::Topic, NameOf::Group] {
                assert_eq!(recognise("tandem-", name, of), None, "{name}");
            }
        }
    }

    #[test]
    fn a_prefix_that_is_too_wide_is_refused() {
        assert!(too_wide("").is_some() && too_wide("t-").is_some() && too_wide("__consumer").is_some());
        assert_eq!(too_wide("tandem-"), None);
    }

    proptest! {
        #[test]
        fn names_without_an_id_are_never_recognised(name in "tandem-[g-z.]{0,12}(-[a-z]{1,8})?") {
            prop_assert_eq!(recognise("tandem-", &name, NameOf::Topic), None);
            prop_assert_eq!(recognise("tandem-", &name, NameOf::Group), None);
        }
    }
}
