//! Who may append: an oracle. One leader at most, with a majority of the voters; what it appended
//! becomes durable in order, and what a deposed one has under way is refused from some point on.

use super::leader::Leader;
use super::world::{Happening, World};
use crate::cluster::{Catalog, ClusterRecord};
use crate::ids::{Moment, Term};
use crate::journal::Record;
use crate::study::Phase;
use std::collections::BTreeSet;

/// How often the voters look who leads.
const VOTE_MILLIS: u64 = 200;

impl World {
    /// Whether a machine runs, and most of the voters with it, itself included.
    fn has_majority(&self, at: usize) -> bool {
        let voters = self.scenario.voters;
        let with =
            |other: &usize| self.machines[*other].is_well(self.now) && self.can_talk(at, *other);
        self.machines[at].is_well(self.now) && (0..voters).filter(with).count() * 2 > voters
    }

    pub(super) fn vote(&mut self) {
        self.plan(VOTE_MILLIS, Happening::Voted);
        self.tell_the_deposed();
        let leads = self.leader().is_some_and(|leader| {
            let machine = &self.machines[leader.life.machine];
            machine.boot == leader.life.boot && self.has_majority(leader.life.machine)
        });
        if leads {
            self.leaderless = None;
            return;
        }
        let since = *self.leaderless.get_or_insert(self.now);
        if self.now.millis_since(since) < 600 || self.random.chance(0.6) {
            return;
        }
        let able: Vec<usize> =
            (0..self.scenario.voters).filter(|at| self.has_majority(*at)).collect();
        if !able.is_empty() {
            let at = self.random.pick(&able);
            self.elect(at);
        }
    }

    /// A leader takes over from the journal.
    pub(super) fn elect(&mut self, at: usize) {
        self.settle_batches();
        self.term = Term(self.term.0 + 1);
        self.leaderless = None;
        self.outcome.elections += u64::from(self.term.0 > 1);
        let leader = Leader::new(self.machines[at].life(), self.term, self);
        self.note(|| format!("{} leads in {}", leader.life, leader.term));
        let term = self.term;
        self.leaders.insert(term, leader);
        self.plan(0, Happening::Ticked(term));
        self.obey(term);
    }

    /// Of what the deposed leader had under way, some first batches are durable.
    pub(super) fn settle_batches(&mut self) {
        while self.random.chance(0.5) {
            let leader = self.leaders.get_mut(&self.term);
            let Some((_, records)) = leader.and_then(|l| l.batches.pop_front()) else { break };
            self.apply(&records);
        }
        if let Some(leader) = self.leaders.get_mut(&self.term) {
            leader.batches.clear();
        }
    }

    /// Leaders of earlier terms that can talk to a majority learn that their time is over.
    fn tell_the_deposed(&mut self) {
        let current = self.term;
        let earlier: Vec<Term> = self.leaders.keys().copied().filter(|t| *t < current).collect();
        for term in earlier {
            let Some(leader) = self.leaders.get(&term) else { continue };
            let life = leader.life;
            let machine = &self.machines[life.machine];
            let dead = !machine.up || machine.boot != life.boot;
            if dead || (self.has_majority(life.machine) && self.random.chance(0.3)) {
                self.leaders.remove(&term);
            }
        }
    }

    /// A leader's next batch is durable, if it still leads and can talk to a majority.
    pub(super) fn commit(&mut self, term: Term) {
        let Some(leader) = self.leaders.get(&term).filter(|_| term == self.term) else { return };
        let life = leader.life;
        let machine = &self.machines[life.machine];
        if !machine.up || machine.boot != life.boot {
            return;
        }
        if !self.has_majority(life.machine) {
            return self.plan(100, Happening::Committed(term));
        }
        let leader = self.leaders.get_mut(&term);
        let Some((ticket, records)) = leader.and_then(|leader| leader.batches.pop_front()) else {
            return;
        };
        self.apply(&records);
        let delay = self.random.from(0..=5);
        self.plan(delay, Happening::Durable(term, ticket));
    }

    /// When the next batch is durable: later than all before.
    pub(super) fn plan_commit(&mut self, term: Term) {
        let slow = self.random.chance(0.02);
        let delay = if slow { self.random.from(50..=800) } else { self.random.from(2..=20) };
        let at = Moment(self.now.0 + delay).max(self.committed_at);
        self.committed_at = at;
        self.plan(at.millis_since(self.now), Happening::Committed(term));
    }

    fn apply(&mut self, records: &[ClusterRecord]) {
        for record in records {
            if let ClusterRecord::Study { study, entry } = record {
                match &entry.record {
                    Record::UnitCommitted(_) => self.outcome.commits += 1,
                    Record::TrialRolledBack { .. } => self.outcome.rollbacks += 1,
                    Record::StudyEnded { .. } => self.outcome.millis = self.now.0,
                    _ => {}
                }
                self.journals.entry(*study).or_default().push(entry.clone());
            }
            if let ClusterRecord::Placed { study, placement } = record
                && placement.iter().flatten().collect::<BTreeSet<_>>().len() < 2
            {
                self.lonely.insert(*study);
            }
            if let ClusterRecord::Removed { study } = record
                && let Some(listed) = self.catalog.study(*study)
            {
                let judged = super::oracle::judge_study(self, *study, listed);
                self.outcome.deleted += 1;
                if let Err(what) = judged {
                    self.accuse(|| format!("{study}, which is removed: {what}"));
                }
            }
            if let Err(error) = self.catalog.apply(record) {
                self.accuse(|| format!("the journal contradicts itself: {error}"));
            }
        }
        self.quiet = None;
        if self.is_over() {
            self.quiet = Some(self.now);
        }
    }

    /// Whether all studies have ended, as the journal tells.
    fn is_over(&self) -> bool {
        let ended = |catalog: &Catalog| {
            let mut studies = catalog.studies();
            studies.all(|(_, listed)| matches!(listed.study.phase, Phase::Ended(_)))
        };
        self.catalog.studies().count() == self.scenario.studies.len() && ended(&self.catalog)
    }
}
