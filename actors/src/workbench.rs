//! What a trainer works with: the model family, the data, the device, the store of checkpoints.
//! Turns the order to start a unit into a result or a failure, on the calling thread.

use crate::blobs::{BlobError, BlobStore};
use crate::fault::Faults;
use crate::partitions::Partitions;
use std::sync::Arc;
use std::time::Instant;
use wallaby_core::engine::Start;
use wallaby_core::ids::Digest;
use wallaby_core::journal::Manifest;
use wallaby_core::seed::Seed;
use wallaby_core::unit::{Failure, Metrics, Output, Step, Unit};
use wallaby_core::value::Config;
use wallaby_data::{Partition, Problem};
use wallaby_train::{Device, Family, UnitError};

/// Gives the bytes of a partition again, from where the data came from; an error says why not.
pub type Source = dyn Fn(Digest) -> Result<Vec<u8>, String> + Send + Sync;

/// Everything a unit needs; one value serves all trainers of a node.
pub struct Workbench {
    /// The model family.
    pub family: Arc<dyn Family>,
    /// What the data asks of a model.
    pub problem: Problem,
    /// Where to compute.
    pub device: Device,
    /// Partitions and checkpoints.
    pub blobs: Arc<BlobStore>,
    /// Which blob is which partition.
    pub manifest: Manifest,
    /// The study's seed.
    pub seed: u64,
    /// Where a damaged or missing partition can be had again.
    pub source: Box<Source>,
    /// Faults to inject; none outside tests.
    pub faults: Faults,
    /// Partitions in memory.
    pub partitions: Partitions,
}

impl Workbench {
    /// Runs a unit as ordered: restores its state from the store, and stores the next one.
    ///
    /// # Errors
    /// Why it gave no result. A panic of the model is for the caller to catch.
    pub fn execute(&self, start: &Start) -> Result<Output, Failure> {
        let began = Instant::now();
        let unit = start.attempt.unit;
        self.faults.strike(&unit);
        let state = start.attempt.input.map(|digest| self.load_state(digest)).transpose()?;
        let input = start.attempt.input.zip(state.as_deref().map(Vec::as_slice));
        let (next, metrics) = self.compute(&unit, &start.config, input)?;
        let (state, bytes) = match (next, input) {
            (Some(next), _) => self.store_state(next, start.closes_epoch)?,
            (None, Some((digest, bytes))) => (digest, bytes.len() as u64),
            (None, None) => return Err(untrained()),
        };
        Ok(Output { state, bytes, metrics, millis: began.elapsed().as_millis() as u64 })
    }

    /// Computes a unit from the state it starts from (digest and bytes): the next state, `None`
    /// for a validation, and the metrics, in the units of the data file.
    ///
    /// # Errors
    /// As [`Workbench::execute`].
    pub fn compute(
        &self,
        unit: &Unit,
        config: &Config,
        input: Option<(Digest, &[u8])>,
    ) -> Result<(Option<Vec<u8>>, Metrics), Failure> {
        let partition = self.data_of(unit.step)?;
        let failed = |error| failure(error, input.map(|(digest, _)| digest));
        let work = |unit_seed| wallaby_train::Unit {
            config,
            problem: &self.problem,
            trial_seed: Seed::of_trial(self.seed, unit.trial),
            unit_seed,
            state: input.map(|(_, bytes)| bytes),
            device: &self.device,
        };
        let (next, mut metrics) = match unit.step {
            Step::Train(id) => {
                let seed = Seed::of_unit(self.seed, unit.trial, unit.epoch, id);
                let trained = self.family.train(&work(seed), &partition).map_err(failed)?;
                (Some(trained.state), trained.metrics)
            }
            Step::Validate if input.is_none() => return Err(untrained()),
            Step::Validate => {
                let seed = Seed::of_trial(self.seed, unit.trial).child("validation");
                (None, self.family.validate(&work(seed), &partition).map_err(failed)?)
            }
        };
        self.problem.restore_metrics(&mut metrics);
        Ok((next, metrics))
    }

    fn load_state(&self, state: Digest) -> Result<Arc<Vec<u8>>, Failure> {
        self.blobs.get(&state).map_err(|error| match error {
            BlobError::Missing { .. } | BlobError::Damaged { .. } => {
                Failure::StateUnusable { state, detail: error.to_string() }
            }
            error => storage_failure(&error),
        })
    }

    fn store_state(&self, state: Vec<u8>, durable: bool) -> Result<(Digest, u64), Failure> {
        let bytes = state.len() as u64;
        match self.blobs.put(state, durable) {
            Ok(digest) => Ok((digest, bytes)),
            Err(error) => Err(storage_failure(&error)),
        }
    }

    /// The rows that a step works on: from memory, from the store, or from the source again.
    fn data_of(&self, step: Step) -> Result<Arc<Partition>, Failure> {
        let blob = match step {
            Step::Train(id) => self.manifest.partitions.get(id.0 as usize).copied(),
            Step::Validate => Some(self.manifest.validation),
        };
        let Some(blob) = blob else {
            return Err(Failure::DataUnusable(format!("there is no {step}")));
        };
        self.partitions.get(blob.digest, || self.read_partition(blob.digest))
    }

    fn read_partition(&self, digest: Digest) -> Result<Partition, Failure> {
        let unusable = |found: String| Failure::DataUnusable(found);
        // It is kept as a partition, not once more as bytes.
        let stored = self.blobs.read(&digest);
        let bytes = match stored {
            Ok(bytes) => bytes,
            Err(error @ (BlobError::Full { .. } | BlobError::Storage { .. })) => {
                return Err(storage_failure(&error));
            }
            Err(damage) => {
                tracing::warn!(%digest, %damage, "a partition is read from its source again");
                let again = (self.source)(digest);
                let bytes = Arc::new(again.map_err(|why| unusable(format!("{damage}; {why}")))?);
                let stored = self.blobs.put(Arc::clone(&bytes), true);
                stored.map_err(|error| storage_failure(&error))?;
                bytes
            }
        };
        Partition::from_bytes(&bytes).map_err(|error| unusable(error.to_string()))
    }
}

/// A full disk is waited for, a broken one is not.
fn storage_failure(error: &BlobError) -> Failure {
    match error {
        BlobError::Full { .. } => Failure::StorageFull(error.to_string()),
        error => Failure::StorageBroken(error.to_string()),
    }
}

fn untrained() -> Failure {
    Failure::Refused("an untrained state is not validated".to_owned())
}

/// What a model's error means for the study.
fn failure(error: UnitError, input: Option<Digest>) -> Failure {
    let detail = error.to_string();
    match (error, input) {
        (UnitError::Diverged { .. }, _) => Failure::Diverged(detail),
        (UnitError::BadState(_), Some(state)) => Failure::StateUnusable { state, detail },
        (UnitError::Device { .. }, _) => Failure::Panicked(detail),
        _ => Failure::Refused(detail),
    }
}
