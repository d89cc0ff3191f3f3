//! The start of trials adds no wait of its own, and members leave at the end.

use crate::scene::{HELD_FETCHES, Scene, assert_no_held_fetch, read_once};

#[test]
fn a_trial_waits_for_no_empty_partition_and_its_members_leave() {
    let scene = Scene::on_shared_cluster();
    scene.scenario(format!(
        "question = 'Is there a wait?'\nrepetitions = 2\nwarmup_blocks = 0\n[dataset]\npartitions = 3\nrecords = 600\n\
         keys = {{ zipf = 1.0, count = 1 }}\n[matrix]\nprotocol = ['classic', 'consumer']\n{HELD_FETCHES}"
    ));
    let ended = scene.run(&[]).exits(0);
    let trials = scene.trials();
    trials.iter().for_each(read_once);
    assert_no_held_fetch(&ended, &trials);
}
