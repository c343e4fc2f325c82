//! The multilayer perceptron, the family `mlp`: linear layers with an activation and dropout
//! between them. Without hidden layers it is linear or logistic regression.

use crate::settings::Settings;
use crate::{Activation, Architecture, Initial, Mode, Network, UnitError};
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use wallaby_core::parameter::{Accepts, Parameter};
use wallaby_core::value::{Config, Value};
use wallaby_data::Problem;

/// The most weights of one network: 1 GiB, and three times that with the moments of adam.
const WEIGHTS_MAX: usize = 1 << 28;

/// The architecture of the family `mlp`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mlp;

/// A multilayer perceptron.
#[derive(Debug, Module)]
pub struct Perceptron {
    layers: Vec<Linear>,
    #[module(skip)]
    activation: Activation,
    #[module(skip)]
    dropout: f64,
}

impl Architecture for Mlp {
    type Network = Perceptron;

    fn name(&self) -> &'static str {
        "mlp"
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![
            Parameter {
                name: "hidden",
                accepts: Accepts::Ints { low: 1, high: 65_536, length: 16 },
                default: Value::List(vec![Value::Int(128)]),
                help: "Widths of the hidden layers; an empty list makes a linear model.",
            },
            Parameter {
                name: "activation",
                accepts: Accepts::Words(Activation::NAMES),
                default: "relu".into(),
                help: "What follows each hidden layer.",
            },
            Parameter {
                name: "dropout",
                accepts: Accepts::Float { low: 0.0, high: 0.95, open: false },
                default: Value::Float(0.0),
                help: "Share of the hidden outputs that are set to zero while training.",
            },
        ]
    }

    fn build(
        &self,
        config: &Config,
        problem: &Problem,
        device: &Device,
    ) -> Result<Perceptron, UnitError> {
        let settings = Settings(config);
        let mut widths = vec![problem.inputs()];
        widths.extend(settings.counts("hidden")?);
        widths.push(problem.outputs());
        let steps = || widths.windows(2).map(|pair| (pair[0], pair[1]));
        if steps().map(|(inputs, outputs)| (inputs + 1) * outputs).sum::<usize>() > WEIGHTS_MAX {
            return Err(too_large(config));
        }
        let linear = |(inputs, outputs)| LinearConfig::new(inputs, outputs).init(device);
        let activation = settings.word("activation")?;
        Ok(Perceptron {
            layers: steps().map(linear).collect(),
            activation: activation.parse().map_err(|()| unknown(activation))?,
            dropout: settings.number("dropout")?,
        })
    }
}

fn too_large(config: &Config) -> UnitError {
    UnitError::BadConfig {
        parameter: "hidden".to_owned(),
        found: config.get("hidden").map_or_else(String::new, Value::to_string),
        expected: format!("widths with at most {WEIGHTS_MAX} weights together"),
    }
}

fn unknown(activation: &str) -> UnitError {
    UnitError::BadConfig {
        parameter: "activation".to_owned(),
        found: activation.to_owned(),
        expected: format!("one of {}", Activation::NAMES.join(", ")),
    }
}

impl Network for Perceptron {
    fn forward(&self, rows: Tensor<2>, mode: &mut Mode) -> Tensor<2> {
        let Some((last, hidden)) = self.layers.split_last() else { return rows };
        let mut values = rows;
        for layer in hidden {
            values = self.activation.forward(layer.forward(values));
            values = mode.dropout(values, self.dropout);
        }
        last.forward(values)
    }

    fn initial(&self, path: &str, shape: &[usize], built: bool) -> Initial {
        let last = format!("layers.{}.weight", self.layers.len() - 1);
        match shape {
            [inputs, outputs] if path == last || self.activation.saturates() => {
                Initial::glorot(*inputs, *outputs)
            }
            _ => Initial::usual(path, shape, built),
        }
    }
}

#[cfg(test)]
#[path = "mlp_tests.rs"]
mod tests;
