//! What the slots run at this moment, for those who watch. Volatile: assignments are not
//! journaled, so a viewer learns of them here and nowhere else. Decides nothing.

use tokio::sync::watch;
use wallaby_core::engine::Engine;
use wallaby_core::ids::{Moment, SlotId};
use wallaby_core::unit::Unit;

/// A unit under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// Where.
    pub slot: SlotId,
    /// What.
    pub unit: Unit,
    /// Since when, on the leader's clock.
    pub since: Moment,
}

/// Tells watchers what runs, ordered by slot, if that is not what they know already.
pub(crate) fn publish(engine: &Engine, watchers: &watch::Sender<Vec<Running>>) {
    let running = || {
        let units = engine.running_since();
        units.map(|(attempt, since)| Running { slot: attempt.slot, unit: attempt.unit, since })
    };
    watchers.send_if_modified(|known| {
        let news = !running().eq(known.iter().copied());
        if news {
            known.clear();
            known.extend(running());
        }
        news
    });
}
