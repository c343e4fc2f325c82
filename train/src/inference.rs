//! Answers of a network without learning from them, in batches of a fixed size, so that they
//! depend on nothing but the state and the rows.

use crate::{Architecture, Mode, Network, Unit, UnitError, batch, restore};
use burn::tensor::Tensor;

/// Rows of a batch.
const BATCH_ROWS: usize = 1024;

/// The outputs of the unit's network for `features`, row after row, and the steps it has taken.
pub(crate) fn outputs<A: Architecture>(
    architecture: &A,
    unit: &Unit<'_>,
    features: &[f32],
) -> Result<(Vec<f32>, u64), UnitError> {
    let device = unit.device.inference();
    let checkpoint = restore::checkpoint(architecture, unit)?;
    let network = restore::network(architecture, unit, checkpoint.as_ref(), &device)?;
    let (inputs, width) = (unit.problem.inputs(), unit.problem.outputs());
    let mut outputs = Vec::with_capacity(features.len() / inputs * width);
    for rows in features.chunks(BATCH_ROWS * inputs) {
        let batch = batch::tensor(rows.to_vec(), inputs, &device);
        let output = network.forward(batch, &mut Mode::evaluation());
        let shape = [rows.len() / inputs, width];
        outputs.extend(numbers(output, shape, architecture.name())?);
    }
    Ok((outputs, checkpoint.map_or(0, |checkpoint| checkpoint.header.steps)))
}

/// A network's answer as numbers, if it has the shape `[rows, outputs]`.
pub(crate) fn numbers(
    output: Tensor<2>,
    shape: [usize; 2],
    family: &'static str,
) -> Result<Vec<f32>, UnitError> {
    if output.dims() != shape {
        let reason = format!("answers {:?}, expected {shape:?} (rows, outputs)", output.dims());
        return Err(UnitError::BadNetwork { family, reason });
    }
    let data = output.try_into_data().map_err(UnitError::device)?;
    data.try_into_vec().map_err(UnitError::device)
}
