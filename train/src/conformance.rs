//! The contract of [`Family`] as a check that runs against any of them. For the tests of those
//! who bring their own model; needs no test framework and no files.

use crate::family::{Family, Trained, Unit};
use crate::{Device, UnitError, synthetic};
use thiserror::Error;
use wallaby_core::parameter::complete;
use wallaby_core::seed::Seed;
use wallaby_core::value::Config;
use wallaby_data::{Partition, Problem};

/// How a family breaks its contract.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ConformanceError {
    /// A unit failed that should not.
    #[error("a unit failed: {0}")]
    Unit(#[from] UnitError),
    /// A default is not a value that the parameter accepts.
    #[error("parameter {0} does not accept its own default")]
    Default(&'static str),
    /// Equal units gave different states or metrics.
    #[error("{0} twice gave two results, expected one")]
    Unsteady(&'static str),
    /// The validation does not report what the problem asks for.
    #[error("validation reports {found:?}, expected {expected:?}, all finite")]
    Metrics {
        /// Names and values as reported.
        found: crate::Metrics,
        /// The names of the problem.
        expected: &'static [&'static str],
    },
    /// Training does not lower the loss.
    #[error("the loss went from {first} to {last}, expected it to fall by a tenth")]
    NoProgress {
        /// Loss of the untrained model.
        first: f64,
        /// Loss after training.
        last: f64,
    },
    /// A damaged state was taken for a state.
    #[error("a state damaged at byte {0} was restored, expected UnitError::BadState")]
    DamageAccepted(usize),
}

/// Checks `family` with its default parameters on a small classification and a small regression.
///
/// # Errors
/// The first clause of the contract that does not hold.
pub fn check(family: &dyn Family, device: &Device) -> Result<(), ConformanceError> {
    if let Some(odd) = family.parameters().iter().find(|p| !p.accepts.contains(&p.default)) {
        return Err(ConformanceError::Default(odd.name));
    }
    for (problem, whole) in
        [synthetic::classification(1, 192, 5, 3), synthetic::regression(1, 192, 5)]
    {
        let config = complete(&family.parameters(), &Config::new());
        let partitions = synthetic::cut(&whole, 3);
        let trial = Trial { family, device, config, problem: &problem, partitions };
        trial.is_steady()?;
        trial.learns(&whole)?;
        trial.refuses_damage()?;
    }
    Ok(())
}

struct Trial<'a> {
    family: &'a dyn Family,
    device: &'a Device,
    config: Config,
    problem: &'a Problem,
    partitions: Vec<Partition>,
}

/// Enough passes over a small problem for any model that learns at all.
const EPOCHS: usize = 40;

impl Trial<'_> {
    fn unit<'a>(&'a self, number: usize, state: Option<&'a [u8]>) -> Unit<'a> {
        Unit {
            config: &self.config,
            problem: self.problem,
            trial_seed: Seed::of_study(1),
            unit_seed: Seed::of_study(1).child(&number.to_string()),
            state,
            device: self.device,
        }
    }

    fn train(&self, number: usize, state: Option<&[u8]>) -> Result<Trained, UnitError> {
        let partition = &self.partitions[number % self.partitions.len()];
        self.family.train(&self.unit(number, state), partition)
    }

    /// Equal units give equal results, one after the other and at the same time.
    fn is_steady(&self) -> Result<(), ConformanceError> {
        let start = self.train(0, None)?;
        let next = || self.train(1, Some(&start.state));
        let alone = next()?;
        let together: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(next)).collect();
            threads.into_iter().map(|thread| thread.join()).collect()
        });
        if together.iter().any(|result| !matches!(result, Ok(Ok(state)) if *state == alone)) {
            return Err(ConformanceError::Unsteady("training"));
        }
        let unit = self.unit(2, Some(&alone.state));
        let validate = || self.family.validate(&unit, &self.partitions[0]);
        if validate()? != validate()? {
            return Err(ConformanceError::Unsteady("validation"));
        }
        Ok(())
    }

    /// The loss falls, and validation reports the metrics of the problem.
    fn learns(&self, whole: &Partition) -> Result<(), ConformanceError> {
        let first = self.loss(None, whole)?;
        let mut state = self.train(0, None)?.state;
        for number in 1..EPOCHS * self.partitions.len() {
            state = self.train(number, Some(&state))?.state;
        }
        let last = self.loss(Some(&state), whole)?;
        if last > 0.9 * first {
            return Err(ConformanceError::NoProgress { first, last });
        }
        Ok(())
    }

    fn loss(&self, state: Option<&[u8]>, whole: &Partition) -> Result<f64, ConformanceError> {
        let found = self.family.validate(&self.unit(0, state), whole)?;
        let expected = self.problem.metrics();
        if !found.keys().eq(expected) || found.values().any(|value| !value.is_finite()) {
            return Err(ConformanceError::Metrics { found, expected });
        }
        Ok(found["loss"])
    }

    /// A state that is cut or changed is refused, without a panic.
    fn refuses_damage(&self) -> Result<(), ConformanceError> {
        let state = self.train(0, None)?.state;
        let places = (0..16).map(|part| part * state.len() / 16);
        for place in places {
            let mut changed = state.clone();
            changed[place] ^= 0x55;
            for damaged in [&state[..place], &changed] {
                let result = self.train(1, Some(damaged));
                if !matches!(result, Err(UnitError::BadState { .. })) {
                    return Err(ConformanceError::DamageAccepted(place));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Registry;

    #[test]
    fn every_built_in_family_keeps_the_contract() {
        for family in Registry::built_in().families() {
            check(family.as_ref(), &Device::cpu()).unwrap();
        }
    }
}
