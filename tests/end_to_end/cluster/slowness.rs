//! A node that is much slower than the others.

use super::harness::Layout;
use super::measure::tell_ratio;
use super::reference::Plot;
use super::waiting::DEADLINE;
use std::collections::BTreeMap;
use wallaby::wallaby_core::ids::NodeId;
use wallaby::wallaby_core::journal::{Commit, Entry, Record};
use wallaby_actors::cluster::api_types::StudyPhase;

/// The most that a study may take of the time that the fast nodes would need for all of it, never
/// idle. The slow node at its share, a third of the units, would take 6.7 times as long as they.
const STRETCH_MAX: f64 = 2.0;

/// What the records tell of the speed of a study.
struct Pace {
    /// How many units each node did, and how long they took in the mean.
    nodes: BTreeMap<NodeId, (usize, f64)>,
    /// From the first start to the last result.
    took_millis: f64,
}

impl Pace {
    fn of(entries: &[Entry]) -> Self {
        let commit = |entry: &Entry| match &entry.record {
            Record::UnitCommitted(commit) => Some((commit.clone(), entry.at)),
            _ => None,
        };
        let commits: Vec<(Commit, _)> = entries.iter().filter_map(commit).collect();
        let began = commits.iter().map(|(commit, _)| commit.started).min().unwrap();
        let ended = commits.iter().map(|(_, at)| *at).max().unwrap();
        let mut millis: BTreeMap<NodeId, Vec<u64>> = BTreeMap::new();
        for (commit, _) in commits {
            millis.entry(commit.slot.node).or_default().push(commit.output.millis);
        }
        let mean = |all: &Vec<u64>| all.iter().sum::<u64>() as f64 / all.len() as f64;
        let nodes = millis.iter().map(|(node, all)| (*node, (all.len(), mean(all)))).collect();
        Self { nodes, took_millis: ended.millis_since(began) as f64 }
    }
}

#[test]
fn a_node_ten_times_slower_than_the_others_does_little_and_holds_nobody_up() {
    let mut cluster = Layout::voters(3, "delay:80").set_up();
    cluster.set_faults("node3", "delay:800");
    cluster.start_all();
    let plot = Plot { epochs: 4, ..Plot::default() };
    cluster.submit(&plot, &[]);
    let slow = NodeId(cluster.state_seen_by("node1", "node3").unwrap().id);
    cluster.await_phase(plot.name, StudyPhase::Ended, DEADLINE);
    let entries = cluster.ask(|api, node| api.records(node, plot.name)).unwrap();
    let checked = cluster.conclude(&plot);
    assert_eq!((checked.repeated, checked.failures), (0, 0), "slow is not dead: {checked:?}");

    let pace = Pace::of(&entries);
    let (slow_units, slow_millis) = pace.nodes.get(&slow).copied().unwrap_or_default();
    let fast: Vec<(usize, f64)> =
        pace.nodes.iter().filter(|(node, _)| **node != slow).map(|(_, told)| *told).collect();
    assert_eq!(fast.len(), 2, "{:?}", pace.nodes);
    let fast_millis = fast.iter().map(|(_, mean)| mean).sum::<f64>() / 2.0;
    assert!(slow_millis > 5.0 * fast_millis, "it is slow: {:?}", pace.nodes);
    assert!(fast.iter().all(|(units, _)| slow_units * 3 < *units), "{:?}", pace.nodes);
    let units = slow_units + fast.iter().map(|(units, _)| units).sum::<usize>();
    let alone_millis = units as f64 * fast_millis / 2.0;
    let stretch = pace.took_millis / alone_millis;
    tell_ratio("the time of a study over that of its fast nodes alone", stretch);
    assert!(stretch < STRETCH_MAX, "{stretch}: {:?}, {} ms", pace.nodes, pace.took_millis);
}
