//! Who is a member and how it is: what the failure detector sees, turned into changes.
//!
//! A state machine without clock or socket: `View::look` takes what is seen now and returns what
//! has changed. It holds one life (boot) of each name.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::{Duration, Instant},
};

use super::{Change, Liveness, Member};

/// How long a member is suspected without a heartbeat before it counts as left.
pub const LEFT_AFTER: Duration = Duration::from_millis(750);

/// How long suspicion is withheld after this process was found to have stood still.
pub const DISTRUST: Duration = Duration::from_secs(2);

/// How long a life must have left before one with an *older* boot may take its name: longer than
/// the failure detector needs to see that the older one is dead. A boot comes from a clock that
/// may have been set back between two starts.
const OLDER_BOOT_AFTER: Duration = Duration::from_secs(2);

/// The key under which a node says how to reach it.
pub(crate) const ADDRESS_KEY: &str = "address";
/// The key under which a node says goodbye, by the value [`GOODBYE`].
pub(crate) const STATE_KEY: &str = "state";
/// What a node that leaves sets [`STATE_KEY`] to.
pub(crate) const GOODBYE: &str = "left";

/// What is seen of one life of one node.
#[derive(Clone, Debug)]
pub(crate) struct Sighting {
    pub(crate) name: String,
    pub(crate) boot: u64,
    /// Whether the failure detector takes it for alive.
    pub(crate) live: bool,
    /// Its newest heartbeat that is known here.
    pub(crate) heartbeat: u64,
    /// The version of its values.
    pub(crate) version: u64,
    /// All its values; nothing if they are those of [`View::version`].
    pub(crate) values: Option<BTreeMap<String, String>>,
}

/// The members as this node sees them.
pub(crate) struct View {
    own: Life,
    lives: BTreeMap<String, Life>,
    trusting_from: Option<Instant>,
}

#[derive(Debug)]
struct Life {
    member: Member,
    goodbye: bool,
    version: u64,
    heartbeat: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Alive,
    Suspected { since: Instant },
    Left { since: Instant },
}

impl View {
    /// The view of `own`, which is alone.
    pub(crate) fn new(own: Member) -> View {
        let own =
            Life { member: own, goodbye: false, version: 0, heartbeat: 0, state: State::Alive };
        View { own, lives: BTreeMap::new(), trusting_from: None }
    }

    /// The version of the values that are known of this life, if it is the one that is held.
    pub(crate) fn version(&self, name: &str, boot: u64) -> Option<u64> {
        let life = if self.is_own(name, boot) { &self.own } else { self.lives.get(name)? };
        (life.member.boot == boot).then_some(life.version)
    }

    /// Takes note that this process has stood still: for [`DISTRUST`], silence of others says
    /// nothing about them. A goodbye and a newer boot still count, since they are not silence.
    pub(crate) fn distrust(&mut self, now: Instant) {
        self.trusting_from = Some(now + DISTRUST);
        for life in self.lives.values_mut() {
            if let State::Suspected { since } = &mut life.state {
                *since = now + DISTRUST;
            }
        }
    }

    /// Everybody by name, this node included.
    pub(crate) fn members(&self) -> Vec<(Member, Liveness)> {
        let mut members: Vec<_> = self.lives.values().chain([&self.own]).map(Life::shown).collect();
        members.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        members
    }

    /// Whether anybody else is alive.
    pub(crate) fn has_company(&self) -> bool {
        self.lives.values().any(|life| life.state == State::Alive)
    }

    /// What has changed, given everything that is seen at `now`.
    pub(crate) fn look(&mut self, now: Instant, sightings: Vec<Sighting>) -> Vec<Change> {
        let trusting = self.trusting_from.is_none_or(|from| now >= from);
        let mut changes = Vec::new();
        let mut names: BTreeMap<String, Vec<Sighting>> = BTreeMap::new();
        for sighting in sightings {
            if self.is_own(&sighting.name, sighting.boot) {
                if self.own.learn(sighting) {
                    changes.push(Change::Updated(self.own.member.clone()));
                }
            } else if sighting.name != self.own.member.name {
                names.entry(sighting.name.clone()).or_default().push(sighting);
            }
        }
        self.lives.retain(|name, life| {
            let forgotten = !names.contains_key(name);
            if forgotten && !matches!(life.state, State::Left { .. }) {
                changes.push(life.left());
            }
            !forgotten
        });
        for (name, sightings) in names {
            self.look_at(now, trusting, name, sightings, &mut changes);
        }
        changes
    }

    /// What has changed about one name, of which several lives may be seen.
    fn look_at(
        &mut self,
        now: Instant,
        trusting: bool,
        name: String,
        mut sightings: Vec<Sighting>,
        changes: &mut Vec<Change>,
    ) {
        sightings.sort_by_key(|sighting| sighting.boot);
        let mut entry = match self.lives.entry(name) {
            Entry::Vacant(vacant) => {
                let newest = sightings.iter().filter_map(Life::beginning).next_back();
                if let Some(life) = newest {
                    changes.push(Change::Joined(life.member.clone()));
                    vacant.insert(life);
                }
                return;
            }
            Entry::Occupied(entry) => entry,
        };
        let life = entry.get_mut();
        let boot = life.member.boot;
        match sightings.iter().position(|sighting| sighting.boot == boot) {
            Some(place) => life.follow(now, trusting, sightings.remove(place), changes),
            None => life.leave(now, changes),
        }
        let successor = sightings.iter().filter(|other| life.gives_way_to(other.boot, now));
        if let Some(successor) = successor.filter_map(Life::beginning).next_back() {
            life.leave(now, changes);
            changes.push(Change::Joined(successor.member.clone()));
            *life = successor;
        }
    }

    fn is_own(&self, name: &str, boot: u64) -> bool {
        self.own.member.name == name && self.own.member.boot == boot
    }
}

impl Life {
    /// The life that `sighting` shows, if it is alive, has said how to reach it and has not left.
    fn beginning(sighting: &Sighting) -> Option<Life> {
        let values = sighting.values.as_ref()?;
        if !sighting.live || !values.contains_key(ADDRESS_KEY) {
            return None;
        }
        let member = Member {
            name: sighting.name.clone(),
            boot: sighting.boot,
            address: String::new(),
            values: BTreeMap::new(),
        };
        let mut life =
            Life { member, goodbye: false, version: 0, heartbeat: 0, state: State::Alive };
        life.learn(sighting.clone());
        (!life.goodbye).then_some(life)
    }

    /// Takes over values and version; returns whether the values are others than before.
    fn learn(&mut self, sighting: Sighting) -> bool {
        self.version = sighting.version;
        self.heartbeat = sighting.heartbeat;
        let Some(mut values) = sighting.values else { return false };
        self.goodbye = values.get(STATE_KEY).is_some_and(|state| state == GOODBYE);
        let address = values.remove(ADDRESS_KEY).unwrap_or_else(|| self.member.address.clone());
        let same = values == self.member.values && address == self.member.address;
        self.member.values = values;
        self.member.address = address;
        !same
    }

    /// Moves on with what is seen of this life.
    fn follow(
        &mut self,
        now: Instant,
        trusting: bool,
        sighting: Sighting,
        changes: &mut Vec<Change>,
    ) {
        let live = sighting.live;
        let breathing = sighting.heartbeat > self.heartbeat;
        let news = self.learn(sighting);
        if self.goodbye {
            return self.leave(now, changes);
        }
        let (name, boot) = (self.member.name.clone(), self.member.boot);
        match (self.state, live) {
            (State::Left { .. }, true) => {
                self.state = State::Alive;
                changes.push(Change::Joined(self.member.clone()));
                return;
            }
            (State::Left { .. }, false) => return,
            (State::Suspected { .. }, true) => {
                self.state = State::Alive;
                changes.push(Change::Trusted { name, boot });
            }
            (State::Alive, false) if trusting => {
                self.state = State::Suspected { since: now };
                changes.push(Change::Suspected { name, boot });
            }
            (State::Suspected { .. }, false) if breathing => {
                self.state = State::Suspected { since: now };
            }
            (State::Suspected { since }, false) if trusting && now >= since + LEFT_AFTER => {
                return self.leave(now, changes);
            }
            (State::Alive | State::Suspected { .. }, _) => {}
        }
        if news {
            changes.push(Change::Updated(self.member.clone()));
        }
    }

    fn leave(&mut self, now: Instant, changes: &mut Vec<Change>) {
        if !matches!(self.state, State::Left { .. }) {
            self.state = State::Left { since: now };
            changes.push(self.left());
        }
    }

    fn left(&self) -> Change {
        Change::Left { name: self.member.name.clone(), boot: self.member.boot }
    }

    /// Whether a living `boot` of the same name counts instead of this one.
    fn gives_way_to(&self, boot: u64, now: Instant) -> bool {
        match self.state {
            _ if boot > self.member.boot => true,
            State::Left { since } => now >= since + OLDER_BOOT_AFTER,
            State::Alive | State::Suspected { .. } => false,
        }
    }

    fn shown(&self) -> (Member, Liveness) {
        let liveness = match self.state {
            State::Alive => Liveness::Alive,
            State::Suspected { .. } => Liveness::Suspected,
            State::Left { .. } => Liveness::Left,
        };
        (self.member.clone(), liveness)
    }
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod view_tests;
