//! A family from outside the crate, with the public interface alone: a residual network with
//! normalisation, and a family that is no network at all.

use std::panic::catch_unwind;
use std::sync::Arc;
use wallaby_core::parameter::{Accepts, Parameter};
use wallaby_core::value::{Config, Value};
use wallaby_data::{Partition, Problem};
use wallaby_train::burn;
use wallaby_train::burn::module::Module;
use wallaby_train::burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use wallaby_train::burn::tensor::{Tensor, activation};
use wallaby_train::conformance::{self, ConformanceError};
use wallaby_train::{
    Architecture, Device, Family, Metrics, Mode, Network, Neural, Registry, Settings, Trained,
    Unit, UnitError,
};

#[derive(Debug, Module)]
struct Residual {
    input: Linear,
    norm: BatchNorm,
    middle: Linear,
    output: Linear,
}

impl Network for Residual {
    fn forward(&self, rows: Tensor<2>, mode: &mut Mode) -> Tensor<2> {
        let values = self.input.forward(rows);
        let middle = activation::relu(self.norm.forward(values.clone()));
        let middle = mode.dropout(self.middle.forward(middle), 0.1);
        self.output.forward(values + middle)
    }
}

struct ResidualFamily;

impl Architecture for ResidualFamily {
    type Network = Residual;

    fn name(&self) -> &'static str {
        "residual"
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter {
            name: "width",
            accepts: Accepts::Int { low: 1, high: 1024 },
            default: Value::Int(16),
            help: "Width of the stream.",
        }]
    }

    fn build(
        &self,
        config: &Config,
        problem: &Problem,
        device: &burn::tensor::Device,
    ) -> Result<Residual, UnitError> {
        let width = Settings(config).count("width")?;
        Ok(Residual {
            input: LinearConfig::new(problem.inputs(), width).init(device),
            norm: BatchNormConfig::new(width).init(device),
            middle: LinearConfig::new(width, width).init(device),
            output: LinearConfig::new(width, problem.outputs()).init(device),
        })
    }
}

/// Panics while it trains.
#[derive(Debug, Module)]
struct Clumsy {
    linear: Linear,
}

impl Network for Clumsy {
    fn forward(&self, rows: Tensor<2>, mode: &mut Mode) -> Tensor<2> {
        let answers = self.linear.forward(rows);
        assert!(!mode.is_training(), "this network cannot train");
        answers
    }
}

struct ClumsyFamily;

impl Architecture for ClumsyFamily {
    type Network = Clumsy;

    fn name(&self) -> &'static str {
        "clumsy"
    }

    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    fn build(
        &self,
        _: &Config,
        problem: &Problem,
        device: &burn::tensor::Device,
    ) -> Result<Clumsy, UnitError> {
        Ok(Clumsy { linear: LinearConfig::new(problem.inputs(), problem.outputs()).init(device) })
    }
}

/// Forgets everything: its state is a constant and its answers are always wrong.
struct Forgetful;

impl Family for Forgetful {
    fn name(&self) -> &'static str {
        "forgetful"
    }

    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    fn train(&self, _: &Unit<'_>, _: &Partition) -> Result<Trained, UnitError> {
        Ok(Trained { state: vec![0; 64], metrics: Metrics::new() })
    }

    fn validate(&self, unit: &Unit<'_>, _: &Partition) -> Result<Metrics, UnitError> {
        Ok(unit.problem.metrics().iter().map(|name| ((*name).to_owned(), 1.0)).collect())
    }
}

#[test]
fn a_network_from_outside_keeps_the_contract() {
    conformance::check(&Neural(ResidualFamily), &Device::cpu()).unwrap();
}

#[test]
fn a_panic_in_one_network_leaves_the_others_unharmed() {
    let device = Device::cpu();
    for _ in 0..3 {
        let panic = catch_unwind(|| conformance::check(&Neural(ClumsyFamily), &device));
        assert!(panic.is_err());
    }
    conformance::check(&Neural(ResidualFamily), &device).unwrap();
}

#[test]
fn a_family_that_does_not_learn_is_found_out() {
    let error = conformance::check(&Forgetful, &Device::cpu()).unwrap_err();
    assert!(matches!(error, ConformanceError::NoProgress { .. }), "{error}");
}

#[test]
fn families_from_outside_stand_beside_the_built_in_ones() {
    let mut registry = Registry::built_in();
    registry.register(Arc::new(Neural(ResidualFamily))).unwrap();
    registry.register(Arc::new(Forgetful)).unwrap();
    assert_eq!(registry.names(), ["forgetful", "mlp", "residual"]);
}
