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

/// Gives partitions of these sizes that have lost holders new ones: the least loaded nodes that are
/// there and have room. Lost and surplus holders go from the list once as many others as are wanted
/// have the data, which `holds` (of partition and node) tells. Whether anything has changed.
pub(super) fn repair(
    placement: &mut Placement,
    sizes: &[u64],
    rooms: &[Room],
    replicas: u32,
    holds: impl Fn(usize, NodeId) -> bool,
) -> bool {
    let mut left: BTreeMap<NodeId, u64> =
        rooms.iter().map(|room| (room.node, room.bytes)).collect();
    let wanted = (replicas.max(1) as usize).min(left.len());
    let mut load = loads(placement, rooms);
    let mut changed = false;
    for ((at, holders), size) in placement.iter_mut().enumerate().zip(sizes) {
        let living = holders.iter().filter(|node| left.contains_key(node)).count();
        for _ in living..wanted {
            let fits = |(node, room): &(&NodeId, &u64)| !holders.contains(node) && *room >= size;
            let free = left.iter().filter(fits).map(|(node, _)| *node);
            let Some(node) = free.min_by_key(|node| (load[node], *node)) else { break };
            *load.entry(node).or_default() += 1;
            left.entry(node).and_modify(|room| *room -= size);
            holders.push(node);
            changed = true;
        }
        let living = holders.iter().filter(|node| left.contains_key(node));
        let chosen: Vec<NodeId> = living.take(wanted).copied().collect();
        let complete = wanted > 0 && chosen.iter().all(|node| holds(at, *node));
        if complete && chosen.len() == wanted && chosen != *holders {
            *holders = chosen;
            changed = true;
        }
    }
    changed
}

/// Gives nodes that hold nothing yet their share of the places at each rank, taken from those that
/// have most there: of the first places, so that trials come to them, and of the others, so that
/// trials can stay. Who was there before stays in the list until [`repair`] finds that the
/// newcomers have the data. Whether anything has changed.
pub(super) fn welcome(
    placement: &mut Placement,
    sizes: &[u64],
    rooms: &[Room],
    replicas: u32,
) -> bool {
    let slots: u64 = rooms.iter().map(|room| u64::from(room.slots.max(1))).sum();
    let ranks = (replicas.max(1) as usize).min(rooms.len());
    let mut changed = false;
    for newcomer in rooms {
        if placement.iter().flatten().any(|node| *node == newcomer.node) {
            continue;
        }
        let places = placement.len() as u64 * u64::from(newcomer.slots.max(1));
        let share = |ranks: usize| ranks as u64 * places / slots.max(1);
        let mut room = newcomer.bytes;
        for rank in 0..ranks {
            let mut riches = Riches::of(placement, rooms, rank, ranks);
            for _ in share(rank)..share(rank + 1) {
                let fits = |at: usize| sizes.get(at).is_some_and(|size| *size <= room);
                let Some(at) = riches.place(placement, newcomer.node, fits) else { break };
                room -= sizes[at];
                let giver = std::mem::replace(&mut placement[at][rank], newcomer.node);
                placement[at].push(giver);
                riches.give(giver);
                changed = true;
            }
        }
    }
    changed
}

/// Who has how many places.
struct Riches {
    rank: usize,
    /// For each node its slots, its places at the rank, and its places at all ranks.
    nodes: BTreeMap<NodeId, (u64, u64, u64)>,
}

impl Riches {
    fn of(placement: &Placement, rooms: &[Room], rank: usize, ranks: usize) -> Self {
        let slots = |room: &Room| u64::from(room.slots.max(1));
        let mut nodes: BTreeMap<NodeId, (u64, u64, u64)> =
            rooms.iter().map(|room| (room.node, (slots(room), 0, 0))).collect();
        for holders in placement {
            for (at, holder) in holders.iter().take(ranks).enumerate() {
                if let Some((_, here, all)) = nodes.get_mut(holder) {
                    *here += u64::from(at == rank);
                    *all += 1;
                }
            }
        }
        Self { rank, nodes }
    }

    /// The partition of which the richest node that has one to spare is to give its place up to
    /// `newcomer`: the last one of its stretch, so that what stays is still a stretch. Nobody gives
    /// up its only place: it would be the next newcomer.
    fn place(
        &self,
        placement: &Placement,
        newcomer: NodeId,
        fits: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut others: Vec<_> =
            self.nodes.iter().filter(|(node, (.., all))| **node != newcomer && *all >= 2).collect();
        // Trials come to the first holders; the others only have to store.
        others.sort_by_key(|(node, (slots, here, all))| {
            let (here, all) = (here * 1000 / slots, all * 1000 / slots);
            std::cmp::Reverse((if self.rank == 0 { (here, all) } else { (all, here) }, **node))
        });
        let gives = |at: &usize, node: NodeId| {
            let holders = &placement[*at];
            holders.get(self.rank) == Some(&node) && !holders.contains(&newcomer) && fits(*at)
        };
        let mut last = others
            .into_iter()
            .map(|(node, _)| (0..placement.len()).rev().find(|at| gives(at, *node)));
        last.find_map(|place| place)
    }

    fn give(&mut self, giver: NodeId) {
        if let Some((_, here, all)) = self.nodes.get_mut(&giver) {
            *here = here.saturating_sub(1);
            *all = all.saturating_sub(1);
        }
    }
}

/// How many partitions each present node holds.
fn loads(placement: &Placement, present: &[Room]) -> BTreeMap<NodeId, u32> {
    let mut load: BTreeMap<NodeId, u32> = present.iter().map(|room| (room.node, 0)).collect();
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
        assert!(repair(&mut placement, &[10; 6], &survivors, 2, |_, _| false));
        let present = |holders: &Vec<NodeId>| holders.iter().filter(|n| n.0 != 2).count() == 2;
        assert!(placement.iter().all(present), "{placement:?}");
        assert!(
            !repair(&mut placement, &[10; 6], &survivors, 2, |_, _| false),
            "copies are under way"
        );
        assert!(placement.iter().flatten().any(|node| node.0 == 2));
        assert!(repair(&mut placement, &[10; 6], &survivors, 2, |_, _| true));
        assert!(placement.iter().flatten().all(|node| node.0 != 2), "{placement:?}");
        assert!(
            !repair(&mut placement, &[10; 6], &survivors, 2, |_, _| true),
            "nothing is left to do"
        );
    }

    #[test]
    fn the_last_copy_is_not_forgotten_while_its_node_is_away() {
        let mut placement = vec![vec![NodeId(2)]];
        repair(&mut placement, &[10], &rooms(&[1]), 1, |_, _| false);
        repair(&mut placement, &[10], &[], 1, |_, _| false);
        assert_eq!(placement, [vec![NodeId(2), NodeId(1)]]);
    }

    #[test]
    fn a_newcomer_becomes_the_first_holder_of_its_share_and_the_old_ones_stay_meanwhile() {
        let mut placement = place(&[10; 8], &rooms(&[1, 1, 1]), 1);
        assert!(welcome(&mut placement, &[10; 8], &rooms(&[1, 1, 1, 1]), 1));
        let counts = [1, 2, 3, 4].map(|node| firsts(&placement, node));
        assert_eq!(counts, [2, 2, 2, 2], "{placement:?}");
        let newcomers = placement.iter().filter(|holders| holders[0] == NodeId(4));
        assert!(newcomers.clone().all(|holders| holders.len() == 2));
        repair(&mut placement, &[10; 8], &rooms(&[1, 1, 1, 1]), 1, |_, _| true);
        assert!(placement.iter().all(|holders| holders.len() == 1));
        assert!(!welcome(&mut placement, &[10; 8], &rooms(&[1, 1, 1, 1]), 1));
    }

    #[test]
    fn a_newcomer_has_its_share_of_all_places_so_that_trials_can_stay_with_it() {
        let mut placement = place(&[10; 8], &rooms(&[1, 1, 1]), 2);
        let rooms = rooms(&[1, 1, 1, 1, 1]);
        assert!(welcome(&mut placement, &[10; 8], &rooms, 2));
        repair(&mut placement, &[10; 8], &rooms, 2, |_, _| true);
        let held = |node| placement.iter().filter(|h| h.contains(&NodeId(node))).count();
        assert_eq!((held(4), held(5)), (3, 3), "{placement:?}");
        assert_eq!((firsts(&placement, 4), firsts(&placement, 5)), (1, 1), "{placement:?}");
        assert!([1, 2, 3].iter().all(|node| held(*node) <= 4), "{placement:?}");
    }

    #[test]
    fn however_many_come_the_places_come_to_rest() {
        for (partitions, replicas, before, after) in
            [(2, 2, 1, 4), (3, 2, 1, 5), (4, 2, 1, 6), (5, 2, 3, 8), (7, 2, 1, 9), (5, 3, 2, 9)]
        {
            let sizes = vec![10; partitions];
            let mut placement = place(&sizes, &rooms(&vec![1; before]), replicas);
            let all = rooms(&vec![1; after]);
            for _ in 0..8 {
                repair(&mut placement, &sizes, &all, replicas, |_, _| true);
                welcome(&mut placement, &sizes, &all, replicas);
            }
            repair(&mut placement, &sizes, &all, replicas, |_, _| true);
            let rest = placement.clone();
            let changed = repair(&mut placement, &sizes, &all, replicas, |_, _| true)
                | welcome(&mut placement, &sizes, &all, replicas);
            assert!(!changed, "{partitions} on {before} to {after}: {rest:?}, then {placement:?}");
        }
    }

    #[test]
    fn nobody_is_given_more_than_it_has_room_for() {
        let mut placement = place(&[10; 8], &rooms(&[1, 1, 1]), 2);
        let mut rooms = rooms(&[1, 1, 1, 1]);
        rooms[3].bytes = 15;
        welcome(&mut placement, &[10; 8], &rooms, 2);
        let held = |placement: &Placement| placement.iter().flatten().filter(|n| n.0 == 4).count();
        assert_eq!(held(&placement), 1, "{placement:?}");
        rooms[3].bytes = 0;
        rooms.remove(1);
        repair(&mut placement, &[10; 8], &rooms, 2, |_, _| false);
        assert_eq!(held(&placement), 1, "the others take over what is lost: {placement:?}");
    }
}
