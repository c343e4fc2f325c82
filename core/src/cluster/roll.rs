//! The roll that a leader keeps: which nodes have reported to it, and whether letters reach them.
//!
//! Gossip goes round a cut between two nodes, letters do not, and a session may stand for long
//! over a network that is cut. So the leader also asks every node for an answer, again and again:
//! one that gives none, or has no session, is of no use to it, whatever gossip says.

use crate::ids::{Moment, NodeId};
use std::collections::{BTreeMap, VecDeque};

/// A node that does not report is asked again after this time.
const ASK_AGAIN_MILLIS: u64 = 500;

/// How often every node is asked for an answer.
const BEAT_MILLIS: u64 = 1_000;

/// A node that has not answered what it was asked so long ago is out of reach.
const SILENCE_MILLIS_MAX: u64 = 3_000;

/// A node that has been out of reach for so long is taken for gone.
const OUT_OF_REACH_MILLIS_MAX: u64 = 3_000;

/// How many beats are remembered: answers to earlier ones count no more.
const BEATS_MAX: usize = 64;

/// How a node is, as somebody sees it, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    /// It is there.
    Alive,
    /// It has been silent for longer than is usual.
    Suspected,
    /// It is taken for gone.
    Left,
}

/// What has changed about a life of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// It is there, has not reported, and is to be asked for that now.
    Unknown,
    /// It has reported, and is silent.
    Suspected,
    /// It was silent, and is heard again.
    Trusted,
    /// It has reported, and is gone.
    Gone,
}

/// A node that has reported.
#[derive(Debug, Clone)]
struct Known<L> {
    life: L,
    /// Since when letters do not come and go.
    out_of_reach: Option<Moment>,
    /// When the newest beat was sent that it has answered; at first when it reported.
    answered: Moment,
    suspected: bool,
    draining: bool,
}

/// The roll; `L` names one life of a node: what sessions are with.
#[derive(Debug, Clone)]
pub struct Roll<L> {
    known: BTreeMap<NodeId, Known<L>>,
    /// When somebody was last asked for a report.
    asked: BTreeMap<L, Moment>,
    /// The last beats, and when they were sent.
    beats: VecDeque<(u64, Moment)>,
}

impl<L> Default for Roll<L> {
    fn default() -> Self {
        Self { known: BTreeMap::new(), asked: BTreeMap::new(), beats: VecDeque::new() }
    }
}

impl<L: Clone + Ord> Roll<L> {
    /// A life of a node has reported.
    pub fn reported(&mut self, node: NodeId, life: L, draining: bool, now: Moment) {
        self.asked.remove(&life);
        let (out_of_reach, answered, suspected) = (None, now, false);
        self.known.insert(node, Known { life, out_of_reach, answered, suspected, draining });
    }

    /// The life of a node that has reported.
    pub fn life(&self, node: NodeId) -> Option<&L> {
        self.known.get(&node).map(|known| &known.life)
    }

    /// The node of which this life has reported.
    pub fn node(&self, life: &L) -> Option<NodeId> {
        let found = self.known.iter().find(|(_, known)| known.life == *life);
        found.map(|(node, _)| *node)
    }

    /// All lives that have reported.
    pub fn lives(&self) -> impl Iterator<Item = &L> {
        self.known.values().map(|known| &known.life)
    }

    /// The number to ask all of them to answer now, if it is time for that.
    pub fn beat(&mut self, now: Moment) -> Option<u64> {
        let last = self.beats.back().copied();
        if last.is_some_and(|(_, at)| now.millis_since(at) < BEAT_MILLIS) {
            return None;
        }
        let number = last.map_or(1, |(number, _)| number + 1);
        self.beats.push_back((number, now));
        if self.beats.len() > BEATS_MAX {
            self.beats.pop_front();
        }
        Some(number)
    }

    /// A node has answered with this number.
    pub fn answered(&mut self, node: NodeId, number: u64) {
        let sent = self.beats.iter().find(|(known, _)| *known == number).map(|(_, at)| *at);
        if let (Some(sent), Some(known)) = (sent, self.known.get_mut(&node)) {
            known.answered = known.answered.max(sent);
        }
    }

    /// Looks at a life of a node: how gossip sees it, and whether there is a session with it.
    pub fn look(
        &mut self,
        node: NodeId,
        life: &L,
        gossip: Presence,
        session: bool,
        now: Moment,
    ) -> Option<Sight> {
        match gossip.max(self.by_letters(node, life, session, now)) {
            Presence::Left => self.forget(node, life).then_some(Sight::Gone),
            Presence::Suspected => self.suspect(node, life, true).then_some(Sight::Suspected),
            Presence::Alive if self.should_ask(node, life, now) => Some(Sight::Unknown),
            Presence::Alive => self.suspect(node, life, false).then_some(Sight::Trusted),
        }
    }

    /// How a life that has reported is as far as letters tell.
    fn by_letters(&mut self, node: NodeId, life: &L, session: bool, now: Moment) -> Presence {
        let Some(known) = self.reporter(node, life) else { return Presence::Alive };
        if session && now.millis_since(known.answered) < SILENCE_MILLIS_MAX {
            known.out_of_reach = None;
            return Presence::Alive;
        }
        let since = *known.out_of_reach.get_or_insert(now);
        if now.millis_since(since) < OUT_OF_REACH_MILLIS_MAX {
            Presence::Suspected
        } else {
            Presence::Left
        }
    }

    fn should_ask(&mut self, node: NodeId, life: &L, now: Moment) -> bool {
        let asked = self.asked.get(life);
        let lately = asked.is_some_and(|asked| now.millis_since(*asked) < ASK_AGAIN_MILLIS);
        if self.life(node) == Some(life) || lately {
            return false;
        }
        self.asked.insert(life.clone(), now);
        true
    }

    fn suspect(&mut self, node: NodeId, life: &L, suspected: bool) -> bool {
        let known = self.reporter(node, life);
        known.is_some_and(|known| std::mem::replace(&mut known.suspected, suspected) != suspected)
    }

    /// A life of a node is over; whether it had reported. It may come back, thawed: then it is
    /// asked at once.
    pub fn forget(&mut self, node: NodeId, life: &L) -> bool {
        self.asked.remove(life);
        self.reporter(node, life).is_some() && self.known.remove(&node).is_some()
    }

    /// A node wants to leave; whether that is news.
    pub fn drain(&mut self, node: NodeId) -> bool {
        let known = self.known.get_mut(&node);
        known.is_some_and(|known| !std::mem::replace(&mut known.draining, true))
    }

    /// The nodes that want to leave.
    pub fn draining(&self) -> Vec<NodeId> {
        let draining = self.known.iter().filter(|(_, known)| known.draining);
        draining.map(|(node, _)| *node).collect()
    }

    fn reporter(&mut self, node: NodeId, life: &L) -> Option<&mut Known<L>> {
        self.known.get_mut(&node).filter(|known| known.life == *life)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId(1);

    /// A roll on which one life of a node is, at second 0.
    fn reported() -> Roll<u8> {
        let mut roll = Roll::default();
        roll.reported(NODE, 7, false, Moment(0));
        roll
    }

    fn at(seconds: u64) -> Moment {
        Moment(seconds * 1000)
    }

    /// A second in which the node answers at once.
    fn answer(roll: &mut Roll<u8>, seconds: u64) {
        if let Some(number) = roll.beat(at(seconds)) {
            roll.answered(NODE, number);
        }
    }

    #[test]
    fn a_life_without_a_session_is_suspected_then_gone_and_trusted_if_it_is_back_in_between() {
        let mut roll = reported();
        let mut look = |session, seconds| {
            answer(&mut roll, seconds);
            roll.look(NODE, &7, Presence::Alive, session, at(seconds))
        };
        assert_eq!(look(true, 1), None);
        assert_eq!(look(false, 100), Some(Sight::Suspected));
        assert_eq!(look(false, 102), None, "that is no news");
        assert_eq!(look(true, 102), Some(Sight::Trusted));
        assert_eq!(look(false, 105), Some(Sight::Suspected));
        assert_eq!(look(false, 107), None);
        assert_eq!(look(false, 108), Some(Sight::Gone));
        assert_eq!(look(false, 108), Some(Sight::Unknown), "and asked if gossip hears it still");
    }

    #[test]
    fn a_life_that_answers_no_beat_is_out_of_reach_although_its_session_stands() {
        let mut roll = reported();
        for second in 1..=6 {
            let number = roll.beat(at(second)).unwrap();
            assert_eq!(roll.beat(at(second)), None);
            if second <= 3 {
                roll.answered(NODE, number);
            }
        }
        let look =
            |roll: &mut Roll<u8>, seconds| roll.look(NODE, &7, Presence::Alive, true, at(seconds));
        assert_eq!(look(&mut roll, 5), None);
        assert_eq!(look(&mut roll, 6), Some(Sight::Suspected));
        roll.answered(NODE, 2);
        roll.answered(NODE, 999);
        assert_eq!(look(&mut roll, 8), None, "it answers something old, and what nobody asked");
        roll.answered(NODE, 6);
        assert_eq!(look(&mut roll, 8), Some(Sight::Trusted));
        assert_eq!(look(&mut roll, 9), Some(Sight::Suspected));
        assert_eq!(look(&mut roll, 12), Some(Sight::Gone));
    }

    #[test]
    fn gossip_and_letters_are_both_believed_when_they_are_bad() {
        let mut roll = reported();
        let mut look = |gossip| roll.look(NODE, &7, gossip, true, at(1));
        assert_eq!(look(Presence::Suspected), Some(Sight::Suspected));
        assert_eq!(look(Presence::Alive), Some(Sight::Trusted));
        assert_eq!(look(Presence::Left), Some(Sight::Gone));
        assert_eq!(look(Presence::Left), None);
    }

    #[test]
    fn a_life_that_has_not_reported_is_asked_from_time_to_time_and_not_missed() {
        let mut roll = reported();
        let mut look = |life, millis, gossip| roll.look(NODE, &life, gossip, false, Moment(millis));
        assert_eq!(look(8, 0, Presence::Alive), Some(Sight::Unknown));
        assert_eq!(look(8, 499, Presence::Alive), None);
        assert_eq!(look(8, 500, Presence::Alive), Some(Sight::Unknown));
        assert_eq!(look(8, 501, Presence::Suspected), None);
        assert_eq!(look(8, 502, Presence::Left), None);
        assert_eq!(roll.life(NODE), Some(&7));
    }

    #[test]
    fn who_wants_to_leave_is_listed_once() {
        let mut roll = reported();
        assert!(roll.drain(NODE));
        assert!(!roll.drain(NODE));
        assert!(!roll.drain(NodeId(2)));
        assert_eq!(roll.draining(), [NODE]);
    }
}
