//! How many transfers there may be at once: in all, and with one peer. Those that are too many
//! wait for their turn, in the order in which they came.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Transfers at once of this process.
const TRANSFERS_MAX: usize = 8;
/// Transfers at once with one peer.
const TRANSFERS_PER_PEER_MAX: usize = 3;

/// The turns of all transfers of one process.
#[derive(Debug)]
pub(super) struct Limits {
    all: Arc<Semaphore>,
    by_peer: Mutex<BTreeMap<String, Arc<Semaphore>>>,
}

/// The right to move a blob, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _of_all: Option<OwnedSemaphorePermit>,
    _with_peer: Option<OwnedSemaphorePermit>,
}

impl Limits {
    /// Nothing is moved yet.
    pub(super) fn new() -> Self {
        Self { all: Arc::new(Semaphore::new(TRANSFERS_MAX)), by_peer: Mutex::default() }
    }

    /// Waits for a turn with a peer. Who waits for a busy peer keeps nobody else from theirs.
    pub(super) async fn turn(&self, peer: &str) -> Turn {
        // Neither is ever closed, so there always is a permit.
        let with_peer = self.of_peer(peer).acquire_owned().await.ok();
        let of_all = Arc::clone(&self.all).acquire_owned().await.ok();
        Turn { _of_all: of_all, _with_peer: with_peer }
    }

    fn of_peer(&self, peer: &str) -> Arc<Semaphore> {
        // A panic while the lock is held leaves a complete map behind.
        let mut by_peer = self.by_peer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(semaphore) = by_peer.get(peer) {
            return Arc::clone(semaphore);
        }
        // Whoever has a permit or waits for one holds the semaphore too.
        by_peer.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        let semaphore = Arc::new(Semaphore::new(TRANSFERS_PER_PEER_MAX));
        by_peer.insert(peer.to_owned(), Arc::clone(&semaphore));
        semaphore
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    /// The turn, if it is there without waiting.
    fn at_once(limits: &Limits, peer: &str) -> Option<Turn> {
        match pin!(limits.turn(peer)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_peer_has_three_turns_and_the_process_eight() {
        let limits = Limits::new();
        let mut turns = Vec::new();
        for peer in ["a", "b"] {
            turns.extend((0..3).map(|_| at_once(&limits, peer).unwrap()));
            assert!(at_once(&limits, peer).is_none());
        }
        turns.extend((0..2).map(|_| at_once(&limits, "c").unwrap()));
        assert!(at_once(&limits, "c").is_none());
        turns.remove(0);
        assert!(at_once(&limits, "b").is_none());
        assert!(at_once(&limits, "a").is_some());
    }

    #[test]
    fn peers_of_the_past_are_forgotten() {
        let limits = Limits::new();
        for peer in 0..100 {
            drop(at_once(&limits, &peer.to_string()).unwrap());
        }
        assert_eq!(limits.by_peer.lock().unwrap().len(), 1);
    }
}
