//! Clocks that jump by hours. `libfaketime` stands between the nodes and the system's clock.

use super::harness::{Cluster, Layout};
use super::reference::Plot;
use super::waiting::{DEADLINE, await_some, holds};
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use wallaby::wallaby_core::journal::Entry;
use wallaby_actors::cluster::api_types::{NodeInfo, NodeState, StudyPhase};

const HOUR: Duration = Duration::from_secs(3600);

/// Where the library may be.
const LIBRARIES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
];

/// The library, or a word that the test is skipped, past the test runner.
fn library() -> Option<&'static str> {
    let found = LIBRARIES.into_iter().find(|path| Path::new(path).exists());
    if found.is_none() {
        let words = b"SKIPPED: clocks that jump, as libfaketime is not installed (faketime)\n";
        std::io::stderr().write_all(words).unwrap();
    }
    found
}

#[test]
fn clocks_that_jump_by_hours_on_the_leader_and_on_a_trainer_change_nothing() {
    let Some(library) = library() else { return };
    let mut cluster = Layout::voters(3, "delay:150").set_up();
    let names: Vec<String> = cluster.nodes().iter().map(|node| node.name.clone()).collect();
    for name in &names {
        let clock = cluster.sandbox.path(format!("{name}/clock"));
        cluster.sandbox.write(&format!("{name}/clock"), "+0");
        let variables = &mut cluster.node_mut(name).variables;
        let mut set = |name: &str, value: &str| variables.insert(name.to_owned(), value.to_owned());
        set("LD_PRELOAD", library);
        set("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap());
        set("FAKETIME_NO_CACHE", "1");
        // The monotonic clock does not jump: that is what makes it one.
        set("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
    cluster.start_all();
    let plot = Plot { epochs: 4, ..Plot::default() };
    cluster.submit(&plot, &[]);
    let before = cluster.await_units(plot.name, 10).units_done;
    let (leader, follower) = (cluster.leader(), cluster.followers().remove(0));
    cluster.sandbox.write(&format!("{leader}/clock"), "+5h");
    cluster.sandbox.write(&format!("{follower}/clock"), "-7h");
    cluster.await_units(plot.name, before + 20);
    assert_eq!(cluster.leader(), leader, "nobody was taken for dead");
    // Also a life that begins in the past.
    let before = cluster.state_seen_by(&leader, &follower).unwrap();
    cluster.kill(&follower);
    cluster.start(&follower);
    let back = await_alive(&cluster, &leader, &follower);
    assert!(back.boot + 6 * HOUR.as_nanos() as u64 <= before.boot, "{before:?}, {back:?}");
    // Also a leader in the past: it reads the clock when it begins to lead.
    for name in cluster.followers() {
        cluster.sandbox.write(&format!("{name}/clock"), "-7h");
    }
    cluster.kill(&leader);
    let next = cluster.await_leader_but(&[&leader]);
    let before = cluster.study(plot.name).unwrap().units_done;
    cluster.await_units(plot.name, before + 5);
    cluster.start(&leader);
    await_alive(&cluster, &next, &leader);

    cluster.await_phase(plot.name, StudyPhase::Ended, DEADLINE);
    let entries = cluster.ask(|api, node| api.records(node, plot.name)).unwrap();
    let back = |pair: &[Entry]| pair[0].at.millis_since(pair[1].at);
    let jump = entries.windows(2).map(back).max().unwrap();
    assert!(jump >= 6 * HOUR.as_millis() as u64, "no record is older than the one before");
    cluster.conclude(&plot);
}

/// Waits until the present life of a node is heard of.
#[track_caller]
fn await_alive(cluster: &Cluster, witness: &str, name: &str) -> NodeInfo {
    await_some(&format!("{name} is there again"), DEADLINE, || {
        let back = cluster.state_seen_by(witness, name)?;
        let here = Some(back.pid) == cluster.node(name).process();
        holds(here && back.state == NodeState::Alive, || format!("{back:?}")).map(|()| back)
    })
}
