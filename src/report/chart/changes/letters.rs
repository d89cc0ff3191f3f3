//! The chart of planned changes in letters for a terminal.

use super::chosen::{Chosen, PAUSE_MIN_S, Place, all_chosen, drawn, events, lane_name, readings};
use crate::report::chart::words::full_title;
use crate::report::format::duration;
use crate::report::input::ReportInput;
use crate::report::labels::Labels;

/// Of each configuration its drawing, `width` columns for the time: a line for each partition, in which a member is the
/// number of its process, and below it the acts.
pub(in crate::report) fn in_letters(input: &ReportInput, labels: &Labels, width: usize) -> Vec<(String, Vec<String>)> {
    let drawing = |c: &Chosen| (full_title(input, labels, c.index), letters(c, width));
    all_chosen(input).iter().map(drawing).collect()
}

fn letters(c: &Chosen, width: usize) -> Vec<String> {
    let end = c.m.since_start_s(c.m.end_ns).max(1e-9);
    let column = |seconds: f64| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a column")]
        let column = (seconds / end * width as f64) as usize;
        column.min(width - 1)
    };
    let readings = readings(c.m, (end / width as f64).max(PAUSE_MIN_S));
    let places: Vec<Place> = readings.keys().copied().collect();
    let mut lines = Vec::new();
    for place in drawn(c.m, places.clone()) {
        let mut line = vec![' '; width];
        for (from, to, member) in &readings[&place] {
            let process = c.m.members[*member].process + 1;
            let letter = char::from_digit(process % 36, 36).unwrap_or('?');
            line[column(*from)..=column(*to)].fill(letter);
        }
        let name = lane_name(place, &places);
        lines.push(format!("{name:>8} |{}|", line.into_iter().collect::<String>()));
    }
    let mut marks = vec![' '; width];
    let mut names = Vec::new();
    let events = events(c);
    for (number, event) in (b'a'..=b'z').chain(b'A'..=b'Z').zip(&events) {
        marks[column(event.x)] = char::from(number);
        names.push(format!(
            "{}: {} at {}",
            char::from(number),
            event.text,
            duration(event.x)
        ));
    }
    if let Some(more) = events.get(names.len()..).filter(|more| !more.is_empty()) {
        for event in more {
            marks[column(event.x)] = '+';
        }
        names.push(format!("+: {} more", more.len()));
    }
    lines.push(format!("{:>8} |{}|", "", marks.into_iter().collect::<String>()));
    lines.push(format!("{:>8} 0 to {}; {}", "", duration(end), names.join(", ")));
    lines
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::measure::PlannedAct;
    use crate::testing::report::Fixture;

    #[test]
    fn the_drawing_in_letters_shows_the_same_gap() {
        let fixture = Fixture::changes();
        let input = fixture.input();
        let drawings = in_letters(&input, &Labels::new(input.scenario), 42);
        let lines = drawings[1].1.join("\n");
        assert!(lines.contains("2222222222          1111"), "{lines}");
        assert!(lines.contains("a: process 2 is killed at 5.00 s"), "{lines}");
    }

    #[test]
    fn acts_beyond_the_letters_are_drawn_and_counted() {
        let mut fixture = Fixture::changes();
        for trial in &mut fixture.trials {
            let acts = trial.measurement.iter_mut().map(|m| &mut m.acts);
            for acts in acts {
                let kill = acts[0];
                acts.extend((0..54).map(|number| PlannedAct {
                    at_ns: kill.at_ns + (number + 1) * 100_000_000,
                    ..kill
                }));
            }
        }
        let input = fixture.input();
        let drawings = in_letters(&input, &Labels::new(input.scenario), 300);
        let marks = &drawings[0].1[4];
        assert!(
            marks.contains('a') && marks.contains('Z') && marks.contains('+'),
            "{marks}"
        );
        assert!(drawings[0].1[5].ends_with("+: 3 more"), "{:?}", drawings[0].1);
    }
}
