//! A unit that takes its process down each time.

use super::evidence::Allowed;
use super::harness::Layout;
use super::reference::Plot;
use super::waiting::{await_some, holds};
use std::time::Duration;
use wallaby_actors::cluster::api_types::StudyPhase;

/// How long sixteen deaths and returns may take.
const MANY_LIVES: Duration = Duration::from_secs(180);

#[test]
#[ignore = "takes a minute"]
fn a_unit_that_aborts_every_process_fails_its_trial_and_not_the_cluster() {
    let mut cluster = Layout::voters(3, "delay:20,abort:2").start();
    let plot = Plot { trials: 4, epochs: 1, ..Plot::default() };
    cluster.submit(&plot, &[]);
    let mut deaths = 0;
    await_some("the study ends although its nodes abort", MANY_LIVES, || {
        let names: Vec<String> = cluster.nodes().iter().map(|node| node.name.clone()).collect();
        for name in names {
            if cluster.node_mut(&name).ended().is_some() {
                deaths += 1;
                cluster.start(&name);
            }
        }
        let seen = cluster.study(plot.name)?;
        holds(seen.phase == StudyPhase::Ended, || format!("{deaths} deaths, {seen:?}"))
    });
    assert!(deaths >= 2, "{deaths} processes aborted");
    let allowed = Allowed { failing: [2].into(), ..Allowed::default() };
    let checked = cluster.conclude_allowing(&[&plot], &allowed);
    assert!(checked.failures >= deaths, "each is recorded: {deaths} deaths, {checked:?}");
}
