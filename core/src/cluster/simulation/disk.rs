//! The disk of a simulated machine: its blobs, each with the stamp of when it came.

use crate::ids::{Digest, Stamp};
use std::collections::BTreeMap;

/// A disk.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    blobs: BTreeMap<Digest, Stamp>,
    newest: u64,
}

impl Disk {
    pub(super) fn contains(&self, blob: &Digest) -> bool {
        self.blobs.contains_key(blob)
    }

    /// The stamp of a blob, if it is here.
    pub(super) fn stamp(&self, blob: &Digest) -> Option<Stamp> {
        self.blobs.get(blob).copied()
    }

    /// A blob comes, whether or not it is here; gives back its stamp.
    pub(super) fn insert(&mut self, blob: Digest) -> Stamp {
        self.newest += 1;
        self.blobs.insert(blob, Stamp(self.newest));
        Stamp(self.newest)
    }

    /// Removes a blob unless it has come anew; whether it is gone by that.
    pub(super) fn release(&mut self, blob: &Digest, stamp: Stamp) -> bool {
        let due = self.blobs.get(blob).is_some_and(|known| *known <= stamp);
        due && self.blobs.remove(blob).is_some()
    }

    /// A blob is damaged.
    pub(super) fn lose(&mut self, blob: &Digest) {
        self.blobs.remove(blob);
    }

    /// Another process begins, which knows only what lies here.
    pub(super) fn restart(&mut self) {
        self.newest = 0;
        self.blobs.values_mut().for_each(|stamp| *stamp = Stamp(0));
    }

    pub(super) fn blobs(&self) -> impl Iterator<Item = &Digest> {
        self.blobs.keys()
    }

    /// All blobs with their stamps.
    pub(super) fn list(&self) -> Vec<(Digest, Stamp)> {
        self.blobs.iter().map(|(blob, stamp)| (*blob, *stamp)).collect()
    }
}
