//! Blobs on their way to a machine: one source after the other, going on where the last stopped.

use super::letter::News;
use super::world::{Happening, World};
use crate::cluster::StudyId;
use crate::engine::Start;
use crate::ids::{Digest, NodeId};
use crate::unit::Failure;

/// How often each source is asked at most.
const ROUNDS_MAX: u32 = 8;

/// A source that gives nothing for so long is left.
const IDLE_MILLIS_MAX: u64 = 10_000;

/// Who waits for a blob.
#[derive(Debug, Clone)]
pub(super) enum Waiting {
    /// A copy was ordered.
    Copy,
    /// A unit starts from it.
    Unit(StudyId, Box<Start>),
}

/// A blob on its way.
#[derive(Debug, Clone)]
pub(super) struct Transfer {
    boot: u64,
    sources: Vec<NodeId>,
    /// How often a source was asked.
    visits: u32,
    /// What is still to come, in milliseconds.
    left: u64,
    /// Who is being asked: machine and life.
    from: Option<(usize, u64)>,
    waiting: Vec<Waiting>,
}

/// Why a blob could not be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Full,
    Sources,
}

impl World {
    /// Gets a blob, unless it is here or on its way.
    pub(super) fn fetch(&mut self, at: usize, blob: Digest, sources: Vec<NodeId>, who: Waiting) {
        if self.machines[at].disk.contains(&blob) {
            return self.fetched(at, who, blob, Ok(false));
        }
        if let Some(transfer) = self.transfers.get_mut(&(at, blob)) {
            return transfer.waiting.push(who);
        }
        let left = self.transfer_millis.get(&blob).copied().unwrap_or(1);
        let (boot, waiting) = (self.machines[at].boot, vec![who]);
        let transfer = Transfer { boot, sources, visits: 0, left, from: None, waiting };
        self.transfers.insert((at, blob), transfer);
        self.visit(at, blob);
    }

    /// Asks the next source.
    fn visit(&mut self, at: usize, blob: Digest) {
        let Some(mut transfer) = self.transfers.remove(&(at, blob)) else { return };
        let rounds = ROUNDS_MAX * transfer.sources.len() as u32;
        let mut delay = self.random.from(1..=20);
        let mut source = None;
        while source.is_none() && transfer.visits < rounds {
            let id = transfer.sources[transfer.visits as usize % transfer.sources.len()];
            transfer.visits += 1;
            source = self.source(at, blob, id);
            if source.is_none() && transfer.visits as usize >= transfer.sources.len() {
                // Nobody has it: nothing is gained by asking again.
                let gives = |id: &NodeId| self.source(at, blob, *id).is_some();
                if !transfer.sources.iter().any(gives) {
                    break;
                }
            }
        }
        match source {
            Some(machine) => {
                let now = self.now;
                let stands = self.machines[machine].frozen_until.millis_since(now);
                delay += transfer.left + stands.min(IDLE_MILLIS_MAX);
                transfer.from = Some((machine, self.machines[machine].boot));
            }
            None => {
                delay += self.random.from(0..=300);
                transfer.from = None;
            }
        }
        self.transfers.insert((at, blob), transfer);
        self.plan(delay, Happening::Pulled { machine: at, blob });
    }

    /// The machine of this node, if it gives the blob.
    fn source(&self, at: usize, blob: Digest, id: NodeId) -> Option<usize> {
        let machine = self.machines.iter().find(|machine| machine.id == id)?;
        let gives = machine.up && machine.index != at && machine.disk.contains(&blob);
        (gives && self.can_talk(at, machine.index)).then_some(machine.index)
    }

    /// A source has given what was left, or not.
    pub(super) fn pulled(&mut self, at: usize, blob: Digest) {
        let now = self.now;
        let Some(transfer) = self.transfers.get(&(at, blob)) else { return };
        if !self.machines[at].up || self.machines[at].boot != transfer.boot {
            self.transfers.remove(&(at, blob));
            return;
        }
        let giving = transfer.from.map(|(machine, boot)| {
            let source = &self.machines[machine];
            let lives = source.up && source.boot == boot && !source.is_frozen(now);
            lives && self.can_talk(at, machine)
        });
        let outcome = match giving {
            Some(true) if self.machines[at].full_until > now => Err(Trouble::Full),
            Some(true) => Ok(true),
            Some(false) => {
                // Something has come before it broke off.
                let share = self.random.real();
                if let Some(transfer) = self.transfers.get_mut(&(at, blob)) {
                    transfer.left = (transfer.left as f64 * share) as u64;
                }
                return self.visit(at, blob);
            }
            None => Err(Trouble::Sources),
        };
        let Some(transfer) = self.transfers.remove(&(at, blob)) else { return };
        if outcome.is_ok() {
            self.machines[at].disk.insert(blob);
            self.outcome.moved += 1;
        }
        transfer.waiting.into_iter().for_each(|who| self.fetched(at, who, blob, outcome));
    }

    fn fetched(&mut self, at: usize, who: Waiting, blob: Digest, got: Result<bool, Trouble>) {
        match who {
            Waiting::Copy => {
                // Also what was there: an order to remove it may still be on its way.
                let news = match got {
                    Ok(_) => News::Arrived(blob, self.machines[at].disk.insert(blob)),
                    Err(_) => News::Missed(blob),
                };
                self.news(at, news);
            }
            Waiting::Unit(study, start) => {
                if got.is_ok() {
                    let stamp = self.machines[at].disk.insert(blob);
                    self.news(at, News::Arrived(blob, stamp));
                }
                let detail = "none of the sources gave it".to_owned();
                let failure = got.err().map(|trouble| match trouble {
                    Trouble::Full => Failure::StorageFull("by chance".to_owned()),
                    Trouble::Sources => Failure::StateUnusable { state: blob, detail },
                });
                self.ready(at, study, *start, failure);
            }
        }
    }
}
