//! How much is under way to each peer: what holds a sender back before its letters pile up.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ractor::ActorId;

use super::{PEERS_MAX, WINDOW_BYTES};

/// How many bytes are under way to each peer.
#[derive(Debug, Default)]
pub(super) struct Windows(Mutex<BTreeMap<String, Window>>);

#[derive(Debug)]
struct Window {
    /// The peer's post as its session knows it: another session, another window.
    member: ActorId,
    under_way: u64,
}

impl Windows {
    /// Counts a letter to be sent, if there is room for it.
    pub(super) fn take(&self, to: &str, member: ActorId, cost: u64) -> bool {
        let mut windows = self.lock();
        if windows.len() >= PEERS_MAX && !windows.contains_key(to) {
            windows.retain(|to, _| super::member(to).is_some());
        }
        let window =
            windows.entry(to.to_owned()).or_insert_with(|| Window { member, under_way: 0 });
        if window.member != member {
            *window = Window { member, under_way: 0 };
        }
        let room = window.under_way + cost <= WINDOW_BYTES;
        if room {
            window.under_way += cost;
        }
        room
    }

    pub(super) fn credit(&self, peer: &str, credited: u64) {
        if let Some(window) = self.lock().get_mut(peer) {
            window.under_way = window.under_way.saturating_sub(credited);
        }
    }

    pub(super) fn forget(&self, peer: &str) {
        self.lock().remove(peer);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Window>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
