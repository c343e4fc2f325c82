//! A node as the coordinator knows it: what it computes with and what it has.

use crate::ids::{Digest, NodeId, Stamp};
use std::collections::BTreeMap;

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
    held: BTreeMap<Digest, Stamp>,
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
        held: Vec<(Digest, Stamp)>,
    ) -> Self {
        let (held, suspected) = (held.into_iter().collect(), false);
        Self { boot, slots, numerics, room, draining, suspected, held }
    }

    /// Takes over what was known of this life of the node before it reported anew.
    pub(super) fn go_on_from(&mut self, known: &Host) {
        for (blob, stamp) in &known.held {
            self.add(*blob, *stamp);
        }
    }

    /// The stamp of a blob that it has.
    pub(super) fn stamp(&self, blob: &Digest) -> Option<Stamp> {
        self.held.get(blob).copied()
    }

    pub(super) fn holds(&self, blob: &Digest) -> bool {
        self.held.contains_key(blob)
    }

    /// Whether that is news.
    pub(super) fn add(&mut self, blob: Digest, stamp: Stamp) -> bool {
        let news = self.stamp(&blob).is_none_or(|known| known < stamp);
        if news {
            self.held.insert(blob, stamp);
        }
        news
    }

    /// The stamp that it had, if it was there.
    pub(super) fn remove(&mut self, blob: &Digest) -> Option<Stamp> {
        self.held.remove(blob)
    }

    pub(super) fn held(&self) -> impl Iterator<Item = &Digest> {
        self.held.keys()
    }
}
