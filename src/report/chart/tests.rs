//! What must hold for every chart of every run.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::measure::{PartitionLag, Rebalance, RebalanceKind};
use crate::report::table::Table;
use crate::scenario::Configuration;
use crate::testing::report::Fixture;

fn every_chart() -> Vec<Chart> {
    let backlog = [Fixture::one_vs_two(), Fixture::scaling(), sixty_configurations()];
    let live = [Fixture::latency(), Fixture::catch_up(), Fixture::capacity(), unrest()];
    backlog
        .iter()
        .chain(&live)
        .flat_map(|fixture| charts(&fixture.input()))
        .collect()
}

/// The live run with rebalances in every trial, lag in a dozen partitions, and longer names.
fn unrest() -> Fixture {
    let mut fixture = Fixture::latency();
    for c in &mut fixture.scenario.configurations {
        c.case = format!("{} that read from a broker in another region", c.case);
    }
    for trial in &mut fixture.trials {
        let m = trial.measurement.as_mut().unwrap();
        let load = m.load.as_mut().unwrap();
        let shifted = |p: &PartitionLag, by: i32| PartitionLag {
            partition: p.partition + by,
            ..p.clone()
        };
        let original = load.lag.partitions.clone();
        for by in [2, 4, 6, 8, 10] {
            load.lag.partitions.extend(original.iter().map(|p| shifted(p, by)));
        }
        let rebalances = [1_100, 1_900, 2_300, 5_900].map(|ms| Rebalance {
            at_ns: load.start_ns + ms * 1_000_000,
            kind: RebalanceKind::Revoked,
            partitions: Vec::new(),
        });
        m.members[0].rebalances.extend(rebalances);
    }
    fixture
}

/// The drawings of a chart with their names.
fn drawings(chart: &Chart) -> [(String, &str); 3] {
    let name = |kind: &str| format!("{} {kind}", chart.spec.name);
    [
        (name("alone"), &chart.svg),
        (name("wide"), &chart.wide),
        (name("narrow"), &chart.narrow),
    ]
}

/// The scaling run with 64 configurations in one family.
fn sixty_configurations() -> Fixture {
    let mut fixture = Fixture::scaling();
    let first = fixture.scenario.configurations.len();
    for copy in 1..4 {
        for i in 0..first {
            let renamed = format!("copy {copy} of {}", fixture.scenario.configurations[i].name);
            let case = format!("copy {copy}");
            let original: &Configuration = &fixture.scenario.configurations[i];
            let c = Configuration {
                name: renamed.clone(),
                case,
                ..original.clone()
            };
            fixture.scenario.configurations.push(c);
            fixture.scenario.families[0].configurations.push(copy * first + i);
            let mut summary = fixture.summary.configurations[i].clone();
            summary.name = renamed;
            summary.configuration = copy * first + i;
            fixture.summary.configurations.push(summary);
            let mut trial = fixture
                .trials
                .iter()
                .find(|t| t.order.configuration == i && t.is_used())
                .unwrap()
                .clone();
            trial.order.configuration = copy * first + i;
            fixture.trials.push(trial);
        }
    }
    fixture
}

/// Whether tags are closed in order, attributes quoted, and text escaped.
fn check_xml(xml: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        check_text(&rest[..start])?;
        let end = rest[start..].find('>').ok_or("a tag without end")? + start;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if tag.matches('"').count() % 2 == 1 || tag.contains('<') {
            return Err(format!("attributes of <{tag}>"));
        }
        let name = tag.trim_matches('/').split_whitespace().next().unwrap_or_default();
        if let Some(closed) = tag.strip_prefix('/') {
            if open.pop() != Some(closed) {
                return Err(format!("</{closed}> closes something else"));
            }
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    check_text(rest)?;
    if open.is_empty() {
        Ok(())
    } else {
        Err(format!("never closed: {open:?}"))
    }
}

fn check_text(text: &str) -> Result<(), String> {
    for (at, _) in text.match_indices('&') {
        let entity = &text[at..];
        if !["&lt;", "&gt;", "&amp;", "&quot;", "&apos;", "&#39;"]
            .iter()
            .any(|known| entity.starts_with(known))
        {
            return Err(format!("not escaped: {entity}"));
        }
    }
    let control = |c: char| c.is_control() && c != '\n';
    if text.contains(control) {
        Err(format!("control character in {text:?}"))
    } else {
        Ok(())
    }
}

fn attribute(tag: &str, name: &str) -> Option<f64> {
    tag.split_once(&format!(" {name}=\""))?
        .1
        .split('"')
        .next()?
        .parse()
        .ok()
}

/// Lines of text with their left and right ends, from the widths that the layout computes with.
fn texts(svg: &str) -> Vec<(String, f64, f64, f64)> {
    svg.match_indices("<text ")
        .map(|(start, _)| {
            let (tag, rest) = svg[start..].split_once('>').unwrap();
            // Names of events are written relative to their groups.
            let group = svg[..start].rsplit("<g ").next().unwrap().split('>').next().unwrap();
            let moved = group.split_once("translate(").filter(|_| group.contains("\"event\""));
            let moved: f64 = moved.map_or(0.0, |(_, place)| place.split(' ').next().unwrap().parse().unwrap());
            let text = rest.split("</text>").next().unwrap().trim().to_owned();
            let unescaped = quick_xml::escape::unescape(&text).unwrap();
            let (x, y) = (attribute(tag, "x").unwrap() + moved, attribute(tag, "y").unwrap());
            let width = canvas::text_width(&unescaped, attribute(tag, "font-size").unwrap_or(canvas::SMALL));
            let left = if tag.contains("\"middle\"") {
                x - width / 2.0
            } else if tag.contains("text-anchor=\"end\"") {
                x - width
            } else {
                x
            };
            (text, left, left + width, y)
        })
        .collect()
}

#[test]
fn every_drawing_is_well_formed_xml() {
    for chart in every_chart() {
        for (name, svg) in drawings(&chart) {
            assert_eq!(check_xml(svg), Ok(()), "{name}");
        }
    }
}

#[test]
fn the_check_of_xml_finds_what_it_is_for() {
    assert!(check_xml("<a><b></a></b>").is_err());
    assert!(check_xml("<a>&</a>").is_err());
    assert!(check_xml("<a b=\"c></a>").is_err());
    assert!(check_xml("<a>").is_err());
    assert_eq!(check_xml("<a b=\"c\">&lt;<d/></a>"), Ok(()));
}

#[test]
fn no_text_leaves_its_drawing() {
    for chart in every_chart() {
        for (name, svg) in drawings(&chart) {
            let view_box = svg.split_once("viewBox=\"").unwrap().1.split('"').next().unwrap();
            let ends: Vec<f64> = view_box.split(' ').map(|end| end.parse().unwrap()).collect();
            let (width, height) = (ends[2], ends[3]);
            for (text, left, right, y) in texts(svg) {
                assert!(
                    left >= 0.0 && right <= width,
                    "{name}: {text:?} from {left} to {right} of {width}"
                );
                assert!(y > 0.0 && y < height, "{name}: {text:?} at {y} of {height}");
            }
        }
    }
}

#[test]
fn a_drawing_asks_for_nothing_from_outside() {
    for chart in every_chart() {
        for (name, svg) in drawings(&chart) {
            let without_namespace = svg.replace("http://www.w3.org/2000/svg", "");
            assert!(!without_namespace.contains("http"), "{name}");
            assert!(
                !svg.contains("<script") && !svg.contains("<image") && !svg.contains("@import"),
                "{name}"
            );
        }
    }
}

#[test]
fn every_colour_of_a_drawing_turns_dark_with_its_class() {
    for chart in every_chart() {
        for tag in chart.wide.split('<').filter(|tag| tag.contains("=\"#")) {
            assert!(tag.contains("class=\""), "{}: {tag}", chart.spec.name);
        }
    }
}

#[test]
fn every_chart_has_a_table_and_a_description() {
    for chart in every_chart() {
        let Table { heads, rows, .. } = &chart.table;
        assert!(
            !rows.is_empty() && rows.iter().all(|row| row.len() == heads.len()),
            "{}",
            chart.spec.name
        );
        assert!(chart.spec.description.len() > 80, "{}", chart.spec.name);
    }
}

#[test]
fn sixty_configurations_are_all_in_the_throughput_and_progress_says_what_it_leaves_out() {
    let charts = charts(&sixty_configurations().input());
    let chart = |name: &str| charts.iter().find(|c| c.spec.name == name).unwrap();
    assert_eq!(chart("throughput").table.rows.len(), 64);
    assert!(
        chart("progress")
            .spec
            .description
            .contains("24 of 64 configurations are drawn")
    );
}

#[test]
fn a_run_without_trials_has_no_charts_and_no_panic() {
    let mut fixture = Fixture::one_vs_two();
    fixture.trials.clear();
    fixture.summary.configurations.clear();
    fixture.summary.comparisons.clear();
    fixture.summary.scaling.clear();
    fixture.summary.effects = None;
    assert_eq!(charts(&fixture.input()), Vec::new());
}

#[test]
fn a_live_run_has_the_charts_of_its_latency_and_none_of_read_times() {
    let names = |fixture: &Fixture| -> Vec<String> {
        let charts = charts(&fixture.input());
        charts.iter().map(|c| c.spec.name.to_owned()).collect()
    };
    let live = [
        "latency-by-rate",
        "latency-percentiles",
        "latency-over-time",
        "lag-over-time",
        "cpu",
    ];
    assert_eq!(names(&Fixture::latency()), live);
    let mut capacity = vec!["capacity"];
    capacity.extend(live);
    assert_eq!(names(&Fixture::capacity()), capacity);
    let backlog = names(&Fixture::one_vs_two());
    assert!(
        backlog.iter().all(|name| !live[..4].contains(&name.as_str())),
        "{backlog:?}"
    );
    assert!(names(&Fixture::catch_up()).contains(&"throughput".to_owned()));
}

#[test]
fn the_producers_of_the_load_are_a_piece_of_the_cpu_only_where_they_are_known() {
    let columns = |fixture: &Fixture| {
        let charts = charts(&fixture.input());
        let cpu = charts.iter().find(|c| c.spec.name == "cpu").unwrap();
        let headers: Vec<String> = cpu.table.headers().into_iter().map(str::to_owned).collect();
        (headers, cpu.spec.description.contains("producers of the load"))
    };
    let mut fixture = Fixture::latency();
    let (headers, described) = columns(&fixture);
    let known = headers.contains(&"producers".to_owned());
    assert_eq!(known, described);
    for trial in &mut fixture.trials {
        let m = trial.measurement.as_mut().unwrap();
        let usage = m.processes[0].window.clone();
        m.load.as_mut().unwrap().producers[0].window = usage;
    }
    let (headers, described) = columns(&fixture);
    assert!(headers.contains(&"producers".to_owned()) && described);
    let (headers, described) = columns(&Fixture::one_vs_two());
    assert!(!headers.contains(&"producers".to_owned()) && !described);
}

#[test]
fn names_of_events_do_not_meet_in_a_drawing() {
    for chart in charts(&unrest().input()) {
        for (name, svg) in drawings(&chart) {
            let events = ["warm-up ends", "load ends", "rebalance", "caught up"];
            let mut flags: Vec<_> = texts(svg)
                .into_iter()
                .filter(|t| events.contains(&t.0.as_str()))
                .collect();
            flags.sort_by(|a, b| a.3.total_cmp(&b.3).then(a.1.total_cmp(&b.1)));
            for pair in flags.windows(2) {
                let (one, other) = (&pair[0], &pair[1]);
                assert!(one.3 < other.3 || one.2 < other.1, "{name}: {one:?} {other:?}");
            }
        }
    }
}

/// The run of `one-vs-two` with the configurations of one case only, one for each family.
fn one_case() -> Fixture {
    let mut fixture = Fixture::one_vs_two();
    let name = fixture.scenario.configurations[0].case.clone();
    fixture.scenario = fixture.scenario.only(&[name]).unwrap();
    let kept = fixture.scenario.configurations.len();
    fixture.trials.retain(|t| t.order.configuration < kept);
    fixture.summary.configurations.truncate(kept);
    fixture.summary.comparisons.clear();
    fixture
}

#[test]
fn families_with_one_configuration_each_share_an_axis() {
    let titles = |fixture: &Fixture, name: &str| -> Vec<String> {
        let all = charts(&fixture.input());
        let chart = all.iter().find(|c| c.spec.name == name).unwrap();
        texts(&chart.wide).into_iter().map(|text| text.0).collect()
    };
    let fixture = one_case();
    assert!(fixture.scenario.families.len() > 1);
    for chart in ["throughput", "cpu", "phases"] {
        let axes = |titles: &[String]| titles.iter().filter(|text| *text == "0").count();
        assert_eq!(axes(&titles(&fixture, chart)), 1, "{chart}");
        assert_eq!(axes(&titles(&Fixture::one_vs_two(), chart)), 3, "{chart}");
    }
    let throughput = titles(&fixture, "throughput").join(" ");
    for family in &fixture.scenario.families {
        assert_eq!(throughput.matches(&family.name).count(), 1, "{throughput}");
    }
}
