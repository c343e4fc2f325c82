//! A node whose disk is full.

use super::harness::Layout;
use super::reference::Plot;
use crate::small_disk::SmallDisk;
use wallaby_actors::cluster::api_types::NodeState;

/// Room for the partitions of a node and a checkpoint or two.
const KILOBYTES: u32 = 900;

#[test]
fn a_trainer_whose_disk_is_full_is_left_out_and_the_study_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(folder.path(), KILOBYTES) else { return };
    let mut cluster = Layout { nodes: 4, ..Layout::voters(3, "delay:150") }.set_up();
    cluster.node_mut("node4").move_data(folder.path());
    cluster.start_all();
    let plot = Plot::default();
    cluster.submit(&plot, &[]);
    cluster.await_state("node1", "node4", &[NodeState::Full]);
    let checked = cluster.conclude(&plot);
    assert_eq!((checked.repeated, checked.failures), (0, 0), "no trial is to blame: {checked:?}");
    drop(cluster);
    drop(disk);
}
