//! A study at the coordinator's table: its engine while it is under way, and where its data is.

use super::host::Host;
use crate::cluster::placement::Placement;
use crate::cluster::record::Wanted;
use crate::engine::{Bounds, Command, Engine, Event, Precious};
use crate::ids::{Digest, Moment, NodeId, PartitionId, Seq, Term};
use crate::invariants::Violation;
use crate::membership::Offer;
use crate::study::{Phase, Study};
use std::collections::BTreeSet;

/// A study's state at the leader.
enum State {
    /// Under way, or paused.
    Live(Box<Engine>),
    /// Over, or not led yet.
    Still(Box<Study>),
    /// Between the two.
    Moving,
}

/// A study and what the cluster keeps for it.
pub(super) struct Seat {
    state: State,
    /// How many of its records went to the journal.
    records: u64,
    pub(super) priority: u32,
    pub(super) placement: Placement,
    /// What users want of it.
    pub(super) wanted: Wanted,
    class: Digest,
    data: BTreeSet<Digest>,
    removed: bool,
}

impl Seat {
    /// A study of which `records` records are in the journal.
    pub(super) fn new(study: Study, records: u64, priority: u32, placement: Placement) -> Self {
        let manifest = &study.creation.manifest;
        let data = manifest.partitions.iter().chain([&manifest.validation]);
        let data = data.map(|blob| blob.digest).collect();
        let class = Digest([0; 32]);
        let (state, wanted, removed) = (State::Still(Box::new(study)), Wanted::Running, false);
        Self { state, records, priority, placement, wanted, class, data, removed }
    }

    /// Gives the study an engine, unless it is over.
    pub(super) fn lead(&mut self, term: Term, class: Digest, now: Moment) {
        self.class = class;
        let State::Still(study) = std::mem::replace(&mut self.state, State::Moving) else { return };
        self.state = if matches!(study.phase, Phase::Ended(_)) {
            State::Still(study)
        } else {
            // Terms of a study rise, also where one leader leads twice.
            let term = term.max(Term(study.term.0 + 1));
            let recorded = Seq(self.records.max(1));
            let mut engine = Engine::new(*study, recorded, term, class, now);
            engine.expect_nodes(placed_on(&self.placement));
            State::Live(Box::new(engine))
        };
    }

    /// Its data is to lie elsewhere now.
    pub(super) fn place(&mut self, placement: Placement) {
        let nodes = placed_on(&placement);
        self.placement = placement;
        if let Some(engine) = self.engine_mut() {
            engine.expect_nodes(nodes);
        }
    }

    /// Lets the engine go when the study is over and everything about it durable.
    pub(super) fn retire(&mut self) {
        let over = |engine: &Engine| {
            matches!(engine.study().phase, Phase::Ended(_)) && engine.is_at_rest()
        };
        if matches!(&self.state, State::Live(engine) if over(engine))
            && let State::Live(engine) = std::mem::replace(&mut self.state, State::Moving)
        {
            self.state = State::Still(Box::new(engine.into_study()));
        }
    }

    /// Whether it was removed.
    pub(super) fn is_removed(&self) -> bool {
        self.removed
    }

    /// Forgets everything about a study that is over; false if it is not.
    pub(super) fn remove(&mut self) -> bool {
        let State::Still(study) = &mut self.state else { return false };
        study.trials.clear();
        self.data.clear();
        self.placement.clear();
        self.removed = true;
        true
    }

    pub(super) fn engine(&self) -> Option<&Engine> {
        match &self.state {
            State::Live(engine) => Some(engine),
            State::Still(_) | State::Moving => None,
        }
    }

    fn engine_mut(&mut self) -> Option<&mut Engine> {
        match &mut self.state {
            State::Live(engine) => Some(engine),
            State::Still(_) | State::Moving => None,
        }
    }

    pub(super) fn study(&self) -> &Study {
        match &self.state {
            State::Live(engine) => engine.study(),
            State::Still(study) => study,
            State::Moving => unreachable!("a study moves within one call"),
        }
    }

    pub(super) fn handle(&mut self, now: Moment, event: Event) {
        if let Some(engine) = self.engine_mut() {
            engine.handle(now, event);
        }
    }

    pub(super) fn set_bounds(&mut self, bounds: Bounds) {
        if let Some(engine) = self.engine_mut() {
            engine.set_bounds(bounds);
        }
    }

    pub(super) fn reconsider(&mut self, now: Moment) {
        if let Some(engine) = self.engine_mut() {
            engine.reconsider(now);
        }
    }

    pub(super) fn poll(&mut self) -> Option<Command> {
        self.engine_mut()?.poll()
    }

    pub(super) fn violation(&self) -> Option<&Violation> {
        self.engine()?.violation()
    }

    /// The number of the next record that goes to the journal.
    pub(super) fn number_next(&mut self) -> Seq {
        self.records += 1;
        Seq(self.records - 1)
    }

    /// The numerics class that computes it.
    pub(super) fn class(&self) -> Digest {
        self.class
    }

    /// Its partitions, by number.
    pub(super) fn partitions(&self) -> Vec<Digest> {
        let partitions = &self.study().creation.manifest.partitions;
        partitions.iter().map(|blob| blob.digest).collect()
    }

    /// The bytes of its partitions, by number.
    pub(super) fn partition_sizes(&self) -> Vec<u64> {
        let partitions = &self.study().creation.manifest.partitions;
        partitions.iter().map(|blob| blob.bytes).collect()
    }

    /// Its partitions and its validation rows.
    pub(super) fn data(&self) -> impl Iterator<Item = &Digest> {
        self.data.iter()
    }

    /// Whether this is a partition of it, or its validation rows.
    pub(super) fn has_data(&self, blob: &Digest) -> bool {
        self.data.contains(blob)
    }

    /// Whether this is a checkpoint that it needs.
    pub(super) fn keeps(&self, state: &Digest) -> bool {
        match &self.state {
            State::Live(engine) => engine.keeps(state),
            _ => self.best() == Some(*state),
        }
    }

    /// The checkpoints that it needs.
    pub(super) fn kept(&self) -> Vec<Digest> {
        match &self.state {
            State::Live(engine) => engine.kept_states().collect(),
            _ => self.best().into_iter().collect(),
        }
    }

    /// The checkpoints that should lie on two nodes.
    pub(super) fn precious(&self) -> Vec<Precious> {
        let best = |state| Precious { state, home: None, durable: true };
        match &self.state {
            State::Live(engine) => engine.precious(),
            _ => self.best().map(best).into_iter().collect(),
        }
    }

    /// As [`Seat::precious`], of what has changed since this was last asked.
    pub(super) fn precious_anew(&mut self) -> Vec<Precious> {
        self.engine_mut().map_or(Vec::new(), Engine::precious_anew)
    }

    fn best(&self) -> Option<Digest> {
        self.study().best().map(|(_, best)| best.state)
    }

    /// What a node has for this study, as an event; `None` for a node of another class.
    pub(super) fn joined(&self, node: NodeId, host: &Host, class: Digest) -> Option<Event> {
        if host.numerics != class {
            return None;
        }
        let manifest = &self.study().creation.manifest;
        let blobs = manifest.partitions.iter().zip(&self.placement).zip(0..);
        let held = blobs.filter_map(|((blob, holders), id)| {
            let rank = holders.iter().position(|holder| *holder == node)?;
            host.holds(&blob.digest).then_some((PartitionId(id), rank as u32))
        });
        let partitions = held.collect();
        let validation = host.holds(&manifest.validation.digest);
        let offer = Offer { slots: host.slots, partitions, validation };
        Some(Event::NodeJoined { node, boot: host.boot, offer })
    }
}

/// On how many nodes data lies.
fn placed_on(placement: &Placement) -> usize {
    placement.iter().flatten().collect::<BTreeSet<_>>().len()
}
