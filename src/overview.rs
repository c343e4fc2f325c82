//! A run in a few facts, for lists of runs: whose it is, where it stands, what it found. Tells
//! something of every run folder, also of one that is in use, damaged, or of a newer version.

use crate::error::Error;
use crate::moment;
use crate::recorded::Recorded;
use crate::run_folder::{FolderError, RunFolder};
use serde_json::{Value as Json, json};
use std::io::ErrorKind;
use std::path::Path;
use wallaby_actors::journal::JournalError;
use wallaby_core::ids::Moment;
use wallaby_core::study::{Phase, Study};

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// A process has it, of this number; empty if it is not one process that has it.
    Running(String),
    /// All of it is done.
    Ended,
    /// It stopped in order, and may go on.
    Paused,
    /// It stopped anyhow, and may go on.
    Interrupted,
    /// It cannot be read; why.
    Unreadable(String),
}

impl State {
    /// In a word.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            State::Running(_) => "running",
            State::Ended => "ended",
            State::Paused => "paused",
            State::Interrupted => "interrupted",
            State::Unreadable(_) => "unreadable",
        }
    }

    /// Of a run that was read.
    pub(crate) fn of(recorded: &Recorded) -> Self {
        match (&recorded.in_use, &recorded.study.phase) {
            (None, Phase::Running) if recorded.distant.is_some() => State::Running(String::new()),
            (Some(process), _) => State::Running(process.clone()),
            (None, Phase::Ended(_)) => State::Ended,
            (None, Phase::Paused(_)) => State::Paused,
            (None, Phase::Running) => State::Interrupted,
        }
    }
}

/// What a journal adds to `run.json`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Progress {
    /// Trials that have ended.
    pub(crate) ended: usize,
    /// Trials that there will be at most.
    pub(crate) trials: u64,
    /// The objective's metric.
    pub(crate) metric: String,
    /// The best trial's number and its objective.
    pub(crate) best: Option<(u32, f64)>,
    /// When it began.
    pub(crate) began: Moment,
    /// When something was recorded last.
    pub(crate) last: Moment,
}

/// A run in a few facts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Overview {
    /// The folder.
    pub(crate) folder: RunFolder,
    /// The study's name; empty if even that cannot be read.
    pub(crate) study: String,
    /// Where it stands.
    pub(crate) state: State,
    /// `None` if the journal cannot be read, or says nothing yet.
    pub(crate) progress: Option<Progress>,
}

impl Overview {
    /// Of a folder; `None` if there is no run in it.
    pub(crate) fn of(folder: RunFolder) -> Option<Self> {
        let study = match folder.about() {
            Ok(Some(about)) => about.study,
            Ok(None) | Err(FolderError::Occupied { .. }) => return None,
            Err(error) => return Some(Self::unread(folder, String::new(), unreadable(error))),
        };
        match Recorded::look(folder.clone()) {
            Ok(recorded) => {
                let state = State::of(&recorded);
                Some(Self { folder, study, state, progress: Some(Progress::of(&recorded)) })
            }
            Err(Error::Folder(FolderError::InUse { process, .. })) => {
                Some(Self::unread(folder, study, State::Running(process)))
            }
            Err(Error::Folder(FolderError::NotARun { .. })) => None,
            Err(error) if is_not_begun(&error) => {
                Some(Self::unread(folder, study, State::Interrupted))
            }
            Err(error) => Some(Self::unread(folder, study, unreadable(error))),
        }
    }

    /// All runs in a folder of runs, by name; numbers in names by size.
    ///
    /// # Errors
    /// If the folder exists and cannot be read.
    pub(crate) fn all_in(root: &Path) -> Result<Vec<Self>, Error> {
        Ok(runs_in(root)?.into_iter().filter_map(Self::of).collect())
    }

    fn unread(folder: RunFolder, study: String, state: State) -> Self {
        Self { folder, study, state, progress: None }
    }

    /// For scripts.
    pub(crate) fn json(&self) -> Json {
        let process = match &self.state {
            State::Running(process) => process.parse::<u32>().ok(),
            _ => None,
        };
        let why = match &self.state {
            State::Unreadable(why) => Some(why),
            _ => None,
        };
        let progress = self.progress.as_ref();
        let best = progress.and_then(|progress| {
            let (trial, objective) = progress.best?;
            Some(json!({"trial": trial, "objective": objective, "metric": progress.metric}))
        });
        json!({
            "run": self.folder.path().to_string_lossy(),
            "study": self.study,
            "cluster": false,
            "state": self.state.word(),
            "process": process,
            "why": why,
            "trials_ended": progress.map(|progress| progress.ended),
            "trials": progress.map(|progress| progress.trials),
            "best": best,
            "began": progress.map(|progress| moment::iso(progress.began)),
            "last": progress.map(|progress| moment::iso(progress.last)),
        })
    }
}

impl Progress {
    /// Of a run that was read.
    pub(crate) fn of(recorded: &Recorded) -> Self {
        let study: &Study = &recorded.study;
        let at = |entry: Option<&wallaby_core::journal::Entry>| entry.map_or(Moment(0), |e| e.at);
        Self {
            ended: study.trials.iter().filter(|trial| trial.end.is_some()).count(),
            trials: study.creation.spec.trials_max().max(study.trials.len() as u64),
            metric: study.creation.spec.objective.metric.clone(),
            best: study.best().map(|(id, best)| (id.0, best.value)),
            began: at(recorded.entries.first()),
            last: at(recorded.entries.last()),
        }
    }
}

/// The folders in a folder of runs, by name; numbers in names by size.
///
/// # Errors
/// If the folder exists and cannot be read.
pub(crate) fn runs_in(root: &Path) -> Result<Vec<RunFolder>, Error> {
    let entries = match std::fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(Error::file(root, source)),
    };
    let paths = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    let mut runs: Vec<RunFolder> = paths.map(|path| RunFolder::at(&path)).collect();
    runs.sort_by_cached_key(|run| order_of(&run.path().to_string_lossy()));
    Ok(runs)
}

/// The name without its number, and its number: `digits-9` comes before `digits-10`.
fn order_of(name: &str) -> (String, u64) {
    let numbered = name.rsplit_once('-').and_then(|(name, n)| Some((name, n.parse().ok()?)));
    numbered.map_or((name.to_owned(), 0), |(name, number)| (name.to_owned(), number))
}

fn unreadable(error: impl Into<Error>) -> State {
    State::Unreadable(error.into().to_string())
}

/// Whether a process died between `run.json` and the first record.
fn is_not_begun(error: &Error) -> bool {
    matches!(
        error,
        Error::Contradiction { at: 0, .. }
            | Error::NoResult { .. }
            | Error::Journal(JournalError::Missing { .. })
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_go_by_size() {
        let mut names = ["runs/b-2", "runs/a-10", "runs/a-9", "runs/a"];
        names.sort_by_key(|name| order_of(name));
        assert_eq!(names, ["runs/a", "runs/a-9", "runs/a-10", "runs/b-2"]);
    }
}
