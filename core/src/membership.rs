//! The leader's view of the cluster: which nodes live, what slots they have, what data they hold.
//! A view, fed by events; whether a node is really dead is not decided here.

use crate::ids::{NodeId, PartitionId, SlotId};
use crate::unit::Step;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How far a node may be relied upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It takes units.
    Alive,
    /// Its heartbeats are late: what it runs goes on, nothing new is sent.
    Suspected,
    /// It finishes its units and leaves: nothing new is sent.
    Draining,
    /// It cannot store checkpoints: nothing new is sent.
    Full,
}

/// What a node brings along when it joins.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Offer {
    /// Number of slots.
    pub slots: u32,
    /// The partitions it holds, each with its rank among the holders: 0 is the first.
    pub partitions: BTreeMap<PartitionId, u32>,
    /// Whether it holds the validation rows.
    pub validation: bool,
}

impl Offer {
    /// The node's rank among the holders of the data of `step`; `None` if it does not hold it.
    pub fn rank(&self, step: Step) -> Option<u32> {
        match step {
            Step::Train(partition) => self.partitions.get(&partition).copied(),
            Step::Validate => self.validation.then_some(0),
        }
    }

    /// Everything it holds, with its rank.
    fn data(&self) -> impl Iterator<Item = (Step, u32)> {
        let partitions = self.partitions.iter().map(|(id, rank)| (Step::Train(*id), *rank));
        partitions.chain(self.validation.then_some((Step::Validate, 0)))
    }
}

/// A node as the leader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Which of its lives: rises with every start of the process.
    pub boot: u64,
    /// How far it may be relied upon.
    pub standing: Standing,
    /// What it has.
    pub offer: Offer,
}

impl Node {
    /// Whether new units may be sent to it.
    pub fn takes_units(&self) -> bool {
        self.standing == Standing::Alive
    }
}

/// All nodes that have joined and not left.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    nodes: BTreeMap<NodeId, Node>,
    /// Who holds what, by rank; kept in step with the offers.
    holders: BTreeMap<Step, BTreeSet<(u32, NodeId)>>,
}

impl View {
    /// A node joins, or says anew what it has. False for news of an earlier life of the node.
    pub fn join(&mut self, id: NodeId, boot: u64, offer: Offer) -> bool {
        let current = self.nodes.get(&id).is_none_or(|node| node.boot <= boot);
        if current {
            self.remove(id);
            for (step, rank) in offer.data() {
                self.holders.entry(step).or_default().insert((rank, id));
            }
            self.nodes.insert(id, Node { boot, standing: Standing::Alive, offer });
        }
        current
    }

    /// This life of a node is over. `None` if the node is in another one, or unknown.
    pub fn leave(&mut self, id: NodeId, boot: u64) -> Option<Node> {
        self.nodes.get(&id).filter(|node| node.boot == boot)?;
        self.remove(id)
    }

    fn remove(&mut self, id: NodeId) -> Option<Node> {
        let node = self.nodes.remove(&id)?;
        for (step, rank) in node.offer.data() {
            self.drop_holder(step, rank, id);
        }
        Some(node)
    }

    fn drop_holder(&mut self, step: Step, rank: u32, id: NodeId) {
        if let Some(holders) = self.holders.get_mut(&step) {
            holders.remove(&(rank, id));
        }
    }

    /// A node's standing changes; unknown nodes are ignored.
    pub fn set_standing(&mut self, id: NodeId, standing: Standing) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.standing = standing;
        }
    }

    /// A node's heartbeats are late. One that takes no units anyway stays as it is.
    pub fn suspect(&mut self, id: NodeId) {
        self.change_standing(id, Standing::Alive, Standing::Suspected);
    }

    /// A suspected node's heartbeats are back. A draining or full one stays as it is.
    pub fn trust(&mut self, id: NodeId) {
        self.change_standing(id, Standing::Suspected, Standing::Alive);
    }

    /// A full node is given another chance.
    pub fn reopen(&mut self, id: NodeId) {
        self.change_standing(id, Standing::Full, Standing::Alive);
    }

    fn change_standing(&mut self, id: NodeId, from: Standing, to: Standing) {
        if let Some(node) = self.nodes.get_mut(&id).filter(|node| node.standing == from) {
            node.standing = to;
        }
    }

    /// A node's copy of the data of `step` is of no use any more.
    pub fn drop_data(&mut self, id: NodeId, step: Step) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let Some(rank) = node.offer.rank(step) else { return };
        match step {
            Step::Train(partition) => {
                node.offer.partitions.remove(&partition);
            }
            Step::Validate => node.offer.validation = false,
        }
        self.drop_holder(step, rank, id);
    }

    /// The node of this id.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    /// All nodes, by id.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().map(|(id, node)| (*id, node))
    }

    /// All slots of nodes that take units.
    pub fn slots(&self) -> impl Iterator<Item = SlotId> {
        let open = self.nodes.iter().filter(|(_, node)| node.takes_units());
        open.flat_map(|(id, node)| (0..node.offer.slots).map(|index| SlotId { node: *id, index }))
    }

    /// Whether a known node has this slot, whatever its standing.
    pub fn has_slot(&self, slot: SlotId) -> bool {
        self.nodes.get(&slot.node).is_some_and(|node| slot.index < node.offer.slots)
    }

    /// Whether `id` is a known node that holds the data of `step`, whatever its standing.
    pub fn holds(&self, id: NodeId, step: Step) -> bool {
        self.nodes.get(&id).is_some_and(|node| node.offer.rank(step).is_some())
    }

    /// The nodes that take units and hold the data of `step`, by rank, then by id.
    pub fn holders(&self, step: Step) -> Vec<NodeId> {
        let ranked = self.holders.get(&step).into_iter().flatten().map(|(_, id)| *id);
        ranked.filter(|id| self.nodes.get(id).is_some_and(Node::takes_units)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(partitions: &[(u32, u32)]) -> Offer {
        let partitions = partitions.iter().map(|(p, rank)| (PartitionId(*p), *rank)).collect();
        Offer { slots: 2, partitions, validation: true }
    }

    fn view() -> View {
        let mut view = View::default();
        view.join(NodeId(1), 1, offer(&[(0, 1), (1, 0)]));
        view.join(NodeId(2), 1, offer(&[(0, 0)]));
        view
    }

    #[test]
    fn holders_are_ordered_by_rank() {
        let step = Step::Train(PartitionId(0));
        assert_eq!(view().holders(step), [NodeId(2), NodeId(1)]);
    }

    #[test]
    fn news_of_an_earlier_life_is_ignored() {
        let mut view = view();
        assert!(view.join(NodeId(1), 2, offer(&[])));
        assert!(!view.join(NodeId(1), 1, offer(&[(0, 0)])));
        assert!(view.leave(NodeId(1), 1).is_none());
        assert!(view.leave(NodeId(1), 2).is_some());
    }

    #[test]
    fn a_suspected_node_keeps_its_data_and_offers_no_slot() {
        let mut view = view();
        view.set_standing(NodeId(2), Standing::Suspected);
        let step = Step::Train(PartitionId(0));
        assert_eq!(view.holders(step), [NodeId(1)]);
        assert!(view.holds(NodeId(2), step));
        assert!(view.slots().all(|slot| slot.node == NodeId(1)));
    }

    #[test]
    fn a_node_with_a_damaged_copy_is_no_holder() {
        let mut view = view();
        view.drop_data(NodeId(1), Step::Train(PartitionId(1)));
        assert!(view.holders(Step::Train(PartitionId(1))).is_empty());
        view.drop_data(NodeId(1), Step::Validate);
        assert_eq!(view.holders(Step::Validate), [NodeId(2)]);
    }
}
