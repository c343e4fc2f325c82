//! The optimizer of one trial: its rule, its step count and its moments by parameter path.
//! Works on host memory, parameter by parameter in one pass, outside burn's optimizers: that is
//! faster on the processor and makes the state's bytes a function of the unit alone.

use crate::UnitError;
use crate::checkpoint::{Checkpoint, CheckpointError, Section};
use crate::rule::{Rule, Step};
use crate::weights::{Path, Shapes, Tensors};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Gradients, Tensor, TensorData};

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Optimizer {
    rule: Rule,
    /// Steps taken since the trial began.
    pub(crate) steps: u64,
    /// First moments (velocities of sgd) of all trainable parameters.
    pub(crate) first: Tensors,
    /// Second moments, for the rules that have them.
    pub(crate) second: Tensors,
}

impl Optimizer {
    /// At the start of a trial over these parameters.
    pub(crate) fn new(rule: Rule, trainable: &Shapes) -> Self {
        let zeros = || trainable.iter().map(|(path, shape)| (path.clone(), zeros(shape))).collect();
        let second = if rule.has_second_moment() { zeros() } else { Tensors::new() };
        Self { rule, steps: 0, first: zeros(), second }
    }

    /// As a checkpoint left it.
    ///
    /// # Errors
    /// The moments are not those of this rule over these parameters.
    pub(crate) fn restored(
        rule: Rule,
        trainable: &Shapes,
        checkpoint: &Checkpoint<'_>,
    ) -> Result<Self, CheckpointError> {
        checkpoint.expect_optimizer(rule.name())?;
        let none = Shapes::new();
        let second = if rule.has_second_moment() { trainable } else { &none };
        Ok(Self {
            rule,
            steps: checkpoint.header.steps,
            first: checkpoint.section(Section::FirstMoments, trainable)?,
            second: checkpoint.section(Section::SecondMoments, second)?,
        })
    }

    /// One step of all parameters that have a gradient.
    ///
    /// # Errors
    /// The device did not hand over a parameter or a gradient.
    pub(crate) fn step<M: Module>(
        &mut self,
        network: M,
        gradients: Gradients,
    ) -> Result<M, UnitError> {
        self.steps = self.steps.saturating_add(1);
        let step = self.rule.at(self.steps);
        let mut walk = Walk {
            path: Path::default(),
            gradients,
            step,
            first: &mut self.first,
            second: &mut self.second,
            failure: None,
        };
        let network = network.map(&mut walk);
        walk.failure.map_or(Ok(network), Err)
    }
}

fn zeros(shape: &[usize]) -> TensorData {
    TensorData::zeros::<f32, _>(shape.to_vec())
}

/// The numbers of one moment; none for a rule without it.
fn moment<'a>(moments: &'a mut Tensors, path: &str) -> Result<&'a mut [f32], UnitError> {
    match moments.get_mut(path) {
        Some(data) => data.as_mut_slice().map_err(UnitError::device),
        None => Ok(&mut []),
    }
}

struct Walk<'a> {
    path: Path,
    gradients: Gradients,
    step: Step,
    first: &'a mut Tensors,
    second: &'a mut Tensors,
    failure: Option<UnitError>,
}

impl Walk<'_> {
    /// The updated parameter; both arguments are moved to host memory, which copies nothing on
    /// the processor.
    fn update<const D: usize>(
        &mut self,
        weight: Tensor<D>,
        gradient: Tensor<D>,
    ) -> Result<TensorData, UnitError> {
        let path = self.path.join();
        let mut weight = weight.inner().try_into_data().map_err(UnitError::device)?;
        let gradient = gradient.try_into_data().map_err(UnitError::device)?;
        self.step.apply(
            weight.as_mut_slice().map_err(UnitError::device)?,
            gradient.as_slice().map_err(UnitError::device)?,
            moment(self.first, &path)?,
            moment(self.second, &path)?,
        );
        Ok(weight)
    }
}

impl ModuleMapper for Walk<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.enter(name);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = param.grad_remove(&mut self.gradients) else { return param };
        let (device, shape) = (param.device(), param.shape());
        let (id, weight, mapper) = param.consume();
        let updated = match self.update(weight, gradient) {
            Ok(data) => Tensor::from_data(data, &device),
            Err(error) => {
                self.failure.get_or_insert(error);
                Tensor::zeros(shape, &device)
            }
        };
        Param::from_mapped_value(id, updated.require_grad(), mapper)
    }
}
