//! The numerics class of a device: machines whose canaries agree compute the same bits.
//! Vector width and cache sizes change the order of sums; nothing else of a machine is asked.

use crate::family::{Family, Unit};
use crate::{Architecture, Device, Mode, Network, Neural, UnitError, synthetic};
use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::{Tensor, activation};
use wallaby_core::ids::Digest;
use wallaby_core::parameter::{Parameter, complete};
use wallaby_core::seed::Seed;
use wallaby_core::value::{Config, Value};
use wallaby_data::Problem;

/// More than the block of 512 into which a matrix product may cut its sums.
const INPUTS: usize = 600;

/// Outputs of the first layer.
const HIDDEN: usize = 13;

/// A network of the operations in which processors are known to differ.
#[derive(Debug, Module)]
struct Probe {
    wide: Linear,
    norm: BatchNorm,
    narrow: Linear,
}

#[derive(Debug, Clone, Copy)]
struct ProbeArchitecture;

impl Network for Probe {
    fn forward(&self, rows: Tensor<2>, mode: &mut Mode) -> Tensor<2> {
        let values = self.norm.forward(self.wide.forward(rows));
        let shares = activation::softmax(values.clone(), 1) + activation::gelu(values);
        self.narrow.forward(mode.dropout(shares, 0.1))
    }
}

impl Architecture for ProbeArchitecture {
    type Network = Probe;

    fn name(&self) -> &'static str {
        "canary"
    }

    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    fn build(
        &self,
        _: &Config,
        problem: &Problem,
        device: &burn::tensor::Device,
    ) -> Result<Probe, UnitError> {
        Ok(Probe {
            wide: LinearConfig::new(problem.inputs(), HIDDEN).init(device),
            norm: BatchNormConfig::new(HIDDEN).init(device),
            narrow: LinearConfig::new(HIDDEN, problem.outputs()).init(device),
        })
    }
}

/// Trains a small network for five steps; equal digests mean equal numerics.
///
/// # Errors
/// The device does not compute.
pub fn canary(device: &Device) -> Result<Digest, UnitError> {
    let (problem, partition) = synthetic::regression(0, 75, INPUTS);
    let family = Neural(ProbeArchitecture);
    let given = Config::from([("batch_size".to_owned(), Value::Int(16))]);
    let config = complete(&family.parameters(), &given);
    let seed = Seed::of_study(0).child("canary");
    let (trial_seed, unit_seed) = (seed, seed);
    let unit =
        Unit { config: &config, problem: &problem, trial_seed, unit_seed, state: None, device };
    Ok(Digest::of(&family.train(&unit, &partition)?.state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;
    use crate::session::Session;

    #[test]
    fn a_machine_agrees_with_itself() {
        let digest = canary(&Device::cpu()).unwrap();
        let others: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..3).map(|_| scope.spawn(|| canary(&Device::cpu()).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(others, [digest; 3]);
    }

    #[test]
    fn running_statistics_survive_a_hop() {
        let (problem, partition) = synthetic::regression(0, 75, INPUTS);
        let config = complete(&Neural(ProbeArchitecture).parameters(), &Config::new());
        let (device, seed) = (Device::cpu(), Seed::of_study(1));
        let start = Unit {
            config: &config,
            problem: &problem,
            trial_seed: seed,
            unit_seed: seed,
            state: None,
            device: &device,
        };
        let train = |unit: Unit<'_>| Neural(ProbeArchitecture).train(&unit, &partition).unwrap();
        let first = train(start).state;
        let hopping = train(Unit { state: Some(&first), ..start }).state;
        let session = Session::open(&ProbeArchitecture, &start).unwrap();
        let (session, _) = session.pass(&partition, seed).unwrap();
        let (session, _) = session.pass(&partition, seed).unwrap();
        assert!(session.save().unwrap() == hopping);
    }

    #[test]
    fn a_network_with_running_statistics_keeps_the_contract() {
        conformance::check(&Neural(ProbeArchitecture), &Device::cpu()).unwrap();
    }
}
