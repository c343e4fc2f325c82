//! Data that only one node holds.

use super::harness::Layout;
use super::measure::tell;
use super::reference::Plot;
use super::waiting::DEADLINE;
use std::time::Instant;
use wallaby_actors::cluster::api_types::StudyPhase;

#[test]
fn a_study_without_the_only_holder_of_a_partition_pauses_and_goes_on_when_it_is_back() {
    let mut cluster = Layout { replicas: 1, ..Layout::voters(3, "delay:60") }.start();
    let plot = Plot::default();
    cluster.submit(&plot, &[]);
    // Otherwise the nodes would read the partition from here again.
    std::fs::remove_dir_all(cluster.sandbox.path("digits")).unwrap();
    cluster.await_units(plot.name, 10);
    let victim = cluster.followers().remove(0);
    let killed = Instant::now();
    cluster.kill(&victim);
    let paused = cluster.await_phase(plot.name, StudyPhase::Paused, DEADLINE);
    tell("the study pauses", killed.elapsed());
    let cause = paused.cause.unwrap();
    assert!(cause.starts_with("no living node holds partition"), "{cause}");
    let told = cluster.said(&["status", plot.name]);
    assert!(told.contains("no living node holds partition"), "{told}");
    let back = Instant::now();
    cluster.start(&victim);
    cluster.await_units(plot.name, paused.units_done + 1);
    tell("the study goes on", back.elapsed());
    cluster.conclude(&plot);
}
