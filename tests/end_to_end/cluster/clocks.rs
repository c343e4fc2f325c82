//! Clocks that jump by hours. `libfaketime` stands between the nodes and the system's clock.

use super::harness::Layout;
use super::reference::Plot;
use super::waiting::{DEADLINE, await_some, holds};
use std::io::Write;
use std::path::Path;
use wallaby_actors::cluster::api_types::NodeState;

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
    let plot = Plot::default();
    cluster.submit(&plot, &[]);
    let before = cluster.await_units(plot.name, 10).units_done;
    let (leader, follower) = (cluster.leader(), cluster.followers().remove(0));
    cluster.sandbox.write(&format!("{leader}/clock"), "+5h");
    cluster.sandbox.write(&format!("{follower}/clock"), "-7h");
    cluster.await_units(plot.name, before + 20);
    assert_eq!(cluster.leader(), leader, "nobody was taken for dead");
    // Also a life that begins in the past.
    cluster.kill(&follower);
    cluster.start(&follower);
    await_some("it is there again", DEADLINE, || {
        let back = cluster.state_seen_by(&leader, &follower)?;
        let here = Some(back.pid) == cluster.node(&follower).process();
        holds(here && back.state == NodeState::Alive, || format!("{back:?}"))
    });
    cluster.conclude(&plot);
}
