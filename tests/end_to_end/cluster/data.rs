//! Data that only one node holds, and data that nobody needs any more.

use super::evidence::blobs_of;
use super::harness::Layout;
use super::measure::tell;
use super::reference::Plot;
use super::waiting::{DEADLINE, await_some, holds};
use std::time::Instant;
use wallaby::wallaby_core::journal::{Pause, Record};
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
    cluster.await_phase(plot.name, StudyPhase::Ended, DEADLINE);
    let entries = cluster.ask(|api, node| api.records(node, plot.name)).unwrap();
    cluster.conclude(&plot);

    // What was under way elsewhere may have come in; nothing has begun.
    let at = |wanted: fn(&Record) -> bool| entries.iter().position(|entry| wanted(&entry.record));
    let lost =
        |record: &Record| matches!(record, Record::StudyPaused { cause: Pause::DataLost(_) });
    let (from, to) = (at(lost).unwrap(), at(|r| matches!(r, Record::StudyResumed)).unwrap());
    assert!(from < to, "it pauses, then it goes on: records {from} and {to}");
    for entry in &entries[from..to] {
        if let Record::UnitCommitted(commit) = &entry.record {
            assert!(commit.started <= entries[from].at, "{} began in the pause", commit.unit);
        }
    }
}

#[test]
fn data_whose_only_holder_has_lost_its_disk_is_there_again_when_the_study_is_submitted_again() {
    let mut cluster = Layout { replicas: 1, ..Layout::voters(3, "delay:60") }.start();
    let plot = Plot::default();
    cluster.submit(&plot, &[]);
    std::fs::remove_dir_all(cluster.sandbox.path("digits")).unwrap();
    cluster.await_units(plot.name, 10);
    let victim = cluster.followers().remove(0);
    cluster.kill(&victim);
    cluster.wipe(&victim);
    let paused = cluster.await_phase(plot.name, StudyPhase::Paused, DEADLINE);
    let again = Instant::now();
    cluster.submit(&plot, &[]);
    cluster.await_units(plot.name, paused.units_done + 1);
    tell("the study goes on", again.elapsed());
    cluster.conclude(&plot);
}

#[test]
fn a_deleted_study_leaves_no_blob_on_any_node_and_frees_its_name() {
    let cluster = Layout::voters(3, "").start();
    let plot = Plot { trials: 3, epochs: 1, partitions: 3, ..Plot::default() };
    cluster.submit(&plot, &["--set", "model.hidden=[8]"]);
    cluster.await_phase(plot.name, StudyPhase::Ended, DEADLINE);
    cluster.said(&["delete", plot.name]);
    assert_eq!(cluster.study(plot.name).unwrap().phase, StudyPhase::Ended, "only told of");
    cluster.said(&["delete", plot.name, "--yes"]);
    assert_eq!(cluster.said(&["status", "--json"]).trim(), "[]");
    cluster.wallaby(&["status", plot.name]).finish().expect(2).complains("there is no study");
    await_some("no blob is left", DEADLINE, || {
        let blobs: Vec<_> = cluster.nodes().iter().map(|node| blobs_of(node).len()).collect();
        holds(blobs == [0, 0, 0], || format!("{blobs:?}"))
    });
    // Another study of this name.
    cluster.submit(&plot, &["--set", "model.hidden=[9]"]);
    cluster.await_phase(plot.name, StudyPhase::Ended, DEADLINE);
}
