//! The timeline of a configuration's events: who is there when, a line for each of those to whom something is done.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::kafka::client::ConsumerSettings;
use crate::scenario::{
    ClusterSource, Configuration, Event, EventAct, EventStep, Parties, Party, RestartHow, Scenario, StepTime,
    TrialLength, event_steps, seconds_ns,
};
use crate::trial::Limits;
use crate::wording::grouped;

/// The events of a scenario: a timeline for each set of them, with the numbers of the configurations that have it.
pub(super) fn describe_events(scenario: &Scenario) -> String {
    let brokers = match scenario.cluster.source {
        ClusterSource::Local { brokers, .. } => brokers,
        ClusterSource::Bootstrap(_) => 0,
    };
    let of_each = scenario.configurations.iter().enumerate().filter_map(|(index, each)| {
        let parties = Parties {
            groups: each.groups,
            processes: each.processes,
            brokers,
        };
        let end_ns = match (each.mode.load(), scenario.trial) {
            (Some(load), _) => Some(load.warmup_ns.saturating_add(load.duration_ns)),
            (None, TrialLength::Seconds(seconds)) => Some(seconds_ns(seconds)),
            (None, TrialLength::Records(_) | TrialLength::Everything) => None,
        };
        let drawing = || timeline(&each.events, parties, end_ns) + &describe_limits(scenario, each);
        (!each.events.is_empty()).then(|| (drawing(), index))
    });
    let mut text = String::new();
    for (drawing, these) in grouped(of_each) {
        let numbers: Vec<String> = these.iter().map(|index| format!("#{}", index + 1)).collect();
        let whose = if these.len() == scenario.configurations.len() {
            String::new()
        } else {
            format!(" of {}", numbers.join(", "))
        };
        let _ = writeln!(text, "\nevents{whose}, after the common start:\n{drawing}");
    }
    text
}

/// How long each thing may take before a trial fails, and how long after an act.
fn describe_limits(scenario: &Scenario, configuration: &Configuration) -> String {
    let limits = Limits::default();
    // Of settings with a secret that is not at hand, only the trial knows.
    let settings = ConsumerSettings::of(scenario, configuration, "").resolve();
    let session_ms = configuration
        .session_timeout_ms
        .or(settings.ok().map(|settings| settings.session_timeout_ms));
    let settle = limits.settle.as_secs_f64();
    let (grown, why) = match session_ms.map(|ms| ms as f64 / 1e3) {
        Some(session) => {
            let grown = format!("{} s", settle + session);
            (grown, format!("{settle} s and the session timeout of {session} s"))
        }
        None => (
            format!("{settle} s + session"),
            "session: its session timeout".to_owned(),
        ),
    };
    let (stall, ready) = (limits.stall.as_secs(), (limits.hello + limits.ready).as_secs());
    let mut text = format!(
        "limits: reading may stand still for {stall} s, and until {grown} after an act\n        \
         ({why})\n"
    );
    if let Some(load) = configuration.mode.load() {
        let drain = load.drain_ns as f64 / SECOND_NS;
        let _ = writeln!(
            text,
            "        what is unread when the load is over: {drain} s, and until {grown} after an act"
        );
    }
    let _ = writeln!(
        text,
        "        who is started must be ready within {ready} s, and read within {grown} of that"
    );
    let _ = writeln!(
        text,
        "        silence of processes and brokers counts only from {grown} after an act on"
    );
    text
}

/// Characters of a line.
const WIDTH: usize = 79;

/// Characters of the track at least, however long the names are.
const TRACK_MIN: usize = 30;

/// Characters from one number of the axis to the next, at least.
const TICK_MIN: usize = 9;

const SECOND_NS: f64 = 1e9;

/// Distances of numbers on an axis, in seconds.
const TICK_SECONDS: [f64; 17] = [
    0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 21_600.0, 86_400.0,
];

/// What is done to one of them: from when, until when, and what.
struct Mark {
    from: f64,
    until: f64,
    act: EventAct,
}

/// The events as a drawing with one line for each of those to whom something is done, and a line for each event.
/// `end_ns` is the end of the trial, if that is known.
fn timeline(events: &[Event], parties: Parties, end_ns: Option<u64>) -> String {
    let steps = event_steps(events, parties);
    let is_timed = |step: &&EventStep| is_timed(&steps, step);
    let (timed, by_progress): (Vec<&EventStep>, Vec<&EventStep>) = steps.iter().partition(is_timed);
    let mut text = String::new();
    if !timed.is_empty() {
        let marks = marks(&timed, |when| match when {
            StepTime::After(ns) => Some(ns as f64 / SECOND_NS),
            StepTime::Progress(_) | StepTime::Next => None,
        });
        let last = marks.values().flatten().map(|mark| mark.until).fold(0.0, f64::max);
        let end = end_ns.map_or(last * 1.1, |ns| ns as f64 / SECOND_NS).max(last).max(0.1);
        text += &drawing(&marks, end, TICK_SECONDS.as_slice(), |second| format!("{second}s"));
    }
    if !by_progress.is_empty() {
        let marks = marks(&by_progress, |when| match when {
            StepTime::Progress(share) => Some(share * 100.0),
            StepTime::After(_) | StepTime::Next => None,
        });
        text += &drawing(&marks, 100.0, &[20.0, 25.0, 50.0], |percent| format!("{percent}%"));
    }
    text += "= there, > starts, < leaves or stops, x is killed, ~ is paused, | another rate\n";
    for (number, event) in (1..).zip(events) {
        let _ = writeln!(text, "event {number}: {event}");
    }
    text
}

/// True for a step at a time, or after one.
fn is_timed(steps: &[EventStep], step: &EventStep) -> bool {
    let first = steps.iter().find(|first| first.event == step.event);
    first.is_some_and(|first| matches!(first.when, StepTime::After(_)))
}

/// What is done to each, in the order of their names. A step without a time of its own follows the one before.
fn marks(steps: &[&EventStep], place: impl Fn(StepTime) -> Option<f64>) -> BTreeMap<Party, Vec<Mark>> {
    let mut marks: BTreeMap<Party, Vec<Mark>> = BTreeMap::new();
    let mut before = 0.0;
    for step in steps {
        let from = place(step.when).unwrap_or(before);
        let lasts = step.act.for_ns() as f64 / SECOND_NS;
        // How far the reading gets meanwhile is not known.
        let until = if matches!(step.when, StepTime::Progress(_)) {
            from
        } else {
            from + lasts
        };
        let act = step.act;
        marks.entry(step.party).or_default().push(Mark { from, until, act });
        before = until;
    }
    for of_party in marks.values_mut() {
        of_party.sort_by(|a, b| a.from.total_cmp(&b.from));
    }
    marks
}

fn drawing(marks: &BTreeMap<Party, Vec<Mark>>, end: f64, distances: &[f64], number: impl Fn(f64) -> String) -> String {
    let names: Vec<String> = marks.keys().map(Party::to_string).collect();
    let label = names.iter().map(String::len).max().unwrap_or(0) + 2;
    let width = WIDTH.saturating_sub(label).max(TRACK_MIN);
    let mut text = format!("{:label$}{}\n", "", axis(end, width, distances, number).trim_end());
    for (name, marks) in names.iter().zip(marks.values()) {
        let _ = writeln!(text, "{name:label$}{}", track(marks, end, width).trim_end());
    }
    text
}

/// The numbers above a drawing.
fn axis(end: f64, width: usize, distances: &[f64], number: impl Fn(f64) -> String) -> String {
    let most = (width / TICK_MIN).max(1) as f64;
    let fits = |distance: &&f64| end / **distance <= most;
    let distance = distances.iter().find(fits).copied().unwrap_or(end);
    let mut axis = String::new();
    for tick in 0_u32.. {
        let time = f64::from(tick) * distance;
        let text = number((time * 1e3).round() / 1e3);
        let column = column(time, end, width);
        if time > end || column + text.len() > width {
            break;
        }
        axis += &" ".repeat(column.saturating_sub(axis.len()));
        axis += &text;
    }
    axis
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a column of a line"
)]
fn column(at: f64, end: f64, width: usize) -> usize {
    ((at / end * (width - 1) as f64).round() as usize).min(width - 1)
}

/// When one of them is there.
fn track(marks: &[Mark], end: f64, width: usize) -> String {
    let mut track = vec!['='; width];
    let starts_later = marks.first().is_some_and(|mark| mark.act == EventAct::Start);
    if starts_later {
        track.fill(' ');
    }
    for mark in marks {
        let (from, until) = (column(mark.from, end, width), column(mark.until, end, width));
        let after = (until + 1).min(width);
        match mark.act {
            EventAct::Start => {
                track[from..].fill('=');
                track[from] = '>';
            }
            EventAct::Leave | EventAct::Stop | EventAct::Kill => {
                track[from..].fill(' ');
                track[from] = if mark.act == EventAct::Kill { 'x' } else { '<' };
            }
            EventAct::Pause { .. } => track[from..after].fill('~'),
            EventAct::Restart { how, .. } => {
                track[from..after].fill(' ');
                track[until] = '>';
                track[from] = if how == RestartHow::Kill { 'x' } else { '<' };
            }
            EventAct::Rate(_) => track[from] = '|',
        }
    }
    track.into_iter().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::describe_events;
    use crate::scenario::parse;

    fn drawn(text: &str) -> String {
        let scenario = parse("s", "s.toml", &format!("question = '?'\n{text}"));
        describe_events(&scenario.unwrap_or_else(|errors| panic!("{}", errors.plain())))
    }

    #[test]
    fn a_timeline_has_a_line_for_each_that_something_is_done_to_and_fits_80_columns() {
        let text = drawn(
            "[cluster]\nbrokers = 3\n[dataset]\npartitions = 2\nreplication = 2\n[consumer]\nprocesses = 3\n\
             [load]\nrate = 5\nduration = 30\n\
             [[event]]\nat = '10s'\ndo = 'restart'\nfor = '2s'\nwhat = 'each process'\nevery = '5s'\n\
             [[event]]\nat = '5s'\ndo = 'pause'\nfor = '2s'\nwhat = 'leader of 0'\n\
             [[event]]\nat = '12s'\nrate = 2000\n\
             [[case]]\nname = 'a'\n[[case]]\nname = 'b'\n\
             [[case.event]]\nat = '3s'\ndo = 'kill'\nwhat = 'process 3'\n\
             [[case.event]]\nat = '6s'\ndo = 'start'\nwhat = 'process 3'\n",
        );
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn shares_of_a_backlog_have_an_axis_of_their_own() {
        insta::assert_snapshot!(drawn(
            "[dataset]\npartitions = 3\n[consumer]\nprocesses = 3\n\
             [[event]]\nat = '20%'\ndo = 'leave'\nwhat = 'process 2'\n\
             [[event]]\nat = '300ms'\ndo = 'start'\nwhat = 'process 3'\n"
        ));
    }

    #[test]
    fn a_plan_says_how_long_acts_may_keep_the_reading_from_going_on() {
        let event =
            "question = '?'\n[consumer]\nprocesses = 2\n[[event]]\nat = '1s'\ndo = 'kill'\nwhat = 'process 2'\n";
        let limits = |text: &str| {
            let described = describe_events(&parse("mine", "mine.toml", text).unwrap());
            let lines = described.lines().skip_while(|line| !line.starts_with("limits: "));
            let lines: Vec<&str> = lines.map(str::trim_start).filter(|line| !line.is_empty()).collect();
            lines.join("\n")
        };
        let expected = |grown: &str, session: &str| {
            format!(
                "limits: reading may stand still for 20 s, and until {grown} s after an act\n\
                 (20 s and the session timeout of {session} s)\n\
                 who is started must be ready within 45 s, and read within {grown} s of that\n\
                 silence of processes and brokers counts only from {grown} s after an act on"
            )
        };
        assert_eq!(limits(event), expected("65", "45"));
        let short = event.replace("processes = 2", "processes = 2\nsession_timeout = '6s'");
        assert_eq!(limits(&short), expected("26", "6"));
        let loaded = short.replace("[consumer]", "[load]\nrate = 5\nduration = 9\n[consumer]");
        let drain = "\nwhat is unread when the load is over: ";
        let drained = limits(&loaded);
        let (_, rest) = drained.split_once(drain).unwrap();
        assert!(
            rest.lines()
                .next()
                .unwrap()
                .ends_with(" s, and until 26 s after an act"),
            "{drained}"
        );
    }
}
