//! When each blob came, in the order of this process: so that an order to remove one spares it if
//! it has come anew since.

use std::collections::BTreeMap;
use wallaby_core::ids::{Digest, Stamp};

/// The stamps of the blobs that have come since the store was opened.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    newest: u64,
    of: BTreeMap<Digest, Stamp>,
}

impl Stamps {
    /// A blob comes, or is wanted anew.
    pub(super) fn renew(&mut self, digest: Digest) -> Stamp {
        self.newest += 1;
        self.of.insert(digest, Stamp(self.newest));
        Stamp(self.newest)
    }

    /// `None` for what has not come since the opening, or was removed.
    pub(super) fn get(&self, digest: &Digest) -> Option<Stamp> {
        self.of.get(digest).copied()
    }

    pub(super) fn remove(&mut self, digest: &Digest) {
        self.of.remove(digest);
    }
}
