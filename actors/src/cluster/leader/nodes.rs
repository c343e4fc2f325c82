//! Who has reported to this leader, and how letters reach them.

use super::super::directory::Presence;
use super::super::letter::Introduction;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};
use wallaby_core::cluster::Report;
use wallaby_core::ids::{Digest, NodeId, Stamp};

/// A node that does not report is asked again after this time.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// A node that is out of reach for so long is taken for gone, whatever gossip says.
const OUT_OF_REACH_MAX: Duration = Duration::from_secs(3);

/// How often every node is asked for a sign of life.
const BEAT: Duration = Duration::from_secs(1);

/// A node that has not answered what it was asked so long ago is out of reach, session or not: a
/// session notices a cut of the network only after 15 s.
const SILENCE_MAX: Duration = Duration::from_secs(3);

/// A leader that does not look for so long has stood still, and knows nothing of others' silence.
const STANDSTILL: Duration = Duration::from_secs(1);

/// How many beats are remembered.
const BEATS_MAX: usize = 64;

/// A node that has reported.
struct Known {
    session: String,
    boot: u64,
    /// Since when letters do not come and go.
    out_of_reach: Option<Instant>,
    /// When the newest beat was sent that it has answered; at first when it reported.
    answered: Instant,
    suspected: bool,
    draining: bool,
}

/// The nodes as the leader knows them.
#[derive(Default)]
pub(super) struct Nodes {
    known: BTreeMap<NodeId, Known>,
    /// When somebody was last asked, by session.
    asked: BTreeMap<String, Instant>,
    /// Reports of which parts are still to come, by session.
    unfinished: BTreeMap<String, Report>,
    /// The last beats, and when they were sent.
    beats: VecDeque<(u64, Instant)>,
    /// When the nodes were looked at last.
    looked: Option<Instant>,
}

impl Nodes {
    /// The session of a node's present life.
    pub(super) fn session(&self, node: NodeId) -> Option<&str> {
        self.known.get(&node).map(|known| known.session.as_str())
    }

    /// The node whose present life has this session.
    pub(super) fn of_session(&self, session: &str) -> Option<NodeId> {
        let found = self.known.iter().find(|(_, known)| known.session == session);
        found.map(|(node, _)| *node)
    }

    /// Whether a node should be asked for a report now.
    pub(super) fn should_ask(&mut self, node: NodeId, session: &str) -> bool {
        if self.session(node) == Some(session) {
            return false;
        }
        let asked = self.asked.get(session);
        if asked.is_some_and(|asked| asked.elapsed() < ASK_AGAIN) {
            return false;
        }
        self.asked.insert(session.to_owned(), Instant::now());
        true
    }

    /// A node introduces itself; its report, if that is all of it.
    pub(super) fn introduce(&mut self, session: &str, from: Introduction) -> Option<Report> {
        let Introduction { node, boot, name, slots, numerics, room, draining, told, empty } = from;
        if session != format!("{name}#{boot}") {
            return None;
        }
        let held = Vec::new();
        let report = Report { node, boot, name, slots, numerics, room, held, draining, told };
        if empty {
            return Some(self.finish(session, report));
        }
        self.unfinished.insert(session.to_owned(), report);
        None
    }

    /// Another part of a report; the whole of it with the last.
    pub(super) fn add_blobs(
        &mut self,
        session: &str,
        boot: u64,
        blobs: Vec<(Digest, Stamp)>,
        last: bool,
    ) -> Option<Report> {
        let report = self.unfinished.get_mut(session).filter(|report| report.boot == boot)?;
        report.held.extend(blobs);
        if !last {
            return None;
        }
        let report = self.unfinished.remove(session)?;
        Some(self.finish(session, report))
    }

    fn finish(&mut self, session: &str, report: Report) -> Report {
        self.asked.remove(session);
        let (session, boot, draining) = (session.to_owned(), report.boot, report.draining);
        let (out_of_reach, answered, suspected) = (None, Instant::now(), false);
        let known = Known { session, boot, out_of_reach, answered, suspected, draining };
        self.known.insert(report.node, known);
        report
    }

    /// The next beat, if it is time for one.
    pub(super) fn beat(&mut self, now: Instant) -> Option<u64> {
        let last = self.beats.back().copied();
        if last.is_some_and(|(_, at)| now.duration_since(at) < BEAT) {
            return None;
        }
        let number = last.map_or(1, |(number, _)| number + 1);
        self.beats.push_back((number, now));
        if self.beats.len() > BEATS_MAX {
            self.beats.pop_front();
        }
        Some(number)
    }

    /// The sessions of all that have reported.
    pub(super) fn sessions(&self) -> impl Iterator<Item = &str> {
        self.known.values().map(|known| known.session.as_str())
    }

    /// A node answers a beat.
    pub(super) fn echoed(&mut self, node: NodeId, number: u64) {
        let sent = self.beats.iter().find(|(known, _)| *known == number).map(|(_, at)| *at);
        if let (Some(sent), Some(known)) = (sent, self.known.get_mut(&node)) {
            known.answered = known.answered.max(sent);
        }
    }

    /// The nodes are about to be looked at. After a standstill their answers are still to be read.
    pub(super) fn looked(&mut self, now: Instant) {
        let last = self.looked.replace(now);
        if last.is_some_and(|last| now.duration_since(last) > STANDSTILL) {
            self.known.values_mut().for_each(|known| known.answered = now);
        }
    }

    /// How a known life of a node is as far as letters tell: it is given nothing more to do while
    /// they do not come and go, and everything that it had is given to others after a while.
    pub(super) fn presence(
        &mut self,
        node: NodeId,
        session: &str,
        reached: bool,
        now: Instant,
    ) -> Presence {
        let known = self.known.get_mut(&node).filter(|known| known.session == session);
        let Some(known) = known else { return Presence::Alive };
        // Before a node has had time to answer, silence says nothing.
        if reached && now.saturating_duration_since(known.answered) < SILENCE_MAX {
            known.out_of_reach = None;
            return Presence::Alive;
        }
        let since = *known.out_of_reach.get_or_insert(now);
        if now.duration_since(since) < OUT_OF_REACH_MAX {
            Presence::Suspected
        } else {
            Presence::Left
        }
    }

    /// A known life of a node is suspected, or not any more; whether that is news.
    pub(super) fn suspect(&mut self, node: NodeId, boot: u64, suspected: bool) -> bool {
        let known = self.known.get_mut(&node).filter(|known| known.boot == boot);
        known.is_some_and(|known| std::mem::replace(&mut known.suspected, suspected) != suspected)
    }

    /// A life of a node is over; whether it was known.
    pub(super) fn forget(&mut self, node: NodeId, boot: u64) -> bool {
        let known = self.known.get(&node).is_some_and(|known| known.boot == boot);
        if known && let Some(known) = self.known.remove(&node) {
            self.unfinished.remove(&known.session);
            // It may come back, the same or thawed: then it is to be asked at once.
            self.asked.remove(&known.session);
        }
        known
    }

    /// A node wants to leave; whether that is news.
    pub(super) fn drain(&mut self, node: NodeId) -> bool {
        let known = self.known.get_mut(&node);
        known.is_some_and(|known| !std::mem::replace(&mut known.draining, true))
    }

    /// The nodes that want to leave.
    pub(super) fn draining(&self) -> Vec<NodeId> {
        let draining = self.known.iter().filter(|(_, known)| known.draining);
        draining.map(|(node, _)| *node).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn introduced(session: &str) -> Nodes {
        let mut nodes = Nodes::default();
        let from = Introduction {
            node: NodeId(1),
            boot: 7,
            name: "a".to_owned(),
            slots: 1,
            numerics: Digest([0; 32]),
            room: 0,
            draining: false,
            told: Vec::new(),
            empty: true,
        };
        assert!(nodes.introduce(session, from).is_some());
        nodes
    }

    #[test]
    fn a_node_out_of_reach_is_suspected_then_gone_and_trusted_when_it_is_reached_in_between() {
        let mut nodes = introduced("a#7");
        let start = Instant::now();
        let mut at = |reached, seconds| {
            let now = start + Duration::from_secs(seconds);
            if let Some(number) = nodes.beat(now) {
                nodes.echoed(NodeId(1), number);
            }
            nodes.presence(NodeId(1), "a#7", reached, now)
        };
        assert_eq!(at(true, 0), Presence::Alive);
        assert_eq!(at(false, 100), Presence::Suspected);
        assert_eq!(at(false, 102), Presence::Suspected);
        assert_eq!(at(true, 102), Presence::Alive);
        assert_eq!(at(false, 105), Presence::Suspected);
        assert_eq!(at(false, 107), Presence::Suspected);
        assert_eq!(at(false, 108), Presence::Left);
    }

    #[test]
    fn a_node_that_answers_no_beat_is_out_of_reach_also_when_its_session_stands() {
        let mut nodes = introduced("a#7");
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let reached = |nodes: &mut Nodes, seconds| {
            nodes.looked(at(seconds));
            nodes.presence(NodeId(1), "a#7", true, at(seconds))
        };
        for second in 1..=6 {
            let number = nodes.beat(at(second)).unwrap();
            assert_eq!(nodes.beat(at(second)), None);
            if second <= 3 {
                nodes.echoed(NodeId(1), number);
            }
        }
        nodes.looked = Some(at(5));
        assert_eq!(reached(&mut nodes, 5), Presence::Alive);
        assert_eq!(reached(&mut nodes, 6), Presence::Suspected);
        nodes.echoed(NodeId(1), 2);
        assert_eq!(reached(&mut nodes, 7), Presence::Suspected, "it answers something old");
        nodes.echoed(NodeId(1), 999);
        assert_eq!(reached(&mut nodes, 8), Presence::Suspected, "nobody asked it that");
        assert_eq!(reached(&mut nodes, 9), Presence::Left);
        nodes.echoed(NodeId(1), 6);
        assert_eq!(nodes.presence(NodeId(1), "a#7", true, at(8)), Presence::Alive);
    }

    #[test]
    fn a_leader_that_has_stood_still_holds_nobody_s_silence_against_him() {
        let mut nodes = introduced("a#7");
        let start = Instant::now();
        nodes.looked(start);
        let woken = start + Duration::from_secs(60);
        nodes.looked(woken);
        assert_eq!(nodes.presence(NodeId(1), "a#7", true, woken), Presence::Alive);
    }

    #[test]
    fn a_life_that_has_not_reported_is_not_missed() {
        let mut nodes = introduced("a#7");
        let now = Instant::now();
        assert_eq!(nodes.presence(NodeId(1), "a#8", false, now), Presence::Alive);
        assert_eq!(nodes.presence(NodeId(2), "b#1", false, now), Presence::Alive);
    }
}
