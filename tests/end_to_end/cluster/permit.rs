//! How many clusters may be alive at once: each is several processes that compute.

use std::sync::{Condvar, Mutex, PoisonError};

/// Clusters at once. More would make each of them wait for the processors, and with them the
/// bounds on what is waited for.
const CLUSTERS_MAX: usize = 2;

static ALIVE: Mutex<usize> = Mutex::new(0);
static ENDED: Condvar = Condvar::new();

/// The right to have a cluster; given back when dropped.
pub(crate) struct Permit(());

impl Permit {
    /// Waits for its turn.
    pub(crate) fn wait() -> Self {
        let alive = ALIVE.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |alive: &mut usize| *alive >= CLUSTERS_MAX;
        let mut alive = ENDED.wait_while(alive, full).unwrap_or_else(PoisonError::into_inner);
        *alive += 1;
        Self(())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *ALIVE.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ENDED.notify_one();
    }
}
