//! A study as the journal tells it: a fold over records and nothing else.
//! A record that contradicts the records before it is refused and named, never half applied.

use crate::ids::{Digest, Epoch, Moment, Term, TrialId};
use crate::journal::{Commit, Conclusion, Creation, Decision, Entry, Pause, Record};
use crate::trial::{Best, Trial};
use thiserror::Error;

/// Where a study stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Units may start.
    Running,
    /// Nothing starts until it is resumed.
    Paused(Pause),
    /// Over.
    Ended(Conclusion),
}

/// The state of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// What it is made of.
    pub creation: Creation,
    /// All trials, by number.
    pub trials: Vec<Trial>,
    /// Where it stands.
    pub phase: Phase,
    /// The current term.
    pub term: Term,
    /// The numerics class of each term that differs from the one before.
    pub numerics: Vec<Digest>,
    /// How many units were committed, those rolled back included.
    pub commits: u64,
    /// Running time so far: interruptions and pauses do not count.
    pub active_millis: u64,
    /// The trial with the best objective.
    best: Option<TrialId>,
    /// The moment of the last record that counts for `active_millis`.
    clock: Option<Moment>,
}

/// A record that cannot follow the records before it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Contradiction {
    /// The journal does not begin with the study's creation, or has a second one.
    #[error("a journal begins with one StudyCreated record, and has no other")]
    Creation,
    /// Terms must rise.
    #[error("{found} began after {current}")]
    Term {
        /// The term in force.
        current: Term,
        /// The term of the record.
        found: Term,
    },
    /// Trials are numbered without gaps.
    #[error("{found} was proposed, expected {expected}")]
    Numbering {
        /// The next free number.
        expected: TrialId,
        /// The number of the record.
        found: TrialId,
    },
    /// No such trial.
    #[error("{0} does not exist")]
    UnknownTrial(TrialId),
    /// The record does not fit the trial's progress.
    #[error("{what} does not fit: {why}")]
    Progress {
        /// The record, in words.
        what: String,
        /// What is wrong.
        why: String,
    },
    /// The study is over.
    #[error("the study has ended")]
    Ended,
}

impl Study {
    /// A study that has just been created.
    pub fn new(creation: Creation) -> Self {
        Self {
            creation,
            trials: Vec::new(),
            phase: Phase::Running,
            term: Term(0),
            numerics: Vec::new(),
            commits: 0,
            active_millis: 0,
            best: None,
            clock: None,
        }
    }

    /// Folds a whole journal.
    ///
    /// # Errors
    /// The place of the first contradicting record, and what is wrong with it.
    pub fn replay(entries: &[Entry]) -> Result<Self, (usize, Contradiction)> {
        let first = entries.first().map(|entry| &entry.record);
        let Some(Record::StudyCreated(creation)) = first else {
            return Err((0, Contradiction::Creation));
        };
        let mut study = Self::new((**creation).clone());
        for (at, entry) in entries.iter().enumerate().skip(1) {
            study.apply(entry).map_err(|contradiction| (at, contradiction))?;
        }
        Ok(study)
    }

    /// The number of partitions.
    pub fn partitions(&self) -> u32 {
        self.creation.manifest.partitions.len() as u32
    }

    /// The trial of this number.
    pub fn trial(&self, id: TrialId) -> Option<&Trial> {
        self.trials.get(id.0 as usize)
    }

    /// Trials that have not ended.
    pub fn active(&self) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(|trial| trial.end.is_none())
    }

    /// The best trial and its best epoch.
    pub fn best(&self) -> Option<(TrialId, Best)> {
        self.best.and_then(|id| Some((id, self.trial(id)?.best?)))
    }

    /// All trials, best first; those without a validated epoch last, by number.
    pub fn ranking(&self) -> Vec<&Trial> {
        let direction = self.creation.spec.objective.direction;
        let mut trials: Vec<&Trial> = self.trials.iter().collect();
        trials.sort_by(|a, b| match (a.best, b.best) {
            (Some(x), Some(y)) => direction.compare(x.value, y.value).then(a.id.cmp(&b.id)),
            (x, y) => y.is_some().cmp(&x.is_some()).then(a.id.cmp(&b.id)),
        });
        trials
    }

    /// Running time at `now`.
    pub fn active_millis_at(&self, now: Moment) -> u64 {
        let since = self.clock.map_or(0, |last| now.millis_since(last));
        self.active_millis.saturating_add(since)
    }

    /// Applies the next record.
    ///
    /// # Errors
    /// A record that contradicts those before it; the study is then unchanged.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), Contradiction> {
        if matches!(self.phase, Phase::Ended(_))
            && !matches!(entry.record, Record::TermBegan { .. })
        {
            return Err(Contradiction::Ended);
        }
        self.apply_record(&entry.record)?;
        self.advance_clock(entry);
        Ok(())
    }

    fn apply_record(&mut self, record: &Record) -> Result<(), Contradiction> {
        match record {
            Record::StudyCreated(_) => return Err(Contradiction::Creation),
            Record::TermBegan { term, numerics } => self.begin_term(*term, *numerics)?,
            Record::TrialProposed { trial, config } => {
                let expected = TrialId(self.trials.len() as u32);
                if *trial != expected {
                    return Err(Contradiction::Numbering { expected, found: *trial });
                }
                self.trials.push(Trial::new(*trial, config.clone()));
            }
            Record::UnitCommitted(commit) => self.commit(commit)?,
            Record::EpochDecided { trial, epoch, decision } => {
                self.decide(*trial, *epoch, *decision)?
            }
            Record::UnitFailed { unit, fence, failure, .. } => {
                self.live(unit.trial, record)?.fail(*unit, *fence, failure);
            }
            Record::TrialRolledBack { trial, epoch, visited } => {
                self.roll_back(*trial, *epoch, *visited, record)?;
            }
            Record::TrialEnded { trial, end } => {
                let trial = self.live(*trial, record)?;
                trial.end = Some(end.clone());
                trial.undecided = false;
            }
            Record::StudyPaused { cause } => self.phase = Phase::Paused(cause.clone()),
            Record::StudyResumed => self.phase = Phase::Running,
            Record::StudyEnded { cause } => self.phase = Phase::Ended(*cause),
        }
        Ok(())
    }

    fn begin_term(&mut self, term: Term, numerics: Digest) -> Result<(), Contradiction> {
        if term <= self.term {
            return Err(Contradiction::Term { current: self.term, found: term });
        }
        self.term = term;
        if self.numerics.last() != Some(&numerics) {
            self.numerics.push(numerics);
        }
        Ok(())
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), Contradiction> {
        let partitions = self.partitions();
        let id = commit.unit.trial;
        let trial = self.trials.get_mut(id.0 as usize).ok_or(Contradiction::UnknownTrial(id))?;
        if let Some(why) = trial.objection(&commit.unit, partitions) {
            return Err(Contradiction::Progress {
                what: format!("commit of {}", commit.unit),
                why,
            });
        }
        let objective = &self.creation.spec.objective;
        trial.commit(commit, &objective.metric, objective.direction);
        self.commits += 1;
        self.consider(id);
        Ok(())
    }

    /// Keeps `best` up to date after a change of one trial's best epoch for the better.
    fn consider(&mut self, id: TrialId) {
        let value =
            |id: TrialId| self.trial(id).and_then(|trial| trial.best).map(|best| best.value);
        let direction = self.creation.spec.objective.direction;
        let Some(new) = value(id) else { return };
        let beaten = match self.best.and_then(value) {
            None => true,
            Some(old) => direction.compare(new, old).then(Some(id).cmp(&self.best)).is_lt(),
        };
        if beaten {
            self.best = Some(id);
        }
    }

    fn decide(
        &mut self,
        id: TrialId,
        epoch: Epoch,
        decision: Decision,
    ) -> Result<(), Contradiction> {
        let trial = self.trials.get_mut(id.0 as usize).ok_or(Contradiction::UnknownTrial(id))?;
        if !trial.undecided || trial.epoch != epoch {
            return Err(Contradiction::Progress {
                what: format!("decision on {id} {epoch}"),
                why: format!("the trial is in {} and waits for no decision", trial.epoch),
            });
        }
        trial.decide(decision);
        Ok(())
    }

    fn roll_back(
        &mut self,
        id: TrialId,
        epoch: Epoch,
        visited: u32,
        record: &Record,
    ) -> Result<(), Contradiction> {
        let partitions = self.partitions();
        let trial = self.live(id, record)?;
        if !trial.can_roll_back(epoch, visited, partitions) {
            return Err(Contradiction::Progress {
                what: format!("roll-back of {id} to {epoch} after {visited} partitions"),
                why: "no checkpoint of that progress is kept".to_owned(),
            });
        }
        trial.roll_back(epoch, visited);
        Ok(())
    }

    fn live(&mut self, id: TrialId, record: &Record) -> Result<&mut Trial, Contradiction> {
        let trial = self.trials.get_mut(id.0 as usize).ok_or(Contradiction::UnknownTrial(id))?;
        if trial.end.is_some() {
            let what = format!("{record:?}");
            return Err(Contradiction::Progress { what, why: "the trial has ended".to_owned() });
        }
        Ok(trial)
    }

    /// Adds the time since the last record, unless an interruption or a pause lies between.
    fn advance_clock(&mut self, entry: &Entry) {
        let fresh = matches!(entry.record, Record::TermBegan { .. } | Record::StudyResumed);
        if let Some(last) = self.clock.filter(|_| !fresh) {
            let elapsed = entry.at.millis_since(last);
            self.active_millis = self.active_millis.saturating_add(elapsed);
        }
        self.clock = (self.phase == Phase::Running).then_some(entry.at);
    }
}

#[cfg(test)]
#[path = "study_tests.rs"]
mod tests;
