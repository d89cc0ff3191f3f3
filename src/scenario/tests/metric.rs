//! The figure that answers the question, its threshold, and what is required of figures.

use super::{said, scenario};
use crate::figures::{FIGURES, FigureId, RESPONSE_P99};
use crate::scenario::{Bound, ChosenMetric, Requirement, Scenario};

const TWO: &str = "[matrix]\nconsumers = [1, 2]";

fn chosen(top: &str) -> Option<ChosenMetric> {
    scenario(&format!("{top}\n{TWO}")).metric
}

#[test]
fn a_figure_is_named_by_its_column_and_has_its_threshold() {
    assert_eq!(chosen("threshold = 0.1"), None);
    let cpu = ChosenMetric {
        figure: FigureId::ClientCpu,
        difference: None,
    };
    assert_eq!(chosen("metric = 'client_cpu_seconds_per_million'"), Some(cpu));
    let difference = |figure, difference| {
        let difference = Some(difference);
        Some(ChosenMetric { figure, difference })
    };
    assert_eq!(
        chosen("metric = 'redelivered'\nthreshold = '100 records'"),
        difference(FigureId::Redelivered, 100.0)
    );
    assert_eq!(
        chosen("metric = 'first_record_ms'\nthreshold = '0.5s'"),
        difference(FigureId::FirstRecordMs, 500.0)
    );
    assert_eq!(
        chosen("metric = 'join_seconds'\nthreshold = '50ms'"),
        difference(FigureId::JoinSeconds, 0.05)
    );
    // Ratios keep a threshold of their own.
    let scenario = scenario(&format!("metric = 'redelivered'\nthreshold = '100 records'\n{TWO}"));
    assert!((scenario.threshold - 0.03).abs() < 1e-12);
}

#[test]
fn a_scenario_stored_with_its_metric_is_read_as_it_was() {
    let text =
        format!("metric = 'redelivered'\nthreshold = '100 records'\n[[require]]\nfigure = 'lost'\nbelow = 1\n{TWO}");
    let stored = scenario(&text);
    let json = serde_json::to_string(&stored).unwrap();
    assert!(
        json.contains(r#""metric":{"figure":"redelivered","difference":100.0}"#),
        "{json}"
    );
    assert_eq!(serde_json::from_str::<Scenario>(&json).unwrap(), stored);
}

#[test]
fn what_is_required_is_a_bound_of_a_figure() {
    let text = "[[require]]\nfigure = 'response_p99_ms'\nbelow = 50\n\
                [[require]]\nfigure = 'records_per_second'\nabove = 1.5\nof = 'two'\nstrict = true\n\
                [load]\nrate = 100\n[[case]]\nname = 'one'\n[[case]]\nname = 'two'\nconsumers = 2";
    let scenario = scenario(text);
    let p99 = Requirement {
        figure: RESPONSE_P99,
        bound: Bound::Below(50.0),
        of: None,
        strict: false,
    };
    let rate = Requirement {
        figure: FigureId::RecordsPerSecond,
        bound: Bound::Above(1.5),
        of: Some("two".to_owned()),
        strict: true,
    };
    assert_eq!(scenario.requirements, [p99.clone(), rate.clone()]);
    assert_eq!(p99.configurations(&scenario.configurations), [0, 1]);
    assert_eq!(rate.configurations(&scenario.configurations), [1]);
}

#[test]
fn metrics_that_cannot_be_are_errors() {
    let live = "[load]\nrate = 100";
    let files = [
        format!("metric = 'client_cpu_seconds_per_milion'\n{TWO}"),
        format!("metric = 'cpu'\n{TWO}"),
        format!("metric = 5\n{TWO}"),
        format!("metric = 'lost'\n{TWO}"),
        format!("metric = 'response_p99_ms'\n{TWO}"),
        format!("metric = 'catch_up_seconds'\n{live}\n{TWO}"),
        format!("metric = 'stopwatch_seconds'\n{live}\n{TWO}"),
        format!("metric = 'work_us_mean'\n{TWO}"),
        format!("metric = 'redelivered'\n{TWO}"),
        format!("metric = 'redelivered'\nthreshold = 0.05\n{TWO}"),
        format!("metric = 'redelivered'\nthreshold = '50ms'\n{TWO}"),
        format!("metric = 'client_cpu_seconds_per_million'\nthreshold = '50ms'\n{TWO}"),
        format!("threshold = '50ms'\n{TWO}"),
        format!("threshold = '50 horses'\n{TWO}"),
        format!("metric = 'redelivered'\nthreshold = '5 records'\nrepetitions = {{ until = '1%' }}\n{TWO}"),
        format!("metric = 'response_p99_ms'\n{live}\n[capacity]\np99_ms = 50\n{TWO}"),
    ];
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    insta::assert_snapshot!(said(&files));
}

#[test]
fn requirements_that_cannot_be_are_errors() {
    let required =
        |text: &str| format!("[[require]]\n{text}\n[[case]]\nname = 'one'\n[[case]]\nname = 'two'\nconsumers = 2");
    let files = [
        required("below = 5"),
        required("figure = 'read_second'\nbelow = 5"),
        required("figure = 'read_seconds'"),
        required("figure = 'read_seconds'\nbelow = 5\nabove = 1"),
        required("figure = 'read_seconds'\nbelow = '5s'"),
        required("figure = 'read_seconds'\nbelow = 5\nof = 'twoo'"),
        required("figure = 'read_seconds'\nbelow = 5\nstrict = 'true'"),
        required("figure = 'response_p99_ms'\nbelow = 5"),
        required("figure = 'read_seconds'\nbelo = 5"),
        required("figure = 'lag_growth_per_second'\nbelow = 5"),
        required("figure = 'offered_per_second'\nabove = 5"),
        "[require]\nfigure = 'read_seconds'\nbelow = 5".to_owned(),
    ];
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    insta::assert_snapshot!(said(&files));
}

#[test]
fn every_figure_that_is_compared_can_be_named_with_a_threshold_of_its_unit() {
    use crate::figures::{By, Had};
    for figure in FIGURES.iter() {
        let Ok(comparing) = &figure.comparing else { continue };
        let rest = match comparing.had {
            Had::Always | Had::Backlog => TWO.to_owned(),
            Had::Acts => format!("[[event]]\nat = '1s'\ndo = 'pause'\nfor = '1s'\nwhat = 'process 1'\n{TWO}"),
            Had::Load => format!("[load]\nrate = 100\n{TWO}"),
            Had::Mixed => format!("[load]\nrate = 100\nmode = 'mixed'\n{TWO}"),
            Had::Work => format!("[consumer]\nwork = 'wait 1ms'\n{TWO}"),
        };
        let threshold = match comparing.by {
            By::Ratio => "0.05".to_owned(),
            By::Difference => crate::scenario::kinds::Amount::example(figure.unit),
        };
        let text = format!("metric = '{}'\nthreshold = {threshold}\n{rest}", figure.name);
        let found = scenario(&text).metric.unwrap();
        assert_eq!(
            (found.figure, found.difference.is_some()),
            (figure.id, comparing.by == By::Difference)
        );
    }
}

#[test]
fn a_run_by_differences_cannot_be_made_to_go_on_until_a_width() {
    let by = |metric: &str| scenario(&format!("{metric}\n{TWO}")).until("5%".parse().unwrap());
    assert!(by("metric = 'client_cpu_seconds_per_million'").is_ok());
    let refused = by("metric = 'redelivered'\nthreshold = '100 records'").unwrap_err();
    assert!(refused.to_string().contains("of which there is no share"), "{refused}");
}
