//! Ways around cuts: a node that cannot fetch a checkpoint which others have is left out for a
//! while. The checkpoint is not lost, and its trial has not failed.

use super::{Coordinator, REPLACE_MILLIS};
use crate::cluster::record::StudyId;
use crate::engine::{Event, Try};
use crate::ids::{Digest, Moment, NodeId};
use crate::unit::Failure;
use std::collections::BTreeMap;

/// How often a node may fail to fetch a checkpoint before that counts as a failure of the unit:
/// what nobody can fetch is damaged.
const ATTEMPTS_MAX: u32 = 3;

/// How long a node is left out. Not after its first failure: the node that it was to fetch the
/// checkpoint from may just have died, and it is told of the others with the next order.
const DETOUR_MILLIS: u64 = REPLACE_MILLIS / 2;

/// Who could not fetch what, and who is left out for which study until when.
#[derive(Debug, Clone, Default)]
pub(super) struct Detours {
    failures: BTreeMap<(NodeId, Digest), u32>,
    left_out: BTreeMap<(StudyId, NodeId), Moment>,
}

impl Coordinator {
    /// What a study is to hear of a unit that failed for want of its checkpoint: if others have
    /// that, only that this node is of no use for the unit now.
    pub(super) fn detour(&mut self, study: StudyId, event: Event) -> Event {
        let Event::UnitFailed(attempt, Failure::StateUnusable { state, detail }) = &event else {
            return event;
        };
        let (node, state) = (attempt.slot.node, *state);
        if !self.is_under_way(study, attempt) || attempt.input != Some(state) {
            return event;
        }
        // It has it not, or not whole.
        let others = self.hosts.iter().filter(|(id, host)| **id != node && host.holds(&state));
        let elsewhere = others.count() > 0;
        if elsewhere {
            // It is fetched anew; else it would be told of again, and count as a copy.
            self.remove_from(node, state);
        } else if let Some(host) = self.hosts.get_mut(&node) {
            host.remove(&state);
        }
        let failures = self.detours.failures.entry((node, state)).or_default();
        *failures += 1;
        if !elsewhere || *failures > ATTEMPTS_MAX {
            self.detours.failures.remove(&(node, state));
            return event;
        }
        let left_out = if *failures > 1 { DETOUR_MILLIS } else { 0 };
        let until = Moment(self.now.0 + left_out);
        let before = self.detours.left_out.entry((study, node)).or_default();
        *before = until.max(*before);
        Event::UnitFailed(*attempt, Failure::DataUnusable(detail.clone()))
    }

    fn is_under_way(&self, study: StudyId, attempt: &Try) -> bool {
        let engine = self.seats.get(&study).and_then(|seat| seat.engine());
        engine.is_some_and(|engine| engine.running().any(|running| running == attempt))
    }

    /// Gives nodes that were left out another chance.
    pub(super) fn end_detours(&mut self) {
        let due = self.detours.left_out.iter().filter(|(_, until)| **until <= self.now);
        let due: Vec<(StudyId, NodeId)> = due.map(|(key, _)| *key).collect();
        for (study, node) in due {
            self.detours.left_out.remove(&(study, node));
            self.offer_anew(study, node);
        }
        let seats = &self.seats;
        let kept = |state: &Digest| seats.values().any(|seat| seat.keeps(state));
        self.detours.failures.retain(|(_, state), _| kept(state));
    }
}
