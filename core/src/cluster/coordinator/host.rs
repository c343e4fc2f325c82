//! A node as the coordinator knows it: what it computes with and what it has.

use crate::ids::Digest;
use std::collections::BTreeSet;

/// A node that is there.
#[derive(Debug, Clone)]
pub(super) struct Host {
    pub(super) boot: u64,
    pub(super) slots: u32,
    pub(super) numerics: Digest,
    /// Bytes that it could take when it reported.
    pub(super) room: u64,
    pub(super) draining: bool,
    held: BTreeSet<Digest>,
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
        Self { boot, slots, numerics, room, draining, held: held.into_iter().collect() }
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
