//! A simulated machine: a disk, slots, and the process of a node that lives on it for a while.

use super::disk::Disk;
use super::letter::Life;
use super::scenario::MachineSpec;
use crate::cluster::StudyId;
use crate::engine::{Event, Start, Try};
use crate::ids::{Moment, NodeId, SlotId, Term};

/// A unit that a trainer computes.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) study: StudyId,
    pub(super) start: Start,
    pub(super) began: Moment,
    /// Tells it from earlier ones.
    pub(super) number: u64,
}

/// A slot: what the agent knows of it, and its trainer.
#[derive(Debug, Clone, Default)]
pub(super) struct Slot {
    /// The newest order, from when it came until it is done.
    pub(super) at_hand: Option<(StudyId, Try)>,
    /// An older order that is still computed.
    pub(super) overtaken: Option<(StudyId, Try)>,
    /// The last result, until a newer order shows that it arrived.
    pub(super) finished: Option<(StudyId, Event)>,
    pub(super) running: Option<Job>,
    pub(super) next: Option<(StudyId, Start)>,
}

/// A machine.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub(super) index: usize,
    pub(super) id: NodeId,
    pub(super) boot: u64,
    /// Whether its process runs.
    pub(super) up: bool,
    /// It has left for good.
    pub(super) gone: bool,
    pub(super) slots: Vec<Slot>,
    pub(super) disk: Disk,
    pub(super) leader: Option<(Life, Term)>,
    pub(super) draining: bool,
    /// What was computed when the last process died.
    pub(super) died_with: Vec<(StudyId, Try)>,
    pub(super) slowness: f64,
    /// Until then it neither computes nor says anything.
    pub(super) frozen_until: Moment,
    /// Until then its disk takes nothing.
    pub(super) full_until: Moment,
    /// Since when nobody hears of it.
    pub(super) silent_since: Option<Moment>,
    /// Until then it is wrongly suspected, or even taken for dead.
    pub(super) slandered: Option<(Moment, bool)>,
}

impl Machine {
    pub(super) fn new(index: usize, spec: &MachineSpec) -> Self {
        Self {
            index,
            id: NodeId(index as u64 + 1),
            boot: 0,
            up: false,
            gone: false,
            slots: vec![Slot::default(); spec.slots as usize],
            disk: Disk::default(),
            leader: None,
            draining: false,
            died_with: Vec::new(),
            slowness: spec.slowness,
            frozen_until: Moment(0),
            full_until: Moment(0),
            silent_since: Some(Moment(0)),
            slandered: None,
        }
    }

    pub(super) fn life(&self) -> Life {
        Life { machine: self.index, boot: self.boot }
    }

    pub(super) fn is_frozen(&self, now: Moment) -> bool {
        self.frozen_until > now
    }

    /// Whether it runs and is heard.
    pub(super) fn is_well(&self, now: Moment) -> bool {
        self.up && !self.is_frozen(now)
    }

    pub(super) fn slot(&mut self, slot: SlotId) -> Option<&mut Slot> {
        self.slots.get_mut(slot.index as usize)
    }

    /// What runs or waits, and results that may not have arrived.
    pub(super) fn at_hand(&self) -> Vec<(StudyId, Event)> {
        let mut all = Vec::new();
        for slot in &self.slots {
            let running = slot.overtaken.into_iter().chain(slot.at_hand);
            all.extend(running.map(|(study, attempt)| (study, Event::UnitRunning(attempt))));
            all.extend(slot.finished.clone());
        }
        all
    }

    /// The process dies; its disk stays, and the note of what it computed.
    pub(super) fn die(&mut self, now: Moment) {
        let noted = self.slots.iter().filter_map(|slot| slot.running.as_ref());
        self.died_with = noted.map(|job| (job.study, job.start.attempt)).collect();
        self.up = false;
        self.leader = None;
        self.draining = false;
        self.frozen_until = Moment(0);
        self.silent_since.get_or_insert(now);
        self.slots.iter_mut().for_each(|slot| *slot = Slot::default());
        self.disk.restart();
    }
}
