//! Where the processes of each configuration run, as `tandem plan` prints it.

use std::fmt::Write as _;

use crate::scenario::{Configuration, Scenario};

/// A line for each configuration whose processes are spread over several places.
pub(super) fn describe_places(scenario: &Scenario) -> String {
    let mut text = String::new();
    for configuration in &scenario.configurations {
        if let Some(places) = places(scenario, configuration) {
            let _ = writeln!(text, "{}: {places}", configuration.name);
        }
    }
    if !text.is_empty() {
        text.insert(0, '\n');
    }
    text
}

/// `2 processes of each group at here, 1 at there`; `None` where all are at one place.
fn places(scenario: &Scenario, configuration: &Configuration) -> Option<String> {
    let distinct = configuration.distinct_places();
    if distinct.len() < 2 {
        return None;
    }
    let processes_at = |place: &usize| {
        let processes = 0..configuration.processes;
        let there = processes.filter(|process| configuration.place_of(*process) == *place);
        (there.count(), scenario.places[*place].name.as_str())
    };
    let mut places = distinct.iter().map(processes_at);
    let (first, name) = places.next()?;
    let processes = if first == 1 { "process" } else { "processes" };
    let mut text = format!("{first} {processes} of each group at {name}");
    for (number, name) in places {
        let _ = write!(text, ", {number} at {name}");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::scenario;

    #[test]
    fn only_processes_at_several_places_are_listed() {
        let scenario = scenario(
            "[[place]]\nname = 'p'\ncpus = '0'\n[consumer]\nprocesses = 3\n[matrix]\nplace = ['p', ['here', 'p']]",
        );
        let expected = "\nplace=here+p: 2 processes of each group at here, 1 at p\n";
        assert_eq!(describe_places(&scenario), expected);
    }
}
