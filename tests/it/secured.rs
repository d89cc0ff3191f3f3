//! Clusters with TLS, users and permissions.

use crate::scene::Scene;
use crate::secured_cluster::{Access, PASSWORD, secured};

#[test]
fn explore() {
    let secured = secured();
    let doctor = |what: &str, access: &Access, password: &str| {
        let scene = Scene::new().environment(Access::VARIABLE, Some(password));
        scene.scenario(&format!("question = '?'\n{}", access.tables()));
        let ended = scene.tandem(&["doctor", "scene.toml"]);
        println!("=== {what} {:?} {:?}\n{}{}", ended.code, ended.took, ended.stdout, ended.stderr);
    };
    doctor("well", &secured.user("SCRAM", "runner"), PASSWORD);
    doctor("wrong password", &secured.user("SCRAM", "runner"), "wrong");
    doctor("unknown user", &secured.user("SCRAM", "nobody"), "wrong");
    doctor("plain wrong password", &secured.user("PLAIN", "runner"), "wrong");
    doctor("plain", &secured.user("PLAIN", "runner"), PASSWORD);
    doctor("open", &secured.user("OPEN", "runner"), PASSWORD);
    let mut access = secured.user("SCRAM", "runner");
    access.bootstrap = secured.address("PLAIN");
    doctor("wrong mechanism", &access, PASSWORD);
    doctor("expired", &secured.user("EXPIRED", "runner"), PASSWORD);
    doctor("elsewhere", &secured.user("ELSEWHERE", "runner"), PASSWORD);
    doctor("mutual without", &Access { bootstrap: secured.address("MUTUAL"), client: format!("\"security.protocol\" = \"ssl\"\n\"ssl.ca.location\" = \"{}\"\n", secured.file("well.pem").display()) }, PASSWORD);
    doctor("groupless", &secured.user("SCRAM", "groupless"), PASSWORD);
    doctor("reader", &secured.user("SCRAM", "reader"), PASSWORD);
    doctor("stranger", &secured.user("SCRAM", "stranger"), PASSWORD);
    for (name, tables) in [("runner", secured.user("SCRAM", "runner")), ("stranger", secured.user("SCRAM", "stranger")), ("groupless", secured.user("SCRAM", "groupless"))] {
        let scene = Scene::new().environment(Access::VARIABLE, Some(PASSWORD));
        scene.scenario(&format!("question = '?'\nrepetitions = 1\nwarmup_blocks = 0\n[dataset]\nrecords = 2000\n[trial]\nrecords = 2000\n{}", tables.tables()));
        let ended = scene.tandem(&["run", "scene.toml", "--out", "out"]);
        println!("=== run {name} {:?} {:?}\n{}{}", ended.code, ended.took, ended.stdout, ended.stderr);
    }
}
