//! The questions of docs/questions.md: their files and commands, and the answers to runs of them that are made up.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::figures::FigureId;
use crate::measure::Trial;
use crate::scenario::{
    Configuration, FoundPartition, FoundTopic, FoundTopics, GivenFlag, Scenario, WrittenScenario, parse, setting_flags,
    shipped,
};
use crate::testing::report::loaded;
use crate::testing::{Document, run};
use crate::verdict::Verdict;

const PAGE: &str = "docs/questions.md";

/// The scenario of a section of the page: of its file, of its flags, or of the shipped one that it names.
fn asked(heading: &str) -> Scenario {
    let page = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)).unwrap();
    let section = page
        .split("\n## ")
        .find(|section| section.starts_with(heading))
        .unwrap();
    let block = |language: &str| {
        let rest = section.split_once(&format!("```{language}\n"))?.1;
        Some(rest.split("```").next().unwrap().to_owned())
    };
    if let Some(file) = block("toml") {
        return parse("mine", PAGE, &file).unwrap_or_else(|errors| panic!("{}", errors.plain()));
    }
    let command = block("sh").unwrap();
    let words = shlex(command.trim());
    assert_eq!(words[..2], ["tandem", "run"]);
    let arguments = &words[2..];
    if let [name] = arguments {
        return parse(name, name, shipped(name).unwrap()).unwrap();
    }
    let flags = setting_flags();
    let given = arguments.chunks(2).map(|pair| GivenFlag {
        flag: flags
            .iter()
            .find(|flag| pair[0] == format!("--{}", flag.name()))
            .unwrap()
            .clone(),
        value: pair[1].clone(),
    });
    let source = WrittenScenario::of(&given.collect::<Vec<_>>()).unwrap().source();
    parse(&source.name, PAGE, &source.text).unwrap_or_else(|errors| panic!("{}\n{}", errors.plain(), source.text))
}

/// Words of a command, of which some stand in double quotes.
fn shlex(command: &str) -> Vec<String> {
    let parts = command.split('"').enumerate();
    let words = parts.flat_map(|(index, part)| {
        if index % 2 == 1 {
            vec![part.to_owned()]
        } else {
            part.split_whitespace().map(str::to_owned).collect()
        }
    });
    words.collect()
}

/// A scatter of about 2 % that depends on the trial alone.
fn scatter(number: u32) -> f64 {
    (0.02 * (f64::from(number) * 2.3).sin()).exp()
}

/// A run in which each configuration reads so many records per second.
fn backlog(scenario: Scenario, per_second: impl Fn(&Configuration) -> f64) -> (Plan, Vec<Trial>) {
    let plan = Plan::new(scenario);
    let trials = run(&plan, |order| {
        let configuration = &plan.scenario.configurations[order.configuration];
        Some(order.records as f64 / per_second(configuration) * scatter(order.number))
    });
    (plan, trials)
}

/// Puts the answer into the page, where `INSTA_UPDATE=always` is set, and checks that it stands there.
fn answered(name: &str, plan: &Plan, trials: &[Trial]) -> Summary {
    let summary = summarise(plan, trials);
    let mut page = Document::read(PAGE);
    let quoted = format!("> {}\n", summary.answer.join("\n> "));
    page.passage(name, &quoted);
    page.check();
    summary
}

/// The verdict on a configuration against its baseline by the metric of the question.
fn verdict(summary: &Summary, plan: &Plan, name: &str) -> Verdict {
    let is_own = |c: &&Comparison| {
        let configuration = &plan.scenario.configurations[c.configuration];
        configuration.name == name && c.metric == Metric::of(&plan.scenario, &configuration.mode)
    };
    summary.comparisons.iter().find(is_own).unwrap().verdict
}

#[test]
fn how_many_consumers_are_enough_and_from_which_rate_on_it_takes_more() {
    let plan = Plan::new(asked("How many consumers"));
    let trials = loaded(&plan.scenario);
    let summary = answered("how many consumers", &plan, &trials);
    let answer = &summary.answer[0];
    // Six hold the load, and are nearly full; seven to eleven are no better, and only twelve hold more than 2,000/s.
    assert!(answer.starts_with("6 consumers hold 1,900 records/s"), "{answer}");
    assert!(
        answer.contains("that 6 to 11 can work") && answer.contains("more takes 12"),
        "{answer}"
    );
    let live = |name: &str| {
        let found = summary.configurations.iter().find(|c| c.name == name).unwrap();
        found.live.as_ref().unwrap().overloaded
    };
    assert_eq!(
        ["consumers=4", "consumers=6", "consumers=12"].map(live),
        [true, false, false]
    );
}

#[test]
fn at_a_higher_rate_only_a_partition_for_each_is_enough() {
    let mut scenario = asked("How many consumers");
    for configuration in &mut scenario.configurations {
        if let crate::scenario::Mode::Live(load) = &mut configuration.mode {
            load.rate = 2_100.0;
        }
    }
    let plan = Plan::new(scenario);
    let answer = summarise(&plan, &loaded(&plan.scenario)).answer;
    assert!(answer[0].starts_with("12 consumers hold 2,100 records/s"), "{answer:?}");
    assert!(answer[0].contains("6 to 11 can work"), "{answer:?}");
    // Where none of those measured holds it, the number that would is known.
    let few = plan.scenario.only(&["consumers=4", "consumers=6"]).unwrap();
    let plan = Plan::new(few);
    let answer = summarise(&plan, &loaded(&plan.scenario)).answer;
    assert!(
        answer[0].starts_with("None of those measured holds 2,100 records/s: it takes 12 consumers"),
        "{answer:?}"
    );
}

#[test]
fn a_number_of_members_of_which_one_arrangement_falls_behind_is_not_called_enough() {
    let text = "question = '?'\ndataset = { partitions = 4 }\nconsumer = { work = 'wait 3ms' }\nload = { rate = 500 }\n\
                [[case]]\nname = 'one'\n[[case]]\nname = 'two consumers'\nconsumers = 2\n\
                [[case]]\nname = 'two processes'\nprocesses = 2\n[[case]]\nname = 'four'\nconsumers = 4";
    let plan = Plan::new(parse("mine", "mine.toml", text).unwrap());
    let trials = loaded(&plan.scenario);
    let answer = |trials: &[Trial]| summarise(&plan, trials).answer;
    assert!(
        answer(&trials)[0].starts_with("2 members hold 500 records/s"),
        "{:?}",
        answer(&trials)
    );
    let behind = plan
        .scenario
        .configurations
        .iter()
        .position(|c| c.case == "one")
        .unwrap();
    let load_of = |trial: &Trial| trial.measurement.as_ref().unwrap().load.clone().unwrap();
    let example = trials
        .iter()
        .find(|trial| trial.order.configuration == behind)
        .map(load_of)
        .unwrap();
    for arrangement in ["two consumers", "two processes"] {
        let mut trials = trials.clone();
        for trial in &mut trials {
            let load = trial.measurement.as_mut().unwrap().load.as_mut().unwrap();
            if plan.scenario.configurations[trial.order.configuration].case == arrangement {
                (load.overload, load.judgement) = (example.overload, example.judgement.clone());
            }
        }
        let answer = answer(&trials);
        assert!(answer.iter().all(|text| !text.contains("members hold")), "{answer:?}");
        assert!(
            answer
                .iter()
                .any(|text| text.contains(&format!("\"{arrangement}\"")) && text.contains("fall")),
            "{answer:?}"
        );
    }
}

#[test]
fn the_fetch_settings_with_the_shortest_waiting_are_named() {
    let plan = Plan::new(asked("Which fetch settings"));
    let trials = loaded(&plan.scenario);
    let summary = answered("which fetch settings", &plan, &trials);
    for slow in ["client.fetch.min.bytes=10000", "client.fetch.min.bytes=100000"] {
        assert_eq!(verdict(&summary, &plan, slow), Verdict::Slower);
    }
    assert!(summary.answer[0].contains("fetch.min.bytes=1"), "{:?}", summary.answer);
}

#[test]
fn a_protocol_that_costs_throughput_is_named_and_an_assignor_that_costs_none() {
    let (plan, trials) = backlog(asked("Does cooperative-sticky"), |c| match &*c.name {
        "consumer protocol" => 2.7e6,
        _ => 3e6,
    });
    let summary = answered("assignors and protocols", &plan, &trials);
    assert_eq!(verdict(&summary, &plan, "cooperative-sticky"), Verdict::Same);
    assert_eq!(verdict(&summary, &plan, "consumer protocol"), Verdict::Slower);
    assert!(summary.answer[0].contains("consumer protocol"), "{:?}", summary.answer);
}

#[test]
fn the_compression_that_costs_least_cpu_is_named_though_another_is_read_faster() {
    // Seconds of CPU per million records; lz4 is read fastest, since less is fetched.
    let figures = |c: &Configuration| match &*c.axis_values[0] {
        "none" => (1.8e6, 0.30),
        "lz4" => (2.0e6, 0.36),
        "snappy" => (1.9e6, 0.38),
        "zstd" => (1.5e6, 0.55),
        _ => (0.9e6, 1.1),
    };
    let (plan, mut trials) = backlog(asked("Which compression"), |c| figures(c).0);
    for trial in &mut trials {
        let seconds = figures(&plan.scenario.configurations[trial.order.configuration]).1;
        let records = trial.order.records as f64 / 1e6;
        let cpu_s = seconds * records * scatter(trial.order.number);
        let measurement = trial.measurement.as_mut().unwrap();
        let window = measurement.processes[0].window.as_mut().unwrap();
        window.cpu_ns = std::time::Duration::from_secs_f64(cpu_s).as_nanos().try_into().unwrap();
    }
    let summary = answered("which compression", &plan, &trials);
    for other in ["lz4", "snappy", "zstd", "gzip"] {
        assert_eq!(
            verdict(&summary, &plan, &format!("compression={other}")),
            Verdict::Slower
        );
    }
    assert!(summary.answer[0].contains("compression=none"), "{:?}", summary.answer);
    let of_none = summary.configurations[0].point(FigureId::ClientCpu).unwrap();
    assert!((of_none - 0.30).abs() < 0.01, "{of_none}");
}

#[test]
fn what_larger_transactions_gain_is_a_number_for_each() {
    let (plan, trials) = backlog(asked("How many rows"), |c| {
        1e9 / (20_000.0 + 600_000.0 / f64::from(c.store_batch))
    });
    let summary = answered("rows of a transaction", &plan, &trials);
    for larger in ["store_batch=10", "store_batch=100"] {
        assert_eq!(verdict(&summary, &plan, larger), Verdict::Faster);
    }
    let answer = summary.answer.join(" ");
    assert!(
        answer.contains("7.70 times") && answer.contains("23.9 times"),
        "{answer}"
    );
}

#[test]
fn records_of_different_sizes_are_compared_by_number_and_that_is_said() {
    let scenario = |key: &str, values: &str| {
        crate::testing::scenario(&format!(
            "compare_across = ['{key}']\nrepetitions = 10\n[dataset]\nrecords = 4_000_000\n[matrix]\n{key} = {values}"
        ))
    };
    let answer = |scenario: Scenario| {
        let (plan, trials) = backlog(scenario, |c| if c.dataset == 0 { 3e6 } else { 1e6 });
        summarise(&plan, &trials).answer.join(" ")
    };
    let (sizes, keys) = (
        answer(scenario("size", "[100, 1_000]")),
        answer(scenario("keys", "['none', 'unique']")),
    );
    assert!(
        sizes.contains("compared by their number") && sizes.contains("size=1000"),
        "{sizes}"
    );
    assert!(
        !keys.contains("compared by their number") && keys.contains("keys=unique"),
        "{keys}"
    );
}

#[test]
fn how_much_faster_more_processes_read_a_topic_is_a_number_for_each() {
    let mut scenario = asked("How much faster");
    scenario.repetitions = crate::scenario::Repetitions::Fixed(10);
    let partition = |records: i64| FoundPartition {
        low: 0,
        end: records,
        records: records.unsigned_abs(),
    };
    let found = FoundTopics {
        topics: vec![FoundTopic {
            name: "orders".to_owned(),
            partitions: vec![partition(500_000); 4],
        }],
        bytes: 200_000_000,
    };
    let scenario = scenario.with_found([(0, found)]).unwrap();
    let (plan, trials) = backlog(scenario, |c| [0.0, 1e5, 1.9e5, 0.0, 3.3e5][c.processes as usize]);
    let summary = answered("my own topic", &plan, &trials);
    for more in ["processes=2", "processes=4"] {
        assert_eq!(verdict(&summary, &plan, more), Verdict::Faster);
    }
    let answer = summary.answer.join(" ");
    assert!(answer.contains("1.9") && answer.contains("3.3"), "{answer}");
}

#[test]
fn my_own_consumer_is_compared_with_the_built_in_one() {
    let (plan, trials) = backlog(asked("Is my own consumer"), |c| match &*c.name {
        "my consumer" => 0.9e6,
        _ => 3e6,
    });
    let summary = answered("my own consumer", &plan, &trials);
    assert_eq!(verdict(&summary, &plan, "my consumer"), Verdict::Slower);
    assert!(summary.answer[0].contains("my consumer"), "{:?}", summary.answer);
}
