//! The contract of a model family: what a trainer asks, and what it gets.
//! Knows nothing of networks; a family may be anything that learns from partitions.

use crate::{Device, UnitError};
use std::collections::BTreeMap;
use wallaby_core::parameter::Parameter;
use wallaby_core::seed::Seed;
use wallaby_core::value::Config;
use wallaby_data::{Partition, Problem};

/// Metrics by name. All values are finite.
pub type Metrics = BTreeMap<String, f64>;

/// A kind of model, with its parameters. One value serves all threads.
///
/// Equal units over equal partitions must give equal bytes on one kind of machine, whatever else
/// runs beside them. [`crate::conformance::check`] tests that.
pub trait Family: Send + Sync {
    /// The name in `[model] family = "…"`.
    fn name(&self) -> &'static str;

    /// The parameters it understands, with defaults.
    fn parameters(&self) -> Vec<Parameter>;

    /// One sequential pass over the partition: the next state of the trial. Metrics are in the
    /// units of the partition; whoever asks brings them to those of the data file.
    ///
    /// # Errors
    /// See [`UnitError`]. A panic is for the caller to catch.
    fn train(&self, unit: &Unit<'_>, partition: &Partition) -> Result<Trained, UnitError>;

    /// The metrics of the state over the partition, in its units; the state does not change.
    ///
    /// # Errors
    /// See [`UnitError`].
    fn validate(&self, unit: &Unit<'_>, partition: &Partition) -> Result<Metrics, UnitError>;

    /// The answers for `features` (rows × [`Problem::inputs`], row after row): class
    /// probabilities (rows × [`Problem::outputs`]) or one value a row, in the units of the
    /// partitions it learnt from.
    ///
    /// # Errors
    /// [`UnitError::NoPrediction`] unless the family implements it; see [`UnitError`].
    fn predict(&self, unit: &Unit<'_>, features: &[f32]) -> Result<Vec<f32>, UnitError> {
        let _ = (unit, features);
        Err(UnitError::NoPrediction { family: self.name() })
    }
}

/// Everything a unit depends on, apart from the partition.
#[derive(Debug, Clone, Copy)]
pub struct Unit<'a> {
    /// The trial's configuration, completed with the family's defaults.
    pub config: &'a Config,
    /// The shape of the data.
    pub problem: &'a Problem,
    /// Where the initial weights come from.
    pub trial_seed: Seed,
    /// Where the shuffle and the dropout come from.
    pub unit_seed: Seed,
    /// The state before the unit; `None` for an untrained model.
    pub state: Option<&'a [u8]>,
    /// Where to compute.
    pub device: &'a Device,
}

/// What a training unit gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Trained {
    /// The state after the unit.
    pub state: Vec<u8>,
    /// `loss`, the mean over the rows during the pass, and `rows`.
    pub metrics: Metrics,
}
