//! One JSON object a line on standard output, for scripts. Every object has `event` and `at`
//! (milliseconds since the Unix epoch); fields are added over time, never renamed.

use super::{Progress, extent};
use crate::json;
use serde_json::{Value as Json, json};
use std::io::Write;
use wallaby_actors::clock::Clock;
use wallaby_core::ids::Moment;
use wallaby_core::journal::{Conclusion, Decision, End, Entry, Pause, Record};
use wallaby_core::study::Study;
use wallaby_core::unit::Step;

/// Writes events as they come.
pub(crate) struct Events<W>(pub(crate) W);

impl<W: Write + Send> Progress for Events<W> {
    fn entry(&mut self, study: &Study, entry: &Entry) {
        let Some(event) = event(study, &entry.record) else { return };
        // A reader that has gone away is no reason to stop the study.
        let _ = writeln!(self.0, "{}", stamped(event, entry.at));
    }
}

/// The line of an event that no record tells, and that happens now.
pub(crate) fn event_now(event: Json) -> String {
    format!("{}\n", stamped(event, Clock::start().now()))
}

fn stamped(mut event: Json, at: Moment) -> Json {
    if let Some(fields) = event.as_object_mut() {
        fields.insert("at".to_owned(), json!(at.0));
    }
    event
}

fn event(study: &Study, record: &Record) -> Option<Json> {
    Some(match record {
        Record::TermBegan { term, .. } => json!({"event": "term_began", "term": term.0}),
        Record::TrialProposed { trial, config } => {
            json!({"event": "trial_proposed", "trial": trial.0, "config": json::config(config)})
        }
        Record::UnitCommitted(commit) => {
            let trial = study.trial(commit.unit.trial)?;
            match commit.unit.step {
                Step::Validate => epoch_finished(study, trial),
                Step::Train(partition) => json!({
                    "event": "unit_committed", "trial": trial.id.0, "epoch": commit.unit.epoch.0,
                    "partition": partition.0, "slot": commit.slot.index,
                    "attempt": commit.fence.attempt, "millis": commit.output.millis,
                    "metrics": json::metrics(&commit.output.metrics),
                    "state": commit.output.state.to_string(),
                }),
            }
        }
        Record::EpochDecided { trial, epoch, decision } => {
            let decision = if *decision == Decision::Stop { "stop" } else { "continue" };
            json!({"event": "epoch_decided", "trial": trial.0, "epoch": epoch.0, "decision": decision})
        }
        Record::UnitFailed { unit, failure, .. } => json!({
            "event": "unit_failed", "trial": unit.trial.0, "epoch": unit.epoch.0,
            "unit": unit.to_string(), "failure": failure.to_string(),
        }),
        Record::TrialRolledBack { trial, epoch, visited } => json!({
            "event": "trial_rolled_back", "trial": trial.0, "epoch": epoch.0, "visited": visited,
        }),
        Record::TrialEnded { trial, end } => {
            json!({"event": "trial_ended", "trial": trial.0, "end": end_word(Some(end)), "detail": detail(end)})
        }
        Record::StudyPaused { cause } => {
            json!({"event": "study_paused", "cause": pause_words(cause)})
        }
        Record::StudyResumed => json!({"event": "study_resumed"}),
        Record::StudyEnded { cause } => {
            let cause = match cause {
                Conclusion::TrialsSpent => "trials",
                Conclusion::WallClockSpent => "wall_clock",
                Conclusion::Cancelled => "cancelled",
            };
            json!({"event": "study_ended", "cause": cause})
        }
        Record::StudyCreated(_) => return None,
    })
}

fn epoch_finished(study: &Study, trial: &wallaby_core::trial::Trial) -> Json {
    let result = trial.results.last();
    let (done, all) = extent(study);
    let best = study.best().map(|(id, best)| json!({"trial": id.0, "objective": best.value}));
    json!({
        "event": "epoch_finished", "trial": trial.id.0, "epoch": result.map(|r| r.epoch.0),
        "metrics": result.map(|r| json::metrics(&r.metrics)), "best": best,
        "done": done / all.max(1.0),
    })
}

/// All words of [`end_word`].
pub(crate) const END_WORDS: [&str; 6] =
    ["running", "completed", "stopped", "out_of_budget", "failed", "cancelled"];

/// How a trial ended, as a word.
pub(crate) fn end_word(end: Option<&End>) -> &'static str {
    match end {
        None => "running",
        Some(End::Completed) => "completed",
        Some(End::Stopped) => "stopped",
        Some(End::OutOfBudget) => "out_of_budget",
        Some(End::Failed(_)) => "failed",
        Some(End::Cancelled) => "cancelled",
    }
}

fn detail(end: &End) -> Option<String> {
    match end {
        End::Failed(failure) => Some(failure.to_string()),
        _ => None,
    }
}

/// Why a study is paused, in words.
pub(crate) fn pause_words(cause: &Pause) -> String {
    match cause {
        Pause::Requested => "requested".to_owned(),
        Pause::StorageFull(why) | Pause::StorageBroken(why) | Pause::DataLost(why) => why.clone(),
    }
}
