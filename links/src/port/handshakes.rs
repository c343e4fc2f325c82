//! The handshakes under way, of which there are so many at most. The oldest gives way to the newest:
//! a peer needs milliseconds, so that those who are silent only push out each other, and nobody who
//! has the secret waits behind them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The handshakes of a port.
#[derive(Debug)]
pub(super) struct Handshakes {
    most: usize,
    under_way: Mutex<UnderWay>,
}

#[derive(Debug, Default)]
struct UnderWay {
    next: u64,
    /// By number, so the oldest comes first. What is dropped gives up its handshake.
    kept: BTreeMap<u64, oneshot::Sender<()>>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Handshake {
    number: u64,
    kept: oneshot::Receiver<()>,
}

impl Handshakes {
    /// None yet, and at most so many.
    pub(super) fn new(most: usize) -> Self {
        Self { most, under_way: Mutex::default() }
    }

    /// Begins one, for which the oldest may have to give way.
    pub(super) fn begin(&self) -> Handshake {
        let mut under_way = self.lock();
        while under_way.kept.len() >= self.most.max(1) {
            under_way.kept.pop_first();
        }
        let (keep, kept) = oneshot::channel();
        let number = under_way.next;
        under_way.next += 1;
        under_way.kept.insert(number, keep);
        Handshake { number, kept }
    }

    /// One is over.
    pub(super) fn end(&self, handshake: &Handshake) {
        self.lock().kept.remove(&handshake.number);
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handshake {
    /// Resolves when it has to give way.
    pub(super) async fn given_up(&mut self) {
        // Nothing is ever sent.
        let _ = (&mut self.kept).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_that_is_not_over_gives_way() {
        let handshakes = Handshakes::new(2);
        let (first, mut second) = (handshakes.begin(), handshakes.begin());
        handshakes.end(&first);
        let _third = handshakes.begin();
        let mut fourth = handshakes.begin();
        second.given_up().await;
        let still = tokio::time::timeout(std::time::Duration::ZERO, fourth.given_up());
        assert!(still.await.is_err(), "the newest goes on");
        assert_eq!(handshakes.lock().kept.len(), 2);
    }
}
