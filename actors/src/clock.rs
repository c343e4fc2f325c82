//! The clock of a node: wall-clock time that never runs backwards while the process lives.
//! The only place where actors read the time that they hand to core.

use std::time::{Instant, SystemTime, UNIX_EPOCH};
use wallaby_core::ids::Moment;

/// Milliseconds since the Unix epoch at the start of the process, plus the time since then on the
/// monotonic clock: a clock that is set back or forth does not disturb a running study.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    offset_millis: u64,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), offset_millis: since_epoch.as_millis() as u64 }
    }

    /// The time now.
    pub fn now(&self) -> Moment {
        Moment(self.offset_millis + self.started.elapsed().as_millis() as u64)
    }
}
