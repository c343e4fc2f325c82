//! Makes a family of an architecture: the training and validation that all networks share.

use crate::family::{Family, Metrics, Trained, Unit};
use crate::recipe::Recipe;
use crate::session::Session;
use crate::{Architecture, UnitError, batch, inference, loss, metrics};
use wallaby_core::parameter::Parameter;
use wallaby_data::{Partition, Task};

/// A family of neural networks: mini-batch training with cross-entropy or squared error by sgd,
/// adam or adamw, and checkpoints of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Neural<A>(pub A);

impl<A: Architecture> Family for Neural<A> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn parameters(&self) -> Vec<Parameter> {
        let mut parameters = self.0.parameters();
        parameters.extend(Recipe::parameters());
        parameters
    }

    fn train(&self, unit: &Unit<'_>, partition: &Partition) -> Result<Trained, UnitError> {
        batch::check(unit.problem, partition)?;
        let session = Session::open(&self.0, unit)?;
        let (session, loss) = session.pass(partition, unit.unit_seed)?;
        let rows = partition.rows() as f64;
        let metrics = Metrics::from([("loss".to_owned(), loss), ("rows".to_owned(), rows)]);
        Ok(Trained { state: session.save()?, metrics })
    }

    fn validate(&self, unit: &Unit<'_>, partition: &Partition) -> Result<Metrics, UnitError> {
        batch::check(unit.problem, partition)?;
        let (outputs, steps) = inference::outputs(&self.0, unit, &partition.features)?;
        let metrics = metrics::of_outputs(&outputs, unit.problem.outputs(), &partition.target);
        if metrics.values().all(|value| value.is_finite()) {
            Ok(metrics)
        } else {
            Err(UnitError::Diverged { quantity: "validation loss", steps })
        }
    }

    fn predict(&self, unit: &Unit<'_>, features: &[f32]) -> Result<Vec<f32>, UnitError> {
        let (inputs, outputs) = (unit.problem.inputs(), unit.problem.outputs());
        if inputs == 0 || outputs == 0 {
            let reason = format!("has {inputs} features and {outputs} classes, expected some");
            return Err(UnitError::BadPartition { reason });
        }
        if !features.len().is_multiple_of(inputs) {
            let reason = format!("has {} numbers, expected rows of {inputs}", features.len());
            return Err(UnitError::BadPartition { reason });
        }
        let (mut outputs, _) = inference::outputs(&self.0, unit, features)?;
        if let Task::Classification { labels } = &unit.problem.task {
            for scores in outputs.chunks_exact_mut(labels.len()) {
                loss::softmax(scores);
            }
        }
        Ok(outputs)
    }
}
