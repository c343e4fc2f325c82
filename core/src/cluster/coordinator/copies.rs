//! Which blobs should be brought where, and what is on its way.
//!
//! A trial's newest checkpoint goes to the node that will need it while that node's slots still
//! compute, so that no slot waits for a hop; and until it lies on two nodes it goes to another
//! one, so that no single loss costs more than the unit in flight. Best states and those that
//! close an epoch lie on two nodes likewise, data on as many as it is placed on.
//!
//! With every event only the trials are looked at that it has changed: there may be thousands.
//! Everything is gone through when nodes come, go or change, and with every tick.

use super::Coordinator;
use super::events::{ClusterCommand, Purpose};
use super::host::{self, Host};
use crate::cluster::record::StudyId;
use crate::engine::Precious;
use crate::ids::{Digest, Moment, NodeId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many blobs may be on their way to one node.
const TO_ONE_NODE_MAX: usize = 4;

/// A copy of which nothing is heard for so long is ordered again.
const SILENCE_MILLIS_MAX: u64 = 60_000;

/// A copy that failed is tried again after this time.
const RETRY_MILLIS: u64 = 1_000;

/// A copy that should be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    node: NodeId,
    blob: Digest,
    durable: bool,
    purpose: Purpose,
    study: StudyId,
}

/// Copies that wait until their node can take them.
#[derive(Debug, Clone, Default)]
struct Waiting {
    hops: VecDeque<Wanted>,
    others: VecDeque<Wanted>,
}

impl Waiting {
    fn push(&mut self, wanted: Wanted) {
        match wanted.purpose {
            Purpose::Hop => self.hops.push_back(wanted),
            Purpose::Safety | Purpose::Data => self.others.push_back(wanted),
        }
    }

    /// The most urgent one, of these the first.
    fn pop(&mut self) -> Option<Wanted> {
        self.hops.pop_front().or_else(|| self.others.pop_front())
    }
}

/// Copies on their way.
#[derive(Debug, Clone, Default)]
pub(super) struct Copies {
    under_way: BTreeMap<(NodeId, Digest), Moment>,
    failed: BTreeMap<(NodeId, Digest), Moment>,
    /// What is wanted and not ordered yet, by node.
    waiting: BTreeMap<NodeId, Waiting>,
    /// Whether everything is to be gone through.
    all: bool,
}

impl Copies {
    /// A node fetches a blob on its own account.
    pub(super) fn under_way(&mut self, node: NodeId, blob: Digest, now: Moment) {
        self.under_way.insert((node, blob), now);
    }

    /// Whether it was on its way.
    pub(super) fn arrived(&mut self, node: NodeId, blob: Digest) -> bool {
        self.failed.remove(&(node, blob));
        self.under_way.remove(&(node, blob)).is_some()
    }

    pub(super) fn missed(&mut self, node: NodeId, blob: Digest, now: Moment) {
        if self.under_way.remove(&(node, blob)).is_some() {
            self.failed.insert((node, blob), now);
        }
    }

    pub(super) fn forget_node(&mut self, lost: NodeId) {
        self.under_way.retain(|(node, _), _| *node != lost);
        self.failed.retain(|(node, _), _| *node != lost);
    }

    /// Something has changed that concerns more than a few trials.
    pub(super) fn go_through_all(&mut self) {
        self.all = true;
    }

    /// Orders what is wanted and not on its way, as far as the nodes can take it now.
    fn order(
        &mut self,
        wanted: Vec<Wanted>,
        hosts: &BTreeMap<NodeId, Host>,
        is_needed: impl Fn(&Digest) -> bool,
        now: Moment,
    ) -> Vec<ClusterCommand> {
        self.under_way.retain(|(node, blob), since| {
            let there = hosts.get(node).is_none_or(|host| host.holds(blob));
            !there && now.millis_since(*since) < SILENCE_MILLIS_MAX
        });
        self.failed.retain(|_, at| now.millis_since(*at) < RETRY_MILLIS);
        for wanted in wanted {
            self.waiting.entry(wanted.node).or_default().push(wanted);
        }
        let mut load: BTreeMap<NodeId, usize> = BTreeMap::new();
        self.under_way.keys().for_each(|(node, _)| *load.entry(*node).or_default() += 1);
        let mut commands = Vec::new();
        for (node, waiting) in &mut self.waiting {
            let load = load.entry(*node).or_default();
            while *load < TO_ONE_NODE_MAX
                && let Some(Wanted { node, blob, durable, purpose, study }) = waiting.pop()
            {
                let key = (node, blob);
                let known = self.under_way.contains_key(&key) || self.failed.contains_key(&key);
                // It may have waited for a while.
                let lacks = hosts.get(&node).is_some_and(|host| !host.holds(&blob));
                if known || !lacks || !is_needed(&blob) {
                    continue;
                }
                let sources = host::holders(hosts, &blob);
                if sources.is_empty() {
                    continue;
                }
                *load += 1;
                self.under_way.insert(key, now);
                let copy = ClusterCommand::Copy { node, blob, sources, durable, purpose, study };
                commands.push(copy);
            }
        }
        commands
    }
}

fn of(study: StudyId, all: Vec<Precious>) -> impl Iterator<Item = (StudyId, Precious)> {
    all.into_iter().map(move |precious| (study, precious))
}

impl Coordinator {
    /// Orders the copies that should be made.
    pub(super) fn make_copies(&mut self) {
        let anew = self.seats.iter_mut().flat_map(|(id, seat)| of(*id, seat.precious_anew()));
        let anew: Vec<(StudyId, Precious)> = anew.collect();
        let wanted = if std::mem::take(&mut self.copies.all) {
            self.copies.waiting.clear();
            let all = self.seats.iter().flat_map(|(id, seat)| of(*id, seat.precious())).collect();
            [self.wanted_states(all), self.wanted_data()].concat()
        } else {
            self.wanted_states(anew)
        };
        let mut copies = std::mem::take(&mut self.copies);
        let commands = copies.order(wanted, &self.hosts, |blob| self.is_needed(blob), self.now);
        self.copies = copies;
        for copy in commands {
            if let ClusterCommand::Copy { node, .. } = &copy {
                self.garbage.doubt(*node, self.now);
            }
            self.commands.push_back(copy);
        }
    }

    /// The copies of these checkpoints that should be made.
    fn wanted_states(&self, precious: Vec<(StudyId, Precious)>) -> Vec<Wanted> {
        let wanted =
            precious.into_iter().filter_map(|(study, Precious { state, home, durable })| {
                let want = |node, purpose| Wanted { node, blob: state, durable, purpose, study };
                let away =
                    |home: &NodeId| self.hosts.get(home).is_some_and(|host| !host.holds(&state));
                let hop = home.filter(away).map(|home| want(home, Purpose::Hop));
                hop.or_else(|| Some(want(self.spare_for(&state, study)?, Purpose::Safety)))
            });
        wanted.collect()
    }

    /// Where a second copy of a checkpoint of `study` should go, if there is only one. A node of
    /// another numerics class runs none of its units, so it is the last resort.
    fn spare_for(&self, state: &Digest, study: StudyId) -> Option<NodeId> {
        let class = self.seats.get(&study)?.class();
        let is_mate = |host: &Host| !host.draining && host.numerics == class;
        let among_mates = self.hosts.values().filter(|host| is_mate(host)).count() >= 2;
        let stays = |host: &Host| !host.draining && (!among_mates || is_mate(host));
        let holders: BTreeSet<NodeId> = {
            let holding = self.hosts.iter().filter(|(_, host)| host.holds(state) && stays(host));
            holding.map(|(id, _)| *id).collect()
        };
        if holders.len() >= 2 {
            return None;
        }
        // The next one in the ring of nodes, so that each node is the spare of another one.
        let after = holders.first().copied().unwrap_or(NodeId(0));
        let others = || {
            let open = self.hosts.iter().filter(|(_, host)| stays(host));
            open.map(|(id, _)| *id).filter(|id| !holders.contains(id))
        };
        others().find(|id| *id > after).or_else(|| others().next())
    }

    /// Data that nodes should have and do not.
    fn wanted_data(&self) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        for (id, seat) in self.seats.iter().filter(|(_, seat)| seat.engine().is_some()) {
            let (study, purpose) = (*id, Purpose::Data);
            let manifest = &seat.study().creation.manifest;
            let mut want = |node: &NodeId, blob: Digest| {
                if self.hosts.get(node).is_some_and(|host| !host.holds(&blob)) {
                    wanted.push(Wanted { node: *node, blob, durable: true, purpose, study });
                }
            };
            for (blob, holders) in manifest.partitions.iter().zip(&seat.placement) {
                holders.iter().for_each(|node| want(node, blob.digest));
            }
            self.hosts.keys().for_each(|node| want(node, manifest.validation.digest));
        }
        wanted
    }

    /// How many copies of a study's data are still to be made, until every part of it lies on as
    /// many nodes as data is to lie on, or on all if they are fewer. Nodes that are away count as
    /// nodes where the data was to lie, not as having it: that may be lost.
    pub fn data_lacking(&self, id: StudyId) -> usize {
        let Some(seat) = self.seats.get(&id).filter(|seat| seat.engine().is_some()) else {
            return 0;
        };
        let replicas = (self.replicas as usize).max(1);
        let open = self.rooms(&seat.class()).len();
        let lacking = |blob, placed: usize| {
            let having = self.hosts.values().filter(|host| host.holds(blob)).count();
            replicas.min(open.max(placed)).max(1).saturating_sub(having)
        };
        let manifest = &seat.study().creation.manifest;
        let partitions = manifest.partitions.iter().zip(&seat.placement);
        let partitions = partitions.map(|(blob, holders)| lacking(&blob.digest, holders.len()));
        let nodes: BTreeSet<NodeId> = seat.placement.iter().flatten().copied().collect();
        partitions.sum::<usize>() + lacking(&manifest.validation.digest, nodes.len())
    }

    /// Whether a node may go: nothing runs on it, and others that stay have everything that only
    /// it had.
    pub fn is_drained(&self, node: NodeId) -> bool {
        let Some(host) = self.hosts.get(&node) else { return true };
        let elsewhere = |blob: &Digest| {
            let mut others =
                self.hosts.iter().filter(|(id, other)| **id != node && !other.draining);
            others.any(|(_, other)| other.holds(blob))
        };
        let data = self.seats.values().filter(|seat| seat.engine().is_some());
        let data = data.flat_map(|seat| seat.data()).chain(self.reserved.keys()).copied();
        let states = self.seats.values().flat_map(|seat| seat.precious());
        let mut only_here = data.chain(states.map(|precious| precious.state));
        let needed = only_here.any(|blob| host.holds(&blob) && !elsewhere(&blob));
        self.is_idle(node) && !needed
    }
}
