//! Plain lines on standard output: one for each finished epoch of a trial, and for everything
//! out of the ordinary.

use super::Progress;
use super::news::news;
use super::pace::Pace;
use std::io::Write;
use wallaby_core::journal::{Entry, Record};
use wallaby_core::study::Study;
use wallaby_core::trial::Trial;
use wallaby_core::unit::Step;

/// Writes lines as they come.
pub(crate) struct Plain<W> {
    out: W,
    pace: Pace,
}

impl<W: Write + Send> Plain<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, pace: Pace::default() }
    }

    fn line(&mut self, line: &str) {
        // A reader that has gone away is no reason to stop the study.
        let _ = writeln!(self.out, "{line}");
    }

    fn epoch(&mut self, study: &Study, trial: &Trial) {
        let Some(result) = trial.results.last() else { return };
        let mark = self.pace.look(study);
        let percent = (100.0 * mark.done).floor();
        let left = mark.seconds_left.map_or("?".to_owned(), duration);
        let epochs = study.creation.spec.budget.epochs;
        let metrics: Vec<String> = result
            .metrics
            .iter()
            .map(|(name, value)| format!("{name} {}", number(*value)))
            .collect();
        let best = study.best().map(|(id, best)| format!("best {} ({id})", number(best.value)));
        self.line(&format!(
            "{percent:>3}%  {:<9}  epoch {}/{epochs}  {}  | {}  left {left}",
            trial.id.to_string(),
            result.epoch.0,
            metrics.join("  "),
            best.unwrap_or_default(),
        ));
    }
}

impl<W: Write + Send> Progress for Plain<W> {
    fn entry(&mut self, study: &Study, entry: &Entry) {
        match &entry.record {
            Record::TermBegan { .. } => {
                self.pace.look(study);
            }
            Record::UnitCommitted(commit) if commit.unit.step == Step::Validate => {
                if let Some(trial) = study.trial(commit.unit.trial) {
                    self.epoch(study, trial);
                }
            }
            _ => {
                if let Some(news) = news(study, entry) {
                    self.line(&format!("      {news}"));
                }
            }
        }
    }
}

/// Four digits after the point, or powers of ten for the very large and very small.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e6).contains(&size) {
        format!("{value:.3e}")
    } else {
        format!("{value:.4}")
    }
}

/// `5s`, `3m20s`, `2h05m`.
pub(crate) fn duration(seconds: f64) -> String {
    let seconds = seconds as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m{s:02}s"),
        (h, m, _) => format!("{h}h{m:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_name_their_two_largest_units() {
        assert_eq!([5.0, 200.0, 7500.0].map(duration), ["5s", "3m20s", "2h05m"]);
    }

    #[test]
    fn numbers_stay_short() {
        assert_eq!(
            [0.97222, 0.0, 1.5e-7, 2.5e9].map(number),
            ["0.9722", "0.0000", "1.500e-7", "2.500e9"]
        );
    }
}
