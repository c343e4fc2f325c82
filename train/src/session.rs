//! A trial in training: its network and its optimizer between two states.
//! One pass after the other changes them exactly as if they were saved and restored in between.

use crate::checkpoint::State;
use crate::optimizer::Optimizer;
use crate::recipe::Recipe;
use crate::weights::{self, Tensors};
use crate::{Architecture, Mode, Network, Unit, UnitError, batch, inference, loss, restore};
use burn::tensor::{Device, Tensor, TensorData};
use wallaby_core::seed::Seed;
use wallaby_data::Partition;

/// See the module.
pub(crate) struct Session<N> {
    network: N,
    optimizer: Optimizer,
    recipe: Recipe,
    family: &'static str,
    outputs: usize,
    device: Device,
}

impl<N: Network> Session<N> {
    /// Takes up the trial where the unit's state left it, or begins it.
    pub(crate) fn open<A>(architecture: &A, unit: &Unit<'_>) -> Result<Self, UnitError>
    where
        A: Architecture<Network = N>,
    {
        let recipe = Recipe::read(unit.config)?;
        let device = unit.device.training();
        let checkpoint = restore::checkpoint(architecture, unit)?;
        let network = restore::network(architecture, unit, checkpoint.as_ref(), &device)?;
        let trainable = weights::trainable(&network);
        let optimizer = match checkpoint {
            Some(checkpoint) => Optimizer::restored(recipe.rule, &trainable, &checkpoint)?,
            None => Optimizer::new(recipe.rule, &trainable),
        };
        let (family, outputs) = (architecture.name(), unit.problem.outputs());
        Ok(Self { network, optimizer, recipe, family, outputs, device })
    }

    /// One pass over the partition in mini-batches, in an order drawn from `unit_seed`; gives
    /// the mean loss of the rows, each at the moment of its batch.
    pub(crate) fn pass(
        mut self,
        partition: &Partition,
        unit_seed: Seed,
    ) -> Result<(Self, f64), UnitError> {
        let order = batch::shuffled(partition.rows(), unit_seed.child("shuffle"));
        let mut mode = Mode::training(unit_seed.child("noise"));
        let mut total = 0.0;
        for rows in order.chunks(self.recipe.batch_rows) {
            let loss;
            (self, loss) = self.learn(partition, rows, &mut mode)?;
            total += loss;
        }
        Ok((self, total / order.len() as f64))
    }

    /// One step of the optimizer; gives the sum of the losses of these rows before it.
    fn learn(
        mut self,
        partition: &Partition,
        rows: &[usize],
        mode: &mut Mode,
    ) -> Result<(Self, f64), UnitError> {
        let batch = batch::gather(partition, rows, &self.device);
        let output = self.network.forward(batch, mode);
        if !output.is_tracked() {
            let reason = "answers without its weights, expected some that train".to_owned();
            return Err(UnitError::BadNetwork { family: self.family, reason });
        }
        let shape = [rows.len(), self.outputs];
        let answers = inference::numbers(output.clone().inner(), shape, self.family)?;
        let loss = loss::of_batch(&answers, self.outputs, &partition.target, rows);
        if !loss.total.is_finite() {
            return Err(self.diverged("loss"));
        }
        let slope = Tensor::from_data(TensorData::new(loss.slope, shape), &self.device);
        // The sum of outputs times slope has the gradients of the loss, which itself stays on
        // the host.
        let gradients = (output * slope).sum().backward();
        self.network = self.optimizer.step(self.network, gradients)?;
        Ok((self, loss.total))
    }

    /// The state, unless it is of no use any more.
    pub(crate) fn save(&self) -> Result<Vec<u8>, UnitError> {
        let weights = weights::read(&self.network)?;
        for (quantity, tensors) in [
            ("weights", &weights),
            ("first moments", &self.optimizer.first),
            ("second moments", &self.optimizer.second),
        ] {
            if !all_finite(tensors)? {
                return Err(self.diverged(quantity));
            }
        }
        let state = State {
            family: self.family,
            optimizer: self.recipe.rule.name(),
            steps: self.optimizer.steps,
            weights: &weights,
            first: &self.optimizer.first,
            second: &self.optimizer.second,
        };
        Ok(state.encode()?)
    }

    fn diverged(&self, quantity: &'static str) -> UnitError {
        UnitError::Diverged { quantity, steps: self.optimizer.steps }
    }
}

/// The exponents of infinity and of what is no number are all ones.
const EXPONENT: u32 = 0x7f80_0000;

fn all_finite(tensors: &Tensors) -> Result<bool, UnitError> {
    for data in tensors.values() {
        let values = data.as_slice::<f32>().map_err(UnitError::device)?;
        // Without a way out of the loop it runs at the speed of memory.
        let odd = |odd, value: &f32| odd | (value.to_bits() & EXPONENT == EXPONENT);
        if values.iter().fold(false, odd) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
