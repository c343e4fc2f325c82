//! The faults that a simulated world suffers.

use super::world::{Happening, World};
use crate::engine::Event;
use crate::ids::{Moment, NodeId, SlotId};

/// Something bad.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fault {
    /// A node's process dies, is noticed, and comes back with its disk.
    NodeKilled(NodeId),
    /// The same, and it comes back with an empty disk.
    NodeWiped(NodeId),
    /// A living node is taken for dead, and goes on computing.
    FalseAlarm(NodeId),
    /// A node is suspected for a while.
    Hiccup(NodeId),
    /// A node drains, leaves and comes back.
    Drained(NodeId),
    /// A trainer dies.
    TrainerKilled(SlotId),
    /// A checkpoint on a node's disk is damaged.
    StateDamaged(NodeId),
    /// A node stands still for a while, longer or shorter than a lease.
    Frozen(NodeId),
    /// A node's disk is full for a while.
    DiskFull(NodeId),
    /// A node's copy of some data is damaged, and mended later.
    DataDamaged(NodeId),
    /// The leader dies.
    LeaderKilled,
    /// Somebody pauses the study; it is resumed when it rests.
    Paused,
}

impl World {
    pub(super) fn draw_fault(&mut self) -> Fault {
        let nodes = self.scenario.nodes();
        let node = self.random.pick(&nodes);
        let index = self.random.from(0..=2) as u32;
        match self.random.from(0..=12) {
            0 => Fault::NodeKilled(node),
            1 => Fault::NodeWiped(node),
            2 => Fault::FalseAlarm(node),
            3 => Fault::Hiccup(node),
            4 => Fault::Drained(node),
            5 | 6 => Fault::TrainerKilled(SlotId { node, index }),
            7 => Fault::StateDamaged(node),
            8 => Fault::LeaderKilled,
            9 => Fault::Frozen(node),
            10 => Fault::DiskFull(node),
            11 => Fault::DataDamaged(node),
            _ => Fault::Paused,
        }
    }

    pub(super) fn strike(&mut self, fault: Fault) {
        self.outcome.faults += 1;
        match fault {
            Fault::NodeKilled(node) => self.kill(node),
            Fault::NodeWiped(node) => {
                self.kill(node);
                self.node(node).states.clear();
            }
            Fault::FalseAlarm(node) => self.raise_false_alarm(node),
            Fault::Hiccup(node) => {
                let delay = self.random.from(100..=3000);
                self.plan(0, Happening::Told(Event::NodeSuspected(node)));
                self.plan(delay, Happening::Told(Event::NodeTrusted(node)));
            }
            Fault::Drained(node) => self.drain(node),
            Fault::TrainerKilled(slot) => self.kill_trainer(slot),
            Fault::StateDamaged(node) => {
                let newest = self.node(node).states.iter().next().copied();
                newest.map(|state| self.node(node).states.remove(&state));
            }
            Fault::Frozen(node) => {
                let until = Moment(self.now.0 + self.random.from(500..=40_000));
                self.node(node).frozen_until = until;
            }
            Fault::DiskFull(node) => {
                let until = Moment(self.now.0 + self.random.from(500..=10_000));
                self.node(node).full_until = until;
            }
            Fault::DataDamaged(node) => self.node(node).data_damaged = true,
            Fault::LeaderKilled => self.kill_leader(),
            Fault::Paused => self.tell(Event::PauseRequested),
        }
    }

    fn node(&mut self, id: NodeId) -> &mut super::node::SimulatedNode {
        self.nodes.get_mut(&id).expect("nodes are never removed")
    }

    fn kill(&mut self, id: NodeId) {
        if !self.node(id).alive {
            return;
        }
        self.node(id).die();
        let noticed = self.random.from(800..=1500);
        let back = noticed + self.random.from(0..=8000);
        let boot = self.node(id).boot;
        self.plan(noticed, Happening::Told(Event::NodeLeft { node: id, boot }));
        self.plan(back, Happening::Booted(id));
    }

    fn raise_false_alarm(&mut self, id: NodeId) {
        if self.node(id).alive {
            let delay = self.random.from(400..=3000);
            let boot = self.node(id).boot;
            self.plan(0, Happening::Told(Event::NodeLeft { node: id, boot }));
            self.plan(delay, Happening::Heard(id));
        }
    }

    fn drain(&mut self, id: NodeId) {
        if self.node(id).alive {
            let delay = self.random.from(500..=4000);
            self.plan(0, Happening::Told(Event::NodeDraining(id)));
            self.plan(delay, Happening::Struck(Fault::NodeKilled(id)));
        }
    }

    fn kill_trainer(&mut self, slot: SlotId) {
        let node = self.node(slot.node);
        if node.alive && node.jobs.remove(&slot.index).is_some() {
            node.next.remove(&slot.index);
            node.finished.remove(&slot.index);
            self.plan(1, Happening::Told(Event::SlotLost(slot)));
        }
    }
}
