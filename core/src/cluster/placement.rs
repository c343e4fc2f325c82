//! Which nodes hold which partitions: spread by capacity, restored after a loss, shared with
//! nodes that come later.

use crate::ids::NodeId;
use std::collections::BTreeMap;

/// The holders of each partition, in order of preference.
pub type Placement = Vec<Vec<NodeId>>;

/// A node that can hold data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// The node.
    pub node: NodeId,
    /// How much it computes: its share of the partitions is proportional to this.
    pub slots: u32,
    /// Bytes that it can take.
    pub bytes: u64,
}

/// Spreads partitions of these sizes over nodes. Consecutive partitions sit on one node, so that
/// a trial hops as seldom as there are nodes; the second holders of a node's partitions are spread
/// over all others, so that its share does not fall to one of them.
///
/// A partition for which no node has room gets no holder.
pub fn place(sizes: &[u64], rooms: &[Room], replicas: u32) -> Placement {
    let mut rooms: Vec<Room> = rooms.to_vec();
    rooms.sort_by_key(|room| room.node);
    let nodes = rooms.len();
    let weight: u64 = rooms.iter().map(|room| u64::from(room.slots.max(1))).sum();
    let mut placement = Placement::new();
    for (at, size) in sizes.iter().enumerate() {
        let wanted = home(&rooms, at as u64 * weight / sizes.len() as u64);
        let mut holders = Vec::new();
        let others = nodes.saturating_sub(1);
        // The home, then the others, beginning at another place for each partition.
        let ring = (0..others).map(|step| (wanted + 1 + (at + step) % others) % nodes);
        for index in std::iter::once(wanted).chain(ring) {
            let Some(room) = rooms.get_mut(index) else { continue };
            if holders.len() < replicas.max(1) as usize && room.bytes >= *size {
                room.bytes -= size;
                holders.push(room.node);
            }
        }
        placement.push(holders);
    }
    placement
}

/// The node whose share of the total weight contains `point`.
fn home(rooms: &[Room], point: u64) -> usize {
    let mut end = 0;
    let share = |room: &Room| {
        end += u64::from(room.slots.max(1));
        point < end
    };
    rooms.iter().position(share).unwrap_or(0)
}

/// Gives partitions that have lost holders new ones: the least loaded nodes that are there. Lost
/// and surplus holders go from the list once as many others as are wanted have the data, which
/// `holds` (of partition and node) tells. Whether anything has changed.
pub(super) fn repair(
    placement: &mut Placement,
    rooms: &[Room],
    replicas: u32,
    holds: impl Fn(usize, NodeId) -> bool,
) -> bool {
    let present: BTreeMap<NodeId, u32> = rooms.iter().map(|room| (room.node, room.slots)).collect();
    let wanted = (replicas.max(1) as usize).min(present.len());
    let mut load = loads(placement, &present);
    let mut changed = false;
    for (at, holders) in placement.iter_mut().enumerate() {
        let living = holders.iter().filter(|node| present.contains_key(node)).count();
        for _ in living..wanted {
            let free = present.keys().filter(|node| !holders.contains(node));
            let Some(node) = free.min_by_key(|node| (load[*node], **node)).copied() else { break };
            *load.entry(node).or_default() += 1;
            holders.push(node);
            changed = true;
        }
        let chosen: Vec<NodeId> = holders
            .iter()
            .filter(|node| present.contains_key(node))
            .take(wanted)
            .copied()
            .collect();
        let complete = wanted > 0 && chosen.iter().all(|node| holds(at, *node));
        if complete && chosen.len() == wanted && chosen != *holders {
            *holders = chosen;
            changed = true;
        }
    }
    changed
}

/// Makes nodes that are the first holder of nothing the first holder of their share, taking from
/// those that have most. They stay in the list until [`repair`] finds that the newcomers have the
/// data. Whether anything has changed.
pub(super) fn welcome(placement: &mut Placement, rooms: &[Room]) -> bool {
    let slots: u64 = rooms.iter().map(|room| u64::from(room.slots.max(1))).sum();
    let mut changed = false;
    for newcomer in rooms {
        let firsts = |placement: &Placement, node: NodeId| {
            placement.iter().filter(|holders| holders.first() == Some(&node)).count()
        };
        if firsts(placement, newcomer.node) > 0 {
            continue;
        }
        let share = placement.len() as u64 * u64::from(newcomer.slots.max(1)) / slots.max(1);
        for _ in 0..share {
            // From the end of the richest node's stretch, so that what stays is still a stretch.
            let others = rooms.iter().filter(|room| room.node != newcomer.node);
            let per_slot = |room: &&Room| {
                let count = firsts(placement, room.node) as u64 * 1000;
                (count / u64::from(room.slots.max(1)), room.node)
            };
            let Some(richest) = others.max_by_key(per_slot).map(|room| room.node) else { break };
            let last = placement.iter().rposition(|holders| holders.first() == Some(&richest));
            let Some(holders) = last.and_then(|at| placement.get_mut(at)) else { break };
            holders.retain(|node| *node != newcomer.node);
            holders.insert(0, newcomer.node);
            changed = true;
        }
    }
    changed
}

/// How many partitions each present node holds.
fn loads(placement: &Placement, present: &BTreeMap<NodeId, u32>) -> BTreeMap<NodeId, u32> {
    let mut load: BTreeMap<NodeId, u32> = present.keys().map(|node| (*node, 0)).collect();
    for node in placement.iter().flatten() {
        load.entry(*node).and_modify(|count| *count += 1);
    }
    load
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rooms(slots: &[u32]) -> Vec<Room> {
        let room = |(at, slots): (usize, &u32)| Room {
            node: NodeId(at as u64 + 1),
            slots: *slots,
            bytes: 1 << 40,
        };
        slots.iter().enumerate().map(room).collect()
    }

    fn firsts(placement: &Placement, node: u64) -> usize {
        placement.iter().filter(|holders| holders[0] == NodeId(node)).count()
    }

    #[test]
    fn partitions_are_spread_by_slots_in_stretches_with_distinct_holders() {
        let placement = place(&[10; 16], &rooms(&[1, 2, 1]), 2);
        assert_eq!([1, 2, 3].map(|node| firsts(&placement, node)), [4, 8, 4]);
        let homes: Vec<u64> = placement.iter().map(|holders| holders[0].0).collect();
        assert!(homes.is_sorted(), "{homes:?}");
        assert!(placement.iter().all(|holders| holders.len() == 2 && holders[0] != holders[1]));
        let seconds = |node: u64| {
            let of = placement.iter().filter(|h| h[0] == NodeId(2) && h[1] == NodeId(node));
            of.count()
        };
        assert_eq!((seconds(1), seconds(3)), (4, 4));
    }

    #[test]
    fn a_node_without_room_holds_nothing_and_more_replicas_than_nodes_are_no_error() {
        let mut rooms = rooms(&[1, 1]);
        rooms[0].bytes = 25;
        let placement = place(&[10; 4], &rooms, 3);
        let held = |node| placement.iter().filter(|h| h.contains(&NodeId(node))).count();
        assert_eq!((held(1), held(2)), (2, 4));
        assert_eq!(place(&[1], &[], 2), vec![Vec::<NodeId>::new()]);
    }

    #[test]
    fn a_lost_holder_is_replaced_and_forgotten_only_when_others_have_the_data() {
        let mut placement = place(&[10; 6], &rooms(&[1, 1, 1]), 2);
        let survivors = [rooms(&[1, 1, 1])[0], rooms(&[1, 1, 1])[2]];
        assert!(repair(&mut placement, &survivors, 2, |_, _| false));
        let present = |holders: &Vec<NodeId>| holders.iter().filter(|n| n.0 != 2).count() == 2;
        assert!(placement.iter().all(present), "{placement:?}");
        assert!(!repair(&mut placement, &survivors, 2, |_, _| false), "copies are under way");
        assert!(placement.iter().flatten().any(|node| node.0 == 2));
        assert!(repair(&mut placement, &survivors, 2, |_, _| true));
        assert!(placement.iter().flatten().all(|node| node.0 != 2), "{placement:?}");
        assert!(!repair(&mut placement, &survivors, 2, |_, _| true), "nothing is left to do");
    }

    #[test]
    fn the_last_copy_is_not_forgotten_while_its_node_is_away() {
        let mut placement = vec![vec![NodeId(2)]];
        repair(&mut placement, &rooms(&[1]), 1, |_, _| false);
        repair(&mut placement, &[], 1, |_, _| false);
        assert_eq!(placement, [vec![NodeId(2), NodeId(1)]]);
    }

    #[test]
    fn a_newcomer_becomes_the_first_holder_of_its_share_and_the_old_ones_stay_meanwhile() {
        let mut placement = place(&[10; 8], &rooms(&[1, 1, 1]), 1);
        assert!(welcome(&mut placement, &rooms(&[1, 1, 1, 1])));
        let counts = [1, 2, 3, 4].map(|node| firsts(&placement, node));
        assert_eq!(counts, [2, 2, 2, 2], "{placement:?}");
        let newcomers = placement.iter().filter(|holders| holders[0] == NodeId(4));
        assert!(newcomers.clone().all(|holders| holders.len() == 2));
        repair(&mut placement, &rooms(&[1, 1, 1, 1]), 1, |_, _| true);
        assert!(placement.iter().all(|holders| holders.len() == 1));
        assert!(!welcome(&mut placement, &rooms(&[1, 1, 1, 1])));
    }
}
