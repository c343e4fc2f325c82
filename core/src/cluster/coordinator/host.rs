//! A node as the coordinator knows it: what it computes with and what it has.

use crate::cluster::record::StudyId;
use crate::engine::Try;
use crate::ids::{Digest, Fence, NodeId};
use std::collections::{BTreeMap, BTreeSet};

/// A node that is there.
#[derive(Debug, Clone)]
pub(super) struct Host {
    pub(super) boot: u64,
    pub(super) slots: u32,
    pub(super) numerics: Digest,
    /// Bytes that it could take when it reported.
    pub(super) room: u64,
    pub(super) draining: bool,
    /// Its heartbeats are late.
    pub(super) suspected: bool,
    held: BTreeSet<Digest>,
    /// The last result of each slot: it is told again and again.
    results: BTreeMap<u32, (StudyId, Fence)>,
}

/// Nodes that have a blob; those that are silent last, since asking them may cost seconds.
pub(super) fn holders(hosts: &BTreeMap<NodeId, Host>, blob: &Digest) -> Vec<NodeId> {
    let holding = hosts.iter().filter(|(_, host)| host.holds(blob));
    let mut holding: Vec<(bool, NodeId)> =
        holding.map(|(id, host)| (host.suspected, *id)).collect();
    holding.sort();
    holding.into_iter().map(|(_, id)| id).collect()
}

impl Host {
    pub(super) fn new(
        boot: u64,
        slots: u32,
        numerics: Digest,
        room: u64,
        draining: bool,
        held: Vec<Digest>,
    ) -> Self {
        let (held, results) = (held.into_iter().collect(), BTreeMap::new());
        let suspected = false;
        Self { boot, slots, numerics, room, draining, suspected, held, results }
    }

    /// Takes over what was known of this life of the node before it reported anew. What it says
    /// that it has counts unless that was `released` meanwhile.
    pub(super) fn go_on_from(&mut self, known: &Host, released: impl Fn(&Digest) -> bool) {
        self.held.retain(|blob| !released(blob));
        self.held.extend(&known.held);
        self.results.clone_from(&known.results);
    }

    /// A slot tells a result; adds the state that it made. A repetition is no news: the state may
    /// have been removed since.
    pub(super) fn finished(&mut self, study: StudyId, attempt: &Try, state: Digest) -> bool {
        let result = (study, attempt.fence);
        let news = self.results.insert(attempt.slot.index, result) != Some(result);
        if news {
            self.held.insert(state);
        }
        news
    }

    pub(super) fn holds(&self, blob: &Digest) -> bool {
        self.held.contains(blob)
    }

    pub(super) fn add(&mut self, blob: Digest) {
        self.held.insert(blob);
    }

    /// Whether it was there.
    pub(super) fn remove(&mut self, blob: &Digest) -> bool {
        self.held.remove(blob)
    }

    pub(super) fn held(&self) -> impl Iterator<Item = &Digest> {
        self.held.iter()
    }
}
