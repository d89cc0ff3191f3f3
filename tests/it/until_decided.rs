//! Runs that go on until their comparisons are decided, on a real broker.

use std::fs;

use tandem::measure::TrialKind;
use tandem::plan::Ending;
use tandem::summary::{Method, Metric, Summary, Verdict};

use crate::scenario::Scenario;
use crate::scene::{Scene, read_once, undisturbed};

/// Two consumers wait in parallel, one waits twice as long: no machine is too slow to show that.
fn scenario() -> Scenario {
    let trials = Scenario::reading(4_000).trial_records(400).warmup_blocks(1);
    let waiting = trials
        .consumer("work = 'wait 1ms'")
        .tables("[matrix]\nconsumers = [1, 2]");
    waiting.repetitions("{ until = 'decided', at_most = 12 }")
}

#[test]
fn a_clear_difference_ends_a_run_before_its_last_block() {
    undisturbed(|_| {
        let scene = Scene::on_shared_cluster();
        let ended = scene.scenario(scenario()).run(&[]).exits(0);
        ended.prints("of at most 12 blocks").says("more block");

        let trials = scene.trials();
        trials.iter().for_each(read_once);
        let counted = trials.iter().filter(|trial| trial.order.kind == TrialKind::Counted);
        let blocks = counted.count() / 2;
        assert!((6..12).contains(&blocks), "{blocks} blocks");

        let summary = fs::read_to_string(scene.out().join("summary.json")).unwrap();
        let summary: Summary = serde_json::from_str(&summary).unwrap();
        assert_eq!(summary.ending, Some(Ending::Held));
        let comparison = |metric| summary.comparisons.iter().find(|c| c.metric == metric).unwrap();
        let found = comparison(Metric::READ_TIME);
        assert_eq!(found.verdict, Verdict::Faster);
        assert_eq!(found.blocks as usize, blocks);
        let (low, high) = found.ratio().unwrap().interval.unwrap();
        // Twice as fast, on a machine that other tests use too.
        assert!(low > 1.0 && (low..high).contains(&1.9), "{low} to {high}");
        let method = Method::Sequential {
            first_look: 6,
            at_most: 12,
        };
        assert_eq!((found.method, comparison(Metric::STOPWATCH).method), (method, method));

        // Nothing is left to do, and nothing is done again.
        scene.resume().exits(0);
        assert_eq!(scene.trials().len(), trials.len());
    });
}
