//! The clock of a node: wall-clock time that never runs backwards while the process lives, and
//! stands still while the process does.
//! The only place where actors read the time that they hand to core.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use wallaby_core::ids::Moment;

/// The longest time between two readings that counts. A process that ticks several times a second
/// and was silent for longer was stopped (Ctrl-Z, a suspended laptop, a paused container): its
/// units were stopped with it, and neither a lease nor a budget may run out meanwhile.
const GAP_MAX: Duration = Duration::from_secs(2);

/// Milliseconds since the Unix epoch at the start of the process, plus the time since then on the
/// monotonic clock, less the times in which the process stood still. A clock that is set back or
/// forth does not disturb a running study.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    last: Instant,
    now: Duration,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { last: Instant::now(), now: since_epoch }
    }

    /// The time now. To be read at least every second while a study runs.
    pub fn now(&mut self) -> Moment {
        self.advance(Instant::now())
    }

    fn advance(&mut self, at: Instant) -> Moment {
        let gap = at.saturating_duration_since(self.last);
        self.last = at;
        self.now += if gap > GAP_MAX { Duration::ZERO } else { gap };
        Moment(self.now.as_millis() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_in_which_the_process_stood_still_does_not_count() {
        let mut clock = Clock::start();
        let (start, began) = (clock.last, clock.advance(clock.last));
        assert_eq!(clock.advance(start + Duration::from_secs(1)).millis_since(began), 1000);
        assert_eq!(clock.advance(start + Duration::from_secs(3600)).millis_since(began), 1000);
        assert_eq!(clock.advance(start + Duration::from_secs(3601)).millis_since(began), 2000);
    }
}
