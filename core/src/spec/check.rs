//! Whether a study can be run at all, whoever describes it. Study files are checked before, with
//! lines and hints; this is for descriptions that come over a network. What passes here may fail
//! its trials, but neither stops a leader nor takes more memory than a large study does.

use super::{Budget, PolicyKind, SamplerKind, Search, Spec};
use crate::journal::Creation;
use crate::search::MAX_DIMENSIONS;
use crate::space::{DomainError, Space};
use std::ops::RangeInclusive;
use thiserror::Error;

/// How long the name of a study may be, in letters.
pub const NAME_MAX: usize = 64;
/// Epochs of a trial: rungs at powers of `eta` stay far from overflow.
pub const EPOCHS: RangeInclusive<u32> = 1..=1_000_000;
/// Partitions of a study.
pub const PARTITIONS: RangeInclusive<u32> = 1..=65_536;
/// Trials under way at once.
pub const CONCURRENCY: RangeInclusive<u32> = 1..=65_536;
/// Points of a whole grid.
pub const GRID_MAX: u64 = 1 << 32;
/// The factor between two rungs.
pub const ETA: RangeInclusive<u32> = 2..=16;
/// Trials that the median waits for.
pub const MIN_TRIALS: RangeInclusive<u32> = 1..=1_000_000;

/// Why a study cannot be run.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SpecError {
    /// The name cannot stand in a path or a folder's name.
    #[error("the name {0:?}: expected at most {NAME_MAX} letters, digits, - and _")]
    Name(String),
    /// A number is not one that a study can have.
    #[error("{what} = {found}: expected {} to {}", .expected.start(), .expected.end())]
    Number {
        /// Which.
        what: &'static str,
        /// What it is.
        found: u64,
        /// What it may be.
        expected: RangeInclusive<u32>,
    },
    /// A parameter cannot be searched.
    #[error("parameter {name:?} {error}")]
    Domain {
        /// Its name.
        name: String,
        /// Why not.
        error: DomainError,
    },
    /// The space is too large for its sampler.
    #[error("the space has {found} {what}, expected at most {expected}")]
    Space {
        /// Of what there are too many.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// How many there may be.
        expected: u64,
    },
    /// Nothing says how many trials there are.
    #[error("no number of trials, expected one, since only a grid knows its own")]
    NoTrials,
}

/// Whether a study may have this name: it stands in paths, addresses and lines of a log.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let usable = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    (1..=NAME_MAX).contains(&name.len()) && name.chars().all(usable)
}

impl Creation {
    /// Whether the study can be run.
    ///
    /// # Errors
    /// The first reason why it cannot.
    pub fn check(&self) -> Result<(), SpecError> {
        within("partitions", self.manifest.partitions.len() as u64, PARTITIONS)?;
        self.spec.check()
    }
}

impl Spec {
    /// Whether the search can be run.
    ///
    /// # Errors
    /// The first reason why it cannot.
    pub fn check(&self) -> Result<(), SpecError> {
        if !is_name(&self.name) {
            return Err(SpecError::Name(self.name.chars().take(2 * NAME_MAX).collect()));
        }
        let Budget { trials, epochs, wall_clock_seconds: _ } = self.budget;
        within("epochs", epochs.into(), EPOCHS)?;
        match trials {
            Some(trials) => within("trials", trials.into(), 1..=u32::MAX)?,
            None if self.search.sampler == SamplerKind::Grid => {}
            None => return Err(SpecError::NoTrials),
        }
        self.search.check(epochs)
    }
}

impl Search {
    fn check(&self, epochs: u32) -> Result<(), SpecError> {
        if let Some(concurrency) = self.concurrency {
            within("concurrency", concurrency.into(), CONCURRENCY)?;
        }
        match self.policy {
            PolicyKind::None => {}
            PolicyKind::Median { grace_epochs, min_trials } => {
                within("grace_epochs", grace_epochs.into(), 1..=epochs)?;
                within("min_trials", min_trials.into(), MIN_TRIALS)?;
            }
            PolicyKind::Asha { min_epochs, eta } => {
                within("min_epochs", min_epochs.into(), 1..=epochs)?;
                within("eta", eta.into(), ETA)?;
            }
        }
        check_space(&self.space, self.sampler)
    }
}

fn check_space(space: &Space, sampler: SamplerKind) -> Result<(), SpecError> {
    let grid = sampler == SamplerKind::Grid;
    for (name, domain) in &space.0 {
        let checked = if grid { domain.check_for_grid() } else { domain.check() };
        checked.map_err(|error| SpecError::Domain { name: name.clone(), error })?;
    }
    let (what, found, expected) = match sampler {
        SamplerKind::Grid => ("points", space.grid_len().unwrap_or(0), GRID_MAX),
        SamplerKind::Sobol => {
            let most = MAX_DIMENSIONS as u64;
            ("parameters for a Sobol sequence", space.0.len() as u64, most)
        }
        SamplerKind::Random => return Ok(()),
    };
    if found > expected { Err(SpecError::Space { what, found, expected }) } else { Ok(()) }
}

fn within(what: &'static str, found: u64, expected: RangeInclusive<u32>) -> Result<(), SpecError> {
    if u32::try_from(found).is_ok_and(|found| expected.contains(&found)) {
        return Ok(());
    }
    Err(SpecError::Number { what, found, expected })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Domain;
    use crate::testing::creation;

    fn refused(change: impl FnOnce(&mut Creation)) -> String {
        let mut creation = creation(4, 2, 3);
        assert_eq!(creation.check(), Ok(()));
        change(&mut creation);
        creation.check().unwrap_err().to_string()
    }

    fn searched(domain: Domain, sampler: SamplerKind) -> String {
        refused(|creation| {
            creation.spec.search.sampler = sampler;
            creation.spec.search.space.0.insert("rate".to_owned(), domain);
        })
    }

    #[test]
    fn a_study_without_partitions_trials_epochs_or_a_name_is_refused() {
        let no_partitions = refused(|creation| creation.manifest.partitions.clear());
        assert_eq!(no_partitions, "partitions = 0: expected 1 to 65536");
        assert_eq!(
            refused(|creation| creation.spec.budget.epochs = 0),
            "epochs = 0: expected 1 to 1000000"
        );
        assert_eq!(
            refused(|creation| creation.spec.budget.epochs = u32::MAX),
            "epochs = 4294967295: expected 1 to 1000000"
        );
        let no_trials = refused(|creation| creation.spec.budget.trials = None);
        assert!(no_trials.starts_with("no number of trials"), "{no_trials}");
        for name in ["", "a/b", "../x", "a b", "a\nb", "é", &"x".repeat(65)] {
            let error = refused(|creation| creation.spec.name = name.to_owned());
            assert!(error.starts_with("the name "), "{error}");
        }
    }

    #[test]
    fn a_domain_that_has_no_value_or_too_many_is_refused() {
        let empty = searched(Domain::Choice(vec![]), SamplerKind::Random);
        assert_eq!(empty, "parameter \"rate\" has no values, expected at least one");
        let float = |low, high, points| Domain::Float { low, high, log: false, points };
        for (low, high) in [(f64::NAN, 1.0), (2.0, 1.0), (0.0, f64::INFINITY)] {
            searched(float(low, high, None), SamplerKind::Random);
        }
        let cut = searched(float(0.0, 1.0, Some(u32::MAX)), SamplerKind::Grid);
        assert_eq!(cut, "parameter \"rate\" has 4294967295 values, expected at most 65536");
        searched(float(0.0, 1.0, None), SamplerKind::Grid);
        let all = Domain::Int { low: i64::MIN, high: i64::MAX, log: false, points: None };
        let endless = searched(all, SamplerKind::Grid);
        assert!(endless.ends_with("values, expected at most 65536"), "{endless}");
        let wide = refused(|creation| {
            creation.spec.search.sampler = SamplerKind::Grid;
            for name in ["a", "b", "c"] {
                let domain = Domain::Int { low: 1, high: 2000, log: false, points: None };
                creation.spec.search.space.0.insert(name.to_owned(), domain);
            }
        });
        assert_eq!(wide, "the space has 8000000000 points, expected at most 4294967296");
    }

    #[test]
    fn a_policy_that_could_not_decide_is_refused() {
        let with = |policy| refused(|creation| creation.spec.search.policy = policy);
        assert_eq!(with(PolicyKind::Asha { min_epochs: 1, eta: 0 }), "eta = 0: expected 2 to 16");
        assert_eq!(
            with(PolicyKind::Median { grace_epochs: 3, min_trials: 1 }),
            "grace_epochs = 3: expected 1 to 2"
        );
        let many = refused(|creation| creation.spec.search.concurrency = Some(0));
        assert_eq!(many, "concurrency = 0: expected 1 to 65536");
    }
}
