//! Waits for conditions, each with a bound and with words for what was seen instead.

use std::time::{Duration, Instant};

/// Between two looks at a condition that nobody announces.
const PAUSE: Duration = Duration::from_millis(20);

/// How long a cluster may take to come to something. Far more than it needs on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Looks until there is something, and gives it back. `look` says what it sees instead.
#[track_caller]
pub(crate) fn await_some<T>(
    what: &str,
    within: Duration,
    mut look: impl FnMut() -> Result<T, String>,
) -> T {
    let began = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) if began.elapsed() > within => {
                panic!("{what}: not within {within:?}; last seen: {seen}")
            }
            Err(_) => std::thread::park_timeout(PAUSE),
        }
    }
}

/// `Ok` if it holds, else what is seen instead.
pub(crate) fn holds(condition: bool, seen: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(seen()) }
}
