//! A node that does not belong to the cluster.

use super::harness::Layout;
use super::reference::Plot;
use super::waiting::{DEADLINE, await_some, holds};
use wallaby_links::secret::Secret;

#[test]
fn a_node_with_another_secret_is_refused_and_both_sides_say_so() {
    let mut cluster = Layout { nodes: 4, ..Layout::voters(3, "delay:20") }.set_up();
    ["node1", "node2", "node3"].iter().for_each(|name| cluster.start(name));
    cluster.await_ready();
    let other = cluster.sandbox.path("other.secret");
    Secret::generate().write_new(&other).unwrap();
    let stranger = cluster.node_mut("node4");
    let path = other.to_str().unwrap().to_owned();
    stranger.variables.insert("WALLABY_CLUSTER_SECRET_FILE".to_owned(), path);
    cluster.start("node4");
    let code = cluster.await_end("node4");
    let said = cluster.node("node4").log();
    assert!(said.contains("has another cluster secret"), "{said}");
    assert_eq!(code, Some(14), "{said}");
    await_some("a node of the cluster says that it refused a stranger", DEADLINE, || {
        let refused = |log: String| log.contains("it has another cluster secret, or none");
        let said = cluster.nodes().iter().take(3).any(|node| refused(node.log()));
        holds(said, || "nobody says so".to_owned())
    });
    let known = cluster.seen_by("node1").unwrap();
    assert!(known.iter().all(|node| node.name != "node4"), "{known:?}");
    let plot = Plot { trials: 2, epochs: 1, ..Plot::default() };
    cluster.submit(&plot, &[]);
    cluster.conclude(&plot);
}
