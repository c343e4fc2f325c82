//! Bring your own model: the `wallaby` command with one more family of networks.
//!
//! ```sh
//! cargo run --release --example own_model -- run study.toml --set model.family=residual
//! ```
//! Every command works, and so do crashes, resumption, `verify` and the search over `width`.

use std::process::ExitCode;
use std::sync::Arc;
use wallaby::Registry;
use wallaby::wallaby_core::parameter::{Accepts, Parameter};
use wallaby::wallaby_core::value::{Config, Value};
use wallaby::wallaby_data::Problem;
use wallaby::wallaby_train::burn;
use wallaby::wallaby_train::{Architecture, Mode, Network, Neural, Settings, UnitError};

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation};

/// A burn module like any other: a stream of features that one block adds to.
#[derive(Debug, Module)]
struct Residual {
    enter: Linear,
    block: Linear,
    leave: Linear,
}

impl Network for Residual {
    fn forward(&self, rows: Tensor<2>, mode: &mut Mode) -> Tensor<2> {
        let stream = self.enter.forward(rows);
        let added = activation::relu(self.block.forward(stream.clone()));
        // All randomness comes from the mode, so that a unit can be repeated bit by bit.
        self.leave.forward(stream + mode.dropout(added, 0.1))
    }
}

/// How a study names the network, and what it may search.
struct ResidualFamily;

impl Architecture for ResidualFamily {
    type Network = Residual;

    fn name(&self) -> &'static str {
        "residual"
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter {
            name: "width",
            accepts: Accepts::Int { low: 1, high: 4096 },
            default: Value::Int(32),
            help: "Features of the stream.",
        }]
    }

    fn build(
        &self,
        config: &Config,
        problem: &Problem,
        device: &Device,
    ) -> Result<Residual, UnitError> {
        let width = Settings(config).count("width")?;
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
        Ok(Residual {
            enter: linear(problem.inputs(), width),
            block: linear(width, width),
            leave: linear(width, problem.outputs()),
        })
    }
}

fn main() -> ExitCode {
    let mut registry = Registry::built_in();
    registry.register(Arc::new(Neural(ResidualFamily))).expect("no other family has this name");
    wallaby::cli::main(registry)
}
