//! Who is in the cluster, as gossip tells: numbers, names, addresses. A hint, never authority.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
pub(crate) use wallaby_core::cluster::Presence;
use wallaby_core::ids::NodeId;
use wallaby_links::gossip::{Change, Member};

/// The keys of what nodes gossip about themselves.
pub(crate) mod keys {
    pub(crate) const ID: &str = "id";
    pub(crate) const PID: &str = "pid";
    pub(crate) const SLOTS: &str = "slots";
    pub(crate) const VERSION: &str = "version";
    pub(crate) const PROTOCOL: &str = "protocol";
    pub(crate) const NUMERICS: &str = "numerics";
    pub(crate) const FOUNDED: &str = "founded";
    pub(crate) const ROLE: &str = "role";
    pub(crate) const TERM: &str = "term";
    pub(crate) const RUNNING: &str = "running";
    pub(crate) const PARTITIONS: &str = "partitions";
    pub(crate) const BYTES: &str = "bytes";
    pub(crate) const STANDING: &str = "standing";
}

/// How long a node that has left is remembered, unless it votes.
const REMEMBERED: Duration = Duration::from_secs(600);

/// A node in the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) member: Member,
    /// As gossip sees it from here.
    pub(crate) presence: Presence,
    /// Since when it is so.
    since: Instant,
}

impl Listing {
    /// What the node tells under a key.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        self.member.values.get(key).map(String::as_str)
    }

    /// A number that the node tells.
    pub(crate) fn number<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.value(key)?.parse().ok()
    }

    /// Its number in the cluster, once it has one.
    pub(crate) fn id(&self) -> Option<NodeId> {
        self.number(keys::ID).map(NodeId)
    }

    /// Whether it has left for good: nobody waits for a trainer that has been gone for so long.
    fn is_forgotten(&self) -> bool {
        let votes = matches!(self.value(keys::ROLE), Some("leader" | "voter"));
        self.presence == Presence::Left && !votes && self.since.elapsed() >= REMEMBERED
    }

    /// How the actors' sessions call it.
    pub(crate) fn session(&self) -> String {
        session_name(&self.member.name, self.member.boot)
    }
}

/// How the actors' sessions call a life of a node.
pub(crate) fn session_name(name: &str, boot: u64) -> String {
    format!("{name}#{boot}")
}

/// The directory; clones are the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory(Arc<RwLock<BTreeMap<String, Listing>>>);

impl Directory {
    /// Takes in a change.
    pub(crate) fn note(&self, change: &Change) {
        let mut listings = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut presence = |name: &String, boot: u64, presence| {
            if let Some(listing) = listings.get_mut(name).filter(|l| l.member.boot == boot) {
                listing.presence = presence;
                listing.since = Instant::now();
            }
        };
        match change {
            Change::Joined(member) => {
                let known = listings.get(&member.name);
                // A clock that was set back makes a new life look older than the last one.
                let over = |known: &Listing| {
                    known.member.boot <= member.boot || known.presence == Presence::Left
                };
                if known.is_none_or(over) {
                    let (member, since) = (member.clone(), Instant::now());
                    let listing = Listing { member, presence: Presence::Alive, since };
                    listings.insert(listing.member.name.clone(), listing);
                    listings.retain(|_, listing| !listing.is_forgotten());
                }
            }
            Change::Updated(member) => {
                let known = listings.get_mut(&member.name);
                if let Some(known) = known.filter(|known| known.member.boot == member.boot) {
                    known.member = member.clone();
                }
            }
            Change::Suspected { name, boot } => presence(name, *boot, Presence::Suspected),
            Change::Trusted { name, boot } => presence(name, *boot, Presence::Alive),
            Change::Left { name, boot } => presence(name, *boot, Presence::Left),
        }
    }

    /// Everybody known, by name.
    pub(crate) fn all(&self) -> Vec<Listing> {
        let listings = self.0.read().unwrap_or_else(PoisonError::into_inner);
        listings.values().filter(|listing| !listing.is_forgotten()).cloned().collect()
    }

    /// The node of this name.
    pub(crate) fn named(&self, name: &str) -> Option<Listing> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The node of this number: of several that claim it, the one that is there.
    pub(crate) fn numbered(&self, id: NodeId) -> Option<Listing> {
        let mut claiming: Vec<Listing> = self.all();
        claiming.retain(|listing| listing.id() == Some(id));
        claiming.sort_by_key(|listing| (listing.presence == Presence::Left, listing.member.boot));
        claiming.into_iter().next()
    }

    /// The life of a node that a session's name speaks of, if it is the current one.
    pub(crate) fn by_session(&self, session: &str) -> Option<Listing> {
        let (name, boot) = session.rsplit_once('#')?;
        let boot: u64 = boot.parse().ok()?;
        self.named(name).filter(|listing| listing.member.boot == boot)
    }

    /// The addresses of these nodes as far as they are known: those that are there first, since
    /// one that is not may cost seconds until that shows.
    pub(crate) fn addresses(&self, nodes: &[NodeId]) -> Vec<String> {
        let known = nodes.iter().filter_map(|node| self.numbered(*node)).collect();
        likely_first(known)
    }

    /// The addresses of everybody who is there, the silent ones last.
    pub(crate) fn present(&self) -> Vec<String> {
        let all = self.all().into_iter();
        likely_first(all.filter(|l| l.presence != Presence::Left).collect())
    }

    /// The node that says it leads, in the newest term.
    pub(crate) fn leader(&self) -> Option<Listing> {
        let leading = self.all().into_iter().filter(|listing| {
            listing.presence != Presence::Left && listing.value(keys::ROLE) == Some("leader")
        });
        leading.max_by_key(|listing| listing.number::<u64>(keys::TERM))
    }
}

/// Addresses, those of nodes that are heard of first.
fn likely_first(mut listings: Vec<Listing>) -> Vec<String> {
    listings.sort_by_key(|listing| match listing.presence {
        Presence::Alive => 0,
        Presence::Suspected => 1,
        Presence::Left => 2,
    });
    listings.into_iter().map(|listing| listing.member.address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, boot: u64, id: &str) -> Member {
        let values = [(keys::ID.to_owned(), id.to_owned())].into();
        Member { name: name.to_owned(), boot, address: format!("{name}:1"), values }
    }

    #[test]
    fn the_newest_life_of_a_name_counts() {
        let directory = Directory::default();
        directory.note(&Change::Joined(member("a", 2, "1")));
        directory.note(&Change::Joined(member("a", 1, "9")));
        directory.note(&Change::Left { name: "a".to_owned(), boot: 1 });
        assert_eq!(directory.named("a").unwrap().presence, Presence::Alive);
        let listing = directory.named("a").unwrap();
        assert_eq!((listing.id(), listing.presence), (Some(NodeId(1)), Presence::Alive));
        assert_eq!(directory.by_session("a#2").map(|l| l.member.boot), Some(2));
        assert_eq!(directory.by_session("a#1"), None);
        assert_eq!(directory.addresses(&[NodeId(1), NodeId(2)]), ["a:1"]);
    }

    #[test]
    fn a_life_that_looks_older_counts_when_the_last_one_is_over() {
        let directory = Directory::default();
        directory.note(&Change::Joined(member("a", 9, "1")));
        directory.note(&Change::Left { name: "a".to_owned(), boot: 9 });
        directory.note(&Change::Joined(member("a", 2, "1")));
        let listing = directory.named("a").unwrap();
        assert_eq!((listing.member.boot, listing.presence), (2, Presence::Alive));
    }
}
