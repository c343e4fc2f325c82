//! How far a study is, and how long it will still take at the pace of this process: what an
//! earlier process did says nothing about the slots of this one.

use super::extent;
use wallaby_core::study::Study;

/// Measures from the first look on.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Work done and running time at the first look.
    start: Option<(f64, u64)>,
}

/// How far a study is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Mark {
    /// The part that is done, 0 to 1.
    pub(crate) done: f64,
    /// How long the rest will take; unknown before anything was done.
    pub(crate) seconds_left: Option<f64>,
}

impl Pace {
    /// Where the study stands now.
    pub(crate) fn look(&mut self, study: &Study) -> Mark {
        let (done, all) = extent(study);
        let (done_before, millis_before) = *self.start.get_or_insert((done, study.active_millis));
        let millis = study.active_millis.saturating_sub(millis_before) as f64;
        let pace = (done - done_before) / millis.max(1.0);
        let seconds_left = (pace > 0.0).then(|| ((all - done) / pace / 1000.0).ceil());
        Mark { done: done / all.max(1.0), seconds_left }
    }
}
