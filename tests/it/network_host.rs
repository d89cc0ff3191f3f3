//! A second host as far as one machine can be one: with a network, a clock and a boot of its own, reached by ssh.

use std::process::Command;

use crate::scenario::Scenario;
use crate::scene::{Scene, read_once};
use crate::ssh::{AHEAD_NS, place};
use crate::ssh_server::{HOST, OTHER_BOOT, Server};

/// A network namespace that is connected with this one.
struct Network {
    name: String,
    here: String,
    there: String,
}

impl Network {
    /// Makes it; `None`, with the reason printed, where that is not possible. Continuous integration can.
    fn make() -> Option<Self> {
        let id = std::process::id();
        // Addresses for measurements within a network, which nobody routes: a network of four for each process.
        let (third, fourth) = (id / 64 % 256, id % 64 * 4);
        let network = Network {
            name: format!("tandem-{id}"),
            here: format!("198.18.{third}.{}", fourth + 1),
            there: format!("198.18.{third}.{}", fourth + 2),
        };
        let Network { name, here, there } = &network;
        let (outer, inner) = (format!("to{id}"), format!("ti{id}"));
        let lines = [
            format!("netns add {name}"),
            format!("link add {outer} type veth peer name {inner} netns {name}"),
            format!("addr add {here}/30 dev {outer}"),
            format!("link set {outer} up"),
            format!("-n {name} addr add {there}/30 dev {inner}"),
            format!("-n {name} link set {inner} up"),
            format!("-n {name} link set lo up"),
        ];
        for line in lines {
            let made = Command::new("ip").args(line.split(' ')).output();
            let failed = match made {
                Ok(made) if made.status.success() => continue,
                Ok(made) => String::from_utf8_lossy(&made.stderr).into_owned(),
                Err(error) => error.to_string(),
            };
            assert!(std::env::var_os("CI").is_none(), "ip {line}: {failed}");
            eprintln!("skipped: network namespaces need root and iproute2: ip {line}: {failed}");
            return None;
        }
        Some(network)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Its end of the connection goes with it, and with that the other.
        let _ = Command::new("ip").args(["netns", "delete", &self.name]).status();
    }
}

#[test]
fn a_second_host_reads_from_brokers_of_this_one_by_the_address_of_the_cluster() {
    let Some(network) = Network::make() else { return };
    let unshare = ["unshare", "--mount", "--time", "--monotonic", "100", "--fork"];
    let wrapper: [&[&str]; 3] = [
        &["ip", "netns", "exec", &network.name],
        &unshare[..],
        &["sh", "-c", OTHER_BOOT, "sh"],
    ];
    let Some(server) = Server::start_at(&network.there, &wrapper.concat(), "") else {
        return;
    };
    let scene = server.known_to(Scene::new());
    let trials = Scenario::reading(20_000).consumer("processes = 2").tables(&place(HOST));
    let trials = trials.case("here", "").case("there", "place = 'there'");
    scene.scenario(&trials);
    scene
        .run(&[])
        .refuses(&["place there, as in", "is another machine", "add address = "]);
    let cluster = format!("[cluster]\naddress = '{}'\n[dataset]", network.here);
    scene.scenario(trials.to_string().replace("[dataset]", &cluster));
    scene.run(&[]).exits(0);
    scene.assert_no_processes();
    assert!(server.workers().is_empty());
    let trials = scene.trials();
    trials.iter().for_each(read_once);
    let there = trials.iter().find(|trial| trial.configuration_name == "there").unwrap();
    let measured = there.measurement.as_ref().unwrap();
    assert_eq!((measured.clocks.0.len(), measured.other_hosts.len()), (1, 1));
    let clock = &measured.clocks.0[0];
    let wrong_ns = clock.offset_ns.abs_diff(-AHEAD_NS);
    eprintln!("wrong by {wrong_ns} ns, bound {} ns", clock.bound_ns);
    assert!(wrong_ns <= clock.bound_ns, "{clock:?}");
    let report = std::fs::read_to_string(scene.out().join("report.md")).unwrap();
    assert!(report.contains("| far | there |"), "{report}");
}
