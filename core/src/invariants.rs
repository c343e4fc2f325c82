//! The seven invariants of hop scheduling as an auditor that watches an engine from outside.
//!
//! It sees what goes in (events), what is decided (records) and what comes out (commands), keeps
//! its own small account, and shares no code with the engine's decisions. Simulations check it
//! after every step; in the product the scheduler asserts it in debug builds.
//!
//! 1. Each (trial, epoch, partition) is committed exactly once.
//! 2. A trial is in at most one unit at a time.
//! 3. A slot runs at most one unit at a time.
//! 4. A unit runs only where its partition is.
//! 5. No unit starts before its input checkpoint is at hand.
//! 6. Metrics reach a policy only at an epoch boundary.
//! 7. What was decided is journaled before it is acted on.

mod account;

use crate::engine::{Command, Event, Start, Try};
use crate::ids::{Digest, NodeId, Seq, SlotId, TrialId};
use crate::journal::{Entry, Record};
use crate::membership::Offer;
use crate::study::{Phase, Study};
use crate::unit::Step;
use account::Account;
use std::collections::BTreeMap;
use thiserror::Error;

/// A broken promise: which one, and how.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("invariant {number}: {detail}")]
pub struct Violation {
    /// The number of the invariant, from 1 to 7.
    pub number: u8,
    /// What happened.
    pub detail: String,
}

/// A violation of invariant `number` unless `holds`.
fn require(number: u8, holds: bool, detail: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation { number, detail: detail() }) }
}

/// Watches one engine.
#[derive(Debug, Clone)]
pub struct Auditor {
    partitions: u32,
    /// Life and offer of each node.
    nodes: BTreeMap<NodeId, (u64, Offer)>,
    running: BTreeMap<SlotId, Try>,
    accounts: BTreeMap<TrialId, Account>,
    standing_still: bool,
    next: Seq,
    durable: Option<Seq>,
}

impl Auditor {
    /// An auditor of an engine that takes over `study` with `recorded` durable records.
    pub fn new(study: &Study, recorded: Seq) -> Self {
        let accounts = study.active().map(|trial| (trial.id, Account::of(trial))).collect();
        Self {
            partitions: study.partitions(),
            nodes: BTreeMap::new(),
            running: BTreeMap::new(),
            accounts,
            standing_still: study.phase != Phase::Running,
            next: recorded,
            durable: recorded.0.checked_sub(1).map(Seq),
        }
    }

    /// An event reaches the engine.
    pub fn observe_event(&mut self, event: &Event) -> Result<(), Violation> {
        match event {
            Event::NodeJoined { node, boot, offer } => self.join(*node, *boot, offer),
            Event::NodeLeft { node, boot } => self.leave(*node, *boot),
            Event::SlotLost(slot) => {
                self.running.remove(slot);
            }
            Event::UnitFinished(attempt, _) | Event::UnitFailed(attempt, _) => {
                self.running.retain(|_, running| running != attempt);
            }
            Event::Appended(through) => {
                self.durable = self.durable.max(Some(*through));
                let unknown = || format!("{through} is durable, {} are decided", self.next.0);
                require(7, *through < self.next, unknown)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn join(&mut self, node: NodeId, boot: u64, offer: &Offer) {
        let known = self.nodes.get(&node).map(|(known, _)| *known);
        if known.is_some_and(|known| known > boot) {
            return;
        }
        let same_life = known == Some(boot);
        self.running.retain(|slot, _| slot.node != node || (same_life && slot.index < offer.slots));
        self.nodes.insert(node, (boot, offer.clone()));
    }

    fn leave(&mut self, node: NodeId, boot: u64) {
        if self.nodes.get(&node).is_some_and(|(known, _)| *known == boot) {
            self.nodes.remove(&node);
            self.running.retain(|slot, _| slot.node != node);
        }
    }

    /// The engine takes over a unit that an earlier leader started.
    pub fn adopt(&mut self, attempt: &Try) -> Result<(), Violation> {
        self.check_place(attempt)?;
        self.running.insert(attempt.slot, *attempt);
        Ok(())
    }

    /// A node's copy of some data is useless.
    pub fn lose_data(&mut self, node: NodeId, step: Step) {
        if let Some((_, offer)) = self.nodes.get_mut(&node) {
            match step {
                Step::Train(partition) => drop(offer.partitions.remove(&partition)),
                Step::Validate => offer.validation = false,
            }
        }
    }

    /// The engine decides a record.
    pub fn observe_entry(&mut self, entry: &Entry) -> Result<(), Violation> {
        let seq = self.next;
        self.next = Seq(seq.0 + 1);
        match &entry.record {
            Record::TermBegan { .. } => self.all_wait_for(seq),
            Record::TrialProposed { trial, .. } => {
                self.accounts.insert(*trial, Account::new(seq));
            }
            Record::UnitCommitted(commit) => {
                let partitions = self.partitions;
                self.account(commit.unit.trial, 1)?.commit(commit, partitions, seq)?;
            }
            Record::EpochDecided { trial, epoch, decision } => {
                self.account(*trial, 6)?.decide(*epoch, *decision, seq)?;
            }
            Record::TrialRolledBack { trial, epoch, visited } => {
                self.account(*trial, 5)?.roll_back(*epoch, *visited, seq);
            }
            Record::TrialEnded { trial, .. } => {
                self.accounts.remove(trial);
            }
            Record::StudyPaused { .. } | Record::StudyEnded { .. } => {
                self.standing_still = true;
                let busy = || "the study stands still while units run".to_owned();
                require(7, self.running.is_empty(), busy)?;
            }
            Record::StudyResumed => {
                self.standing_still = false;
                self.all_wait_for(seq);
            }
            _ => {}
        }
        Ok(())
    }

    fn all_wait_for(&mut self, seq: Seq) {
        self.accounts.values_mut().for_each(|account| account.wait_for(seq));
    }

    /// The engine gives a command.
    pub fn observe_command(&mut self, command: &Command) -> Result<(), Violation> {
        match command {
            Command::StartUnit(start) => self.check_start(start),
            Command::ReleaseState(state) => self.check_release(state),
            Command::Append { .. } | Command::Rest => Ok(()),
        }
    }

    fn check_start(&mut self, start: &Start) -> Result<(), Violation> {
        let attempt = &start.attempt;
        let unit = attempt.unit;
        self.check_place(attempt)?;
        require(7, !self.standing_still, || format!("{unit} starts while the study stands still"))?;
        let (durable, nodes) = (self.durable, &self.nodes);
        let account = self.accounts.get(&unit.trial).ok_or_else(|| Violation {
            number: 7,
            detail: format!("{unit} starts, but the trial is not under way"),
        })?;
        require(7, Some(account.newest_record()) <= durable, || {
            format!("{unit} starts before {} is durable", account.newest_record())
        })?;
        account.check_next(&unit, self.partitions)?;
        require(5, attempt.input == account.state(), || {
            format!("{unit} starts from {:?}, expected {:?}", attempt.input, account.state())
        })?;
        let at_hand = match (attempt.input, start.source) {
            (None, None) => true,
            (Some(_), Some(node)) => nodes.contains_key(&node),
            _ => false,
        };
        require(5, at_hand, || format!("{unit} starts, its state is on {:?}", start.source))?;
        self.running.insert(attempt.slot, *attempt);
        Ok(())
    }

    /// Invariants 2, 3 and 4.
    fn check_place(&self, attempt: &Try) -> Result<(), Violation> {
        let (slot, unit) = (attempt.slot, attempt.unit);
        let twin = self.running.values().find(|other| other.unit.trial == unit.trial);
        require(2, twin.is_none(), || format!("{unit} starts beside {twin:?}"))?;
        require(3, !self.running.contains_key(&slot), || format!("{unit} starts on busy {slot}"))?;
        let offer = self.nodes.get(&slot.node).map(|(_, offer)| offer);
        require(3, offer.is_some_and(|offer| slot.index < offer.slots), || {
            format!("{unit} starts on {slot}, which does not exist")
        })?;
        let holds = offer.is_some_and(|offer| match unit.step {
            Step::Train(partition) => offer.partitions.contains_key(&partition),
            Step::Validate => offer.validation,
        });
        require(4, holds, || format!("{unit} starts on {slot}, which does not hold its data"))
    }

    fn check_release(&self, state: &Digest) -> Result<(), Violation> {
        let needed = self.accounts.iter().find(|(_, account)| account.state() == Some(*state));
        require(5, needed.is_none(), || format!("{state} is released, {needed:?} needs it"))
    }

    fn account(&mut self, trial: TrialId, number: u8) -> Result<&mut Account, Violation> {
        let detail = || format!("{trial} is not under way");
        self.accounts.get_mut(&trial).ok_or_else(|| Violation { number, detail: detail() })
    }
}

#[cfg(test)]
#[path = "invariants_tests.rs"]
mod tests;
