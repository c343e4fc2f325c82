//! A network as a unit finds it: built from the configuration, filled from the state or, at the
//! start of a trial, from the trial's seed.

use crate::checkpoint::{Checkpoint, Section};
use crate::settings::Settings;
use crate::weights::{self, Shapes, Slot, Tensors};
use crate::{Architecture, Network, Unit, UnitError};
use burn::tensor::Device;
use std::collections::BTreeMap;
use wallaby_core::seed::Seed;

/// The state of the unit, if it has one, of the right family and undamaged.
pub(crate) fn checkpoint<'a>(
    architecture: &impl Architecture,
    unit: &Unit<'a>,
) -> Result<Option<Checkpoint<'a>>, UnitError> {
    let open = |bytes| Checkpoint::open(bytes, architecture.name());
    Ok(unit.state.map(open).transpose()?)
}

/// The network of the unit on `device`.
pub(crate) fn network<A: Architecture>(
    architecture: &A,
    unit: &Unit<'_>,
    checkpoint: Option<&Checkpoint<'_>>,
    device: &Device,
) -> Result<A::Network, UnitError> {
    Settings(unit.config).check(&architecture.parameters())?;
    let network = architecture.build(unit.config, unit.problem, device)?;
    let slots = weights::slots(&network);
    let values = match checkpoint {
        Some(checkpoint) => checkpoint.section(Section::Weights, &shapes(slots))?,
        None => drawn(&network, slots, unit.trial_seed),
    };
    Ok(weights::load(network, values))
}

fn shapes(slots: BTreeMap<String, Slot>) -> Shapes {
    slots.into_iter().map(|(path, slot)| (path, slot.shape)).collect()
}

fn drawn(network: &impl Network, slots: BTreeMap<String, Slot>, trial_seed: Seed) -> Tensors {
    let draw = |(path, slot): (String, Slot)| {
        let initial = network.initial(&path, &slot.shape, slot.built);
        let data = initial.draw(trial_seed, &path, &slot.shape)?;
        Some((path, data))
    };
    slots.into_iter().filter_map(draw).collect()
}
