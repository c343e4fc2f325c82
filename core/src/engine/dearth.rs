//! Which slots are short of work: for how long each has lately stood idle while trials waited for
//! other nodes. That is forgotten slowly, so that a slot whose node holds less than its share of
//! the data does not wait for a unit's time before each trial that it takes over.

use crate::ids::{Moment, SlotId};
use std::collections::{BTreeMap, BTreeSet};

/// So much of the time that passes is forgotten: more than equal trials on equal nodes leave their
/// slots idle, and about as much as a slot that is short of work stays idle.
const FORGOTTEN: f64 = 0.03;

/// The slots that are known.
#[derive(Debug, Clone, Default)]
pub(super) struct Dearth {
    slots: BTreeMap<SlotId, Short>,
}

/// A slot.
#[derive(Debug, Clone, Copy)]
struct Short {
    /// How long it has been idle, less what is forgotten.
    millis: f64,
    at: Moment,
    /// Whether it has been idle since then.
    idle: bool,
}

impl Dearth {
    /// Takes note that these slots are idle from now on although trials wait, and no others. Those
    /// that others have `taken` were not idle; no slot is thought to be short of more than
    /// `millis_max`.
    pub(super) fn note(
        &mut self,
        idle: impl Iterator<Item = SlotId>,
        taken: &BTreeSet<SlotId>,
        now: Moment,
        millis_max: f64,
    ) {
        for (slot, short) in &mut self.slots {
            let passed = now.millis_since(short.at) as f64;
            let gained = if short.idle && !taken.contains(slot) { passed } else { 0.0 };
            short.millis = (short.millis + gained - FORGOTTEN * passed).clamp(0.0, millis_max);
            (short.at, short.idle) = (now, false);
        }
        for slot in idle {
            let new = Short { millis: 0.0, at: now, idle: true };
            self.slots.entry(slot).or_insert(new).idle = true;
        }
        self.slots.retain(|_, short| short.idle || short.millis > 0.0);
    }

    /// For how many milliseconds a slot has lately been idle.
    pub(super) fn of(&self, slot: SlotId, now: Moment) -> f64 {
        self.slots.get(&slot).map_or(0.0, |short| {
            short.millis + if short.idle { now.millis_since(short.at) as f64 } else { 0.0 }
        })
    }
}
