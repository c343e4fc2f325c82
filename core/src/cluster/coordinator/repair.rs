//! Data that has lost holders gets new ones, and nodes that have come get their share.

use super::host::Host;
use super::{ClusterRecord, Coordinator, REPLACE_MILLIS, Seat};
use crate::cluster::placement::{self, Room};
use crate::ids::{Digest, NodeId};
use std::collections::{BTreeMap, BTreeSet};

impl Coordinator {
    /// Gives data that has lost holders new ones, and nodes that have come their share.
    pub(super) fn repair(&mut self) {
        // Nodes that are away for a moment only still count as there.
        let known: BTreeSet<NodeId> =
            self.seats.values().flat_map(|seat| seat.placement.iter().flatten().copied()).collect();
        let mut absent = Vec::new();
        for node in known {
            if self.hosts.contains_key(&node) {
                continue;
            }
            let since = *self.absent.entry(node).or_insert(self.now);
            if self.now.millis_since(since) < REPLACE_MILLIS {
                absent.push(Room { node, slots: 1, bytes: 0 });
            }
        }
        let mut moved = Vec::new();
        // Nodes of another class compute nothing for a study, so its data is of no use there.
        let classes: BTreeSet<Digest> = self.seats.values().map(Seat::class).collect();
        let rooms: BTreeMap<Digest, Vec<Room>> =
            classes.into_iter().map(|class| (class, self.rooms(&class))).collect();
        let (hosts, replicas) = (&self.hosts, self.replicas);
        for (id, seat) in self.seats.iter_mut().filter(|(_, seat)| seat.engine().is_some()) {
            let rooms = rooms.get(&seat.class()).map(Vec::as_slice).unwrap_or_default();
            if rooms.is_empty() {
                continue;
            }
            let counted: Vec<Room> = rooms.iter().chain(&absent).copied().collect();
            let blobs: Vec<Digest> = seat.partitions();
            let holds = |at: usize, node: NodeId| {
                hosts.get(&node).zip(blobs.get(at)).is_some_and(|(host, blob)| host.holds(blob))
            };
            let sizes = seat.partition_sizes();
            let mut placement = seat.placement.clone();
            let mut changed = placement::repair(&mut placement, &sizes, &counted, replicas, holds);
            // A newcomer takes its share only when nobody is missed: shares would move twice.
            if absent.is_empty() {
                changed |= placement::welcome(&mut placement, &sizes, rooms, replicas);
            }
            if changed {
                seat.place(placement.clone());
                moved.push((*id, placement));
            }
        }
        let nodes: Vec<NodeId> = self.hosts.keys().copied().collect();
        for (study, placement) in moved {
            self.decided.push(ClusterRecord::Placed { study, placement });
            nodes.iter().for_each(|node| self.offer_anew(study, *node));
        }
    }

    /// Nodes of this numerics class that can take data.
    pub(super) fn rooms(&self, class: &Digest) -> Vec<Room> {
        let fits = |host: &Host| !host.draining && host.numerics == *class;
        let open = self.hosts.iter().filter(|(_, host)| fits(host));
        open.map(|(id, host)| Room { node: *id, slots: host.slots, bytes: host.room }).collect()
    }
}
