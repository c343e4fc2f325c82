//! Which datagrams were let in before: a sliding window of counters for each sender.
//!
//! By counters and not by time, since the clocks of a cluster may jump by hours. A sender counts
//! its datagrams to all nodes together, some 60 a second, so [`WINDOW`] spans about a minute: what
//! is older is refused unseen. A sender that is not known is let in with whatever counter comes
//! first. So somebody who recorded datagrams of an earlier life can play them to a node that has
//! just started, and make that life look alive to it for as long as the record lasts; gossip is a
//! hint, and a newer life of the same node takes precedence.

use std::{
    collections::{HashMap, hash_map::Entry},
    time::Instant,
};

use super::seal::{Opened, Refusal, Session};

/// How far behind a sender's newest counter a datagram may be.
pub(crate) const WINDOW: u64 = 4096;
const WORD_BITS: u64 = 64;
const WORDS: usize = (WINDOW / WORD_BITS) as usize;

/// How many senders are remembered; the one not heard for longest gives way.
const SESSIONS_MAX: usize = 1024;

/// The counters seen of each sender.
#[derive(Default)]
pub(crate) struct Replays {
    sessions: HashMap<Session, Heard>,
}

struct Heard {
    at: Instant,
    window: Window,
}

impl Replays {
    /// Lets `opened` in, once.
    pub(crate) fn admit(&mut self, now: Instant, opened: &Opened) -> Result<(), Refusal> {
        if self.sessions.len() >= SESSIONS_MAX && !self.sessions.contains_key(&opened.session) {
            self.forget_oldest();
        }
        let fresh = match self.sessions.entry(opened.session) {
            Entry::Occupied(heard) => {
                let heard = heard.into_mut();
                heard.at = now;
                heard.window.admit(opened.counter)
            }
            Entry::Vacant(vacant) => {
                vacant.insert(Heard { at: now, window: Window::starting(opened.counter) });
                true
            }
        };
        if fresh { Ok(()) } else { Err(Refusal::Repeated) }
    }

    fn forget_oldest(&mut self) {
        let oldest = self.sessions.iter().min_by_key(|(_, heard)| heard.at).map(|(id, _)| *id);
        if let Some(oldest) = oldest {
            self.sessions.remove(&oldest);
        }
    }
}

/// The newest counter of a sender, and which of those just below it were seen. A counter's bit has
/// the place `counter % WINDOW`.
struct Window {
    newest: u64,
    seen: Box<[u64; WORDS]>,
}

impl Window {
    fn starting(counter: u64) -> Window {
        let mut window = Window { newest: counter, seen: Box::new([0; WORDS]) };
        window.mark(counter);
        window
    }

    fn admit(&mut self, counter: u64) -> bool {
        if counter > self.newest {
            self.slide_to(counter);
        } else if self.newest - counter >= WINDOW || self.is_marked(counter) {
            return false;
        }
        self.mark(counter);
        true
    }

    fn slide_to(&mut self, counter: u64) {
        if counter - self.newest >= WINDOW {
            self.seen.fill(0);
        } else {
            for skipped in self.newest + 1..=counter {
                let (word, bit) = place(skipped);
                self.seen[word] &= !bit;
            }
        }
        self.newest = counter;
    }

    fn is_marked(&self, counter: u64) -> bool {
        let (word, bit) = place(counter);
        self.seen[word] & bit != 0
    }

    fn mark(&mut self, counter: u64) {
        let (word, bit) = place(counter);
        self.seen[word] |= bit;
    }
}

/// The word and the bit in it that stand for `counter`.
fn place(counter: u64) -> (usize, u64) {
    let place = counter % WINDOW;
    ((place / WORD_BITS) as usize, 1 << (place % WORD_BITS))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn opened(session: u32, counter: u64) -> Opened {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&session.to_le_bytes());
        Opened { session: Session(id), counter, message: Vec::new() }
    }

    proptest! {
        #[test]
        fn a_counter_is_let_in_once_and_only_within_the_window(
            start in prop_oneof![Just(0_u64), 0..20_000_u64, Just(u64::MAX - 5_000)],
            steps in vec(prop_oneof![0..40_u64, 4000..4200_u64, 0..9_000_u64], 1..300),
        ) {
            let mut replays = Replays::default();
            let now = Instant::now();
            let (mut newest, mut seen) = (None::<u64>, BTreeSet::new());
            for step in steps {
                let counter = start.saturating_add(step);
                let late = newest.is_some_and(|newest| newest.saturating_sub(counter) >= WINDOW);
                let expected = !late && seen.insert(counter);
                newest = newest.max(Some(counter));
                prop_assert_eq!(replays.admit(now, &opened(1, counter)).is_ok(), expected);
            }
        }
    }

    #[test]
    fn senders_do_not_share_counters() {
        let (mut replays, now) = (Replays::default(), Instant::now());
        assert!(replays.admit(now, &opened(1, 5)).is_ok());
        assert!(replays.admit(now, &opened(2, 5)).is_ok());
        assert_eq!(replays.admit(now, &opened(1, 5)), Err(Refusal::Repeated));
    }

    #[test]
    fn the_sender_not_heard_for_longest_gives_way() {
        let (mut replays, start) = (Replays::default(), Instant::now());
        for sender in 0..SESSIONS_MAX as u32 + 10 {
            let now = start + Duration::from_millis(u64::from(sender));
            assert!(replays.admit(now, &opened(sender, 1)).is_ok());
        }
        assert_eq!(replays.sessions.len(), SESSIONS_MAX);
        assert!(replays.sessions.contains_key(&opened(10, 1).session));
        assert!(!replays.sessions.contains_key(&opened(9, 1).session));
    }
}
