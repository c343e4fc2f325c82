//! What the coordinator hears of nodes: that they are there, what they have, that they are gone.

use super::events::Report;
use super::host::Host;
use super::{ClusterRecord, Coordinator};
use crate::cluster::record::StudyId;
use crate::engine::Event;
use crate::ids::{Digest, NodeId, Stamp};

impl Coordinator {
    pub(super) fn node_reported(&mut self, report: Report) {
        let Report { node, boot, name, slots, numerics, room, held, draining, .. } = report;
        if self.hosts.get(&node).is_some_and(|host| host.boot > boot) {
            return;
        }
        if self.hosts.get(&node).is_some_and(|host| host.boot < boot) {
            self.copies.forget_node(node);
        }
        self.garbage.meet(node, boot);
        self.bury_predecessors(node, boot, &name);
        if self.names.get(&node) != Some(&name) {
            self.names.insert(node, name.clone());
            self.decided.push(ClusterRecord::NodeNamed { node, name });
        }
        self.absent.remove(&node);
        let there = |(blob, stamp): &(Digest, Stamp)| !self.garbage.is_released(node, blob, *stamp);
        let held = held.into_iter().filter(there).collect();
        let mut host = Host::new(boot, slots, numerics, room, draining, held);
        let known = self.hosts.get(&node).filter(|known| known.boot == boot);
        for state in report.told.iter().filter_map(|(_, event)| event.made()) {
            if known.and_then(|known| known.stamp(&state)) != host.stamp(&state) {
                self.garbage.spare(state);
            }
        }
        if let Some(known) = known {
            host.go_on_from(known);
        }
        self.garbage.reported(node, self.now);
        let ids: Vec<StudyId> = self.seats.keys().copied().collect();
        for id in ids {
            let Some(seat) = self.seats.get_mut(&id).filter(|seat| seat.engine().is_some()) else {
                continue;
            };
            let class = seat.class();
            let mut events: Vec<Event> = seat.joined(node, &host, class).into_iter().collect();
            if draining {
                events.push(Event::NodeDraining(node));
            }
            let kept = seat.kept().into_iter().filter(|state| host.holds(state));
            events.extend(kept.map(|state| Event::StateStored { node, state }));
            let told = report.told.iter().filter(|(study, _)| *study == id);
            events.extend(told.map(|(_, event)| event.clone()));
            events.into_iter().for_each(|event| self.tell(id, event));
        }
        self.hosts.insert(node, host);
    }

    /// A node that has lost its disk comes back under its name and another number. Its earlier life
    /// is over, also when nobody noticed how it ended.
    pub(super) fn bury_predecessors(&mut self, node: NodeId, boot: u64, name: &str) {
        let named = self.hosts.iter().filter(|(id, host)| **id != node && host.boot < boot);
        let named = named.filter(|(id, _)| self.names.get(*id).is_some_and(|known| known == name));
        let earlier: Vec<(NodeId, u64)> = named.map(|(id, host)| (*id, host.boot)).collect();
        earlier.into_iter().for_each(|(id, boot)| self.node_left(id, boot));
    }

    pub(super) fn node_suspected(&mut self, node: NodeId, suspected: bool) {
        if let Some(host) = self.hosts.get_mut(&node) {
            host.suspected = suspected;
        }
        let event = if suspected { Event::NodeSuspected } else { Event::NodeTrusted };
        self.tell_all(&event(node));
    }

    pub(super) fn node_draining(&mut self, node: NodeId) {
        if let Some(host) = self.hosts.get_mut(&node) {
            host.draining = true;
            self.tell_all(&Event::NodeDraining(node));
        }
    }

    pub(super) fn node_left(&mut self, node: NodeId, boot: u64) {
        if self.hosts.get(&node).is_some_and(|host| host.boot == boot) {
            self.hosts.remove(&node);
            self.copies.forget_node(node);
            self.garbage.lose(node);
            self.absent.insert(node, self.now);
            self.tell_all(&Event::NodeLeft { node, boot });
        }
    }

    /// Whether that is news.
    pub(super) fn arrived(&mut self, node: NodeId, blob: Digest, stamp: Stamp) -> bool {
        if self.garbage.is_released(node, &blob, stamp) {
            return false;
        }
        let awaited = self.copies.arrived(node, blob);
        let Some(host) = self.hosts.get_mut(&node) else { return awaited };
        if !host.add(blob, stamp) {
            return awaited;
        }
        let ids: Vec<StudyId> = self.seats.keys().copied().collect();
        for id in ids {
            let Some(seat) = self.seats.get(&id).filter(|seat| seat.engine().is_some()) else {
                continue;
            };
            if seat.keeps(&blob) {
                self.tell(id, Event::StateStored { node, state: blob });
            } else if seat.has_data(&blob) {
                self.offer_anew(id, node);
            }
        }
        true
    }

    /// Tells a study what a node has for it now.
    pub(super) fn offer_anew(&mut self, id: StudyId, node: NodeId) {
        let (Some(seat), Some(host)) = (self.seats.get(&id), self.hosts.get(&node)) else { return };
        let (draining, suspected) = (host.draining, host.suspected);
        if let Some(event) = seat.joined(node, host, seat.class()) {
            self.tell(id, event);
            if suspected {
                self.tell(id, Event::NodeSuspected(node));
            }
            if draining {
                self.tell(id, Event::NodeDraining(node));
            }
        }
    }
}
