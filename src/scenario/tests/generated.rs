//! What must hold for all inputs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::subsequence;

use crate::scenario::{Mode, parse};

/// A matrix key with some of its values.
fn axis(
    key: &'static str,
    values: &'static [&'static str],
) -> impl Strategy<Value = (&'static str, Vec<&'static str>)> {
    subsequence(values, 0..=values.len()).prop_map(move |values| (key, values))
}

prop_compose! {
    fn matrix()(axes in (
        axis("processes", &["1", "3"]),
        axis("consumers", &["1", "4"]),
        axis("partitions", &["1", "2", "6"]),
        axis("size", &["30", "{ min = 24, max = 90 }", "{ median = 5, sigma = 0.5, max = 100 }"]),
        axis("work", &["'none'", "'cpu 5us'", "'wait 2ms'"]),
        axis("commit", &["'every 10'"]),
        axis("read", &["'batch'", "'stream'"]),
        axis("threads", &["1", "4"]),
        axis("compression_ratio", &["2.5"]),
        axis("ordering", &["'partition'", "'none'"]),
        axis("mode", &["'backlog'", "'live'", "'mixed'"]),
    ), order in Just([0_usize, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]).prop_shuffle())
    -> Vec<(&'static str, Vec<&'static str>)> {
        let (a, b, c, d, e, f, g, h, i, j, k) = axes;
        let all = [a, b, c, d, e, f, g, h, i, j, k];
        order.iter().map(|index| all[*index].clone()).filter(|(_, values)| !values.is_empty()).collect()
    }
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused_without_a_panic(text in any::<String>()) {
        let _ = parse("any", "any.toml", &text).map_err(|errors| format!("{}{errors:?}", errors.plain()));
    }

    #[test]
    fn text_of_the_files_own_words_is_parsed_or_refused_without_a_panic(
        words in prop::collection::vec(prop::sample::select(WORDS), 0..40)
    ) {
        let text = words.concat();
        if let Err(errors) = parse("any", "any.toml", &text) {
            prop_assert!(!errors.errors().is_empty());
            for error in errors.errors() {
                prop_assert!(error.span.offset() + error.span.len() <= text.len());
            }
            let rendered = format!("{:?}", miette::Report::new(errors));
            prop_assert!(!rendered.is_empty());
        }
    }

    #[test]
    fn valid_values_make_every_combination_once(matrix in matrix(), cases in 0_usize..4, brokers in 1_u32..4) {
        let arriving = matrix.iter().any(|(key, values)| *key == "mode" && *values != ["'backlog'"]);
        let load = if arriving { "[load]\nrate = 1000\n" } else { "" };
        let mut text =
            format!("question = '?'\n[cluster]\nbrokers = {brokers}\n{load}[dataset]\nrecords = 1000\n[matrix]\n");
        for (key, values) in &matrix {
            writeln!(text, "{key} = [{}]", values.join(", ")).unwrap();
        }
        for case in 0..cases {
            writeln!(text, "[[case]]\nname = 'case {case}'\ngroups = {}", case + 1).unwrap();
        }
        let scenario = parse("made", "made.toml", &text).map_err(|errors| TestCaseError::fail(errors.plain()))?;
        let expected: usize = matrix.iter().map(|(_, values)| values.len()).product::<usize>() * cases.max(1);
        prop_assert_eq!(scenario.configurations.len(), expected);
        let names: BTreeSet<&str> = scenario.configurations.iter().map(|each| each.name.as_str()).collect();
        prop_assert_eq!(names.len(), expected);
        let placed: usize = scenario.families.iter().map(|family| family.configurations.len()).sum();
        prop_assert_eq!(placed, expected);
        for (index, each) in scenario.configurations.iter().enumerate() {
            prop_assert!(scenario.families[each.family].configurations.contains(&index));
            let dataset = &scenario.datasets[each.dataset];
            let family = &scenario.families[each.family];
            let partitions = u64::from(dataset.topics * dataset.partitions);
            prop_assert_eq!(dataset.records % partitions, 0);
            let live = matches!(each.mode, Mode::Live(_));
            prop_assert!(live || family.record_multiple % partitions == 0);
            prop_assert!(family.records_max <= dataset.records && (family.records_max == 0) == live);
            prop_assert_eq!(scenario.configurations[family.configurations[0]].mode.name(), each.mode.name());
            if let Some(baseline) = each.baseline {
                prop_assert_eq!(scenario.configurations[baseline].family, each.family);
                prop_assert_eq!(scenario.configurations[baseline].baseline, None);
            }
        }
        if expected < 100 {
            let names: Vec<&str> = names.into_iter().collect();
            prop_assert_eq!(&scenario.only(&names).unwrap(), &scenario);
        }
        let only = scenario.only(&[scenario.configurations.last().unwrap().name.as_str()]).unwrap();
        prop_assert!(only.configurations.len() <= 2);
        let stored = serde_json::to_string(&scenario).unwrap();
        prop_assert_eq!(serde_json::from_str::<crate::scenario::Scenario>(&stored).unwrap(), scenario);
    }
}

/// Pieces from which almost-scenarios are made.
const WORDS: &[&str] = &[
    "question = \"?\"\n",
    "[dataset]\n",
    "[consumer]\n",
    "[matrix]\n",
    "[[case]]\n",
    "[case.client]\n",
    "[matrix.client]\n",
    "[cluster]\n",
    "[[place]]\n",
    "[trial]\n",
    "[load]\n",
    "[load.client]\n",
    "[capacity]\n",
    "rate = ",
    "mode = ",
    "'mixed'\n",
    "profile = ",
    "{ steps = [1, 2] }\n",
    "duration = ",
    "p99_ms = ",
    "\"producer.linger.ms\" = ",
    "producer.linger.ms = ",
    "name = \"ä\"\n",
    "partitions = ",
    "weights = ",
    "size = ",
    "keys = ",
    "work = ",
    "client = ",
    "fetch.min.bytes = ",
    "\"sasl.password\" = ",
    "seconds = ",
    "records = ",
    "launcher = ",
    "[1, 2]\n",
    "[0.5, 0.5]\n",
    "\"none\"\n",
    "'wait 5us'\n",
    "-1\n",
    "99999999999999999999999\n",
    "0x_f\n",
    "nan\n",
    "inf\n",
    "true\n",
    "1979-05-27\n",
    "{ env = \"A\" }\n",
    "{ min = 1, max = 0 }\n",
    "\"\"\"\n",
    "[",
    "]\n",
    "=",
    "\u{feff}",
    "\r\n",
];
