//! A cluster that nobody hurts does nothing twice; and what lost nodes leave behind is collected.

use super::evidence::Allowed;
use super::harness::Layout;
use super::reference::Plot;
use std::time::Duration;

#[test]
fn three_nodes_that_nobody_hurts_pass_every_check_and_do_nothing_twice() {
    let mut cluster = Layout::voters(3, "").start();
    let plot = Plot::default();
    cluster.submit(&plot, &[]);
    let allowed = Allowed { garbage_max: 6, ..Allowed::default() };
    let checked = cluster.conclude_allowing(&[&plot], &allowed);
    assert_eq!((checked.repeated, checked.failures), (0, 0), "nothing was done twice: {checked:?}");
}

#[test]
#[ignore = "takes two minutes"]
fn what_a_killed_node_leaves_behind_is_collected() {
    let mut cluster = Layout::voters(3, "delay:100").start();
    let plot = Plot::default();
    cluster.submit(&plot, &[]);
    cluster.await_units(plot.name, 20);
    let victim = cluster.followers().remove(0);
    cluster.kill(&victim);
    cluster.await_units(plot.name, 40);
    cluster.start(&victim);
    let tidying = Duration::from_secs(120);
    let allowed = Allowed { garbage_max: 0, tidying, copies: Some(1), ..Allowed::default() };
    cluster.conclude_allowing(&[&plot], &allowed);
}
