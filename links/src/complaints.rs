//! Lines about somebody, at most one a minute for each, in bounded memory: whoever is complained
//! about must not be able to fill a disk with it. Never logs by itself.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

/// How long after a line about somebody the next one may follow.
const SILENCE: Duration = Duration::from_secs(60);

/// How many are told apart; all others share one line a minute.
const NAMES_MAX: usize = 64;

/// When something was last said about whom (an address, a name), and how much has happened since.
#[derive(Debug)]
pub struct Complaints<K> {
    about: HashMap<K, Said>,
    elsewhere: Option<Said>,
}

#[derive(Debug)]
struct Said {
    at: Instant,
    unsaid: u64,
}

/// A line that is due.
#[derive(Debug, PartialEq, Eq)]
pub struct Due<K> {
    /// About whom; nobody in particular if too many are complained about.
    pub about: Option<K>,
    /// How often it has happened since the line before, this time included.
    pub times: u64,
}

impl<K> Default for Complaints<K> {
    fn default() -> Self {
        Self { about: HashMap::new(), elsewhere: None }
    }
}

impl<K: Eq + Hash + Clone> Complaints<K> {
    /// Notes that something happened with `who`; returns what is to be said about it now.
    pub fn note(&mut self, now: Instant, who: K) -> Option<Due<K>> {
        if !self.about.contains_key(&who) && self.about.len() >= NAMES_MAX {
            self.about.retain(|_, said| now < said.at + SILENCE);
        }
        if let Some(said) = self.about.get_mut(&who) {
            return said.again(now).map(|times| Due { about: Some(who), times });
        }
        if self.about.len() < NAMES_MAX {
            self.about.insert(who.clone(), Said { at: now, unsaid: 0 });
            return Some(Due { about: Some(who), times: 1 });
        }
        match &mut self.elsewhere {
            Some(said) => said.again(now).map(|times| Due { about: None, times }),
            none => {
                *none = Some(Said { at: now, unsaid: 0 });
                Some(Due { about: None, times: 1 })
            }
        }
    }
}

impl Said {
    fn again(&mut self, now: Instant) -> Option<u64> {
        self.unsaid += 1;
        if now < self.at + SILENCE {
            return None;
        }
        self.at = now;
        Some(std::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn an_address_is_named_at_once_and_then_once_a_minute_with_the_count() {
        let (mut complaints, start) = (Complaints::default(), Instant::now());
        let about = Some(address(1));
        assert_eq!(complaints.note(start, address(1)), Some(Due { about, times: 1 }));
        for second in 1..60 {
            assert_eq!(complaints.note(start + Duration::from_secs(second), address(1)), None);
        }
        let due = complaints.note(start + SILENCE, address(1));
        assert_eq!(due, Some(Due { about, times: 60 }));
    }

    #[test]
    fn a_flood_from_all_ports_makes_65_lines_and_no_more_memory() {
        let (mut complaints, start) = (Complaints::default(), Instant::now());
        let lines = (1..=u16::MAX).filter_map(|port| complaints.note(start, address(port)));
        assert_eq!(lines.count(), NAMES_MAX + 1);
        assert_eq!(complaints.about.len(), NAMES_MAX);
    }

    #[test]
    fn addresses_of_the_minute_before_make_room() {
        let (mut complaints, start) = (Complaints::default(), Instant::now());
        for port in 1..=NAMES_MAX as u16 {
            complaints.note(start, address(port));
        }
        let due = complaints.note(start + SILENCE, address(9_999));
        assert_eq!(due, Some(Due { about: Some(address(9_999)), times: 1 }));
    }
}
