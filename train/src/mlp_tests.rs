//! The perceptron: its shapes, its first weights, and what it can learn.

use super::*;
use crate::{Family, Neural, Unit, synthetic, weights};
use wallaby_core::parameter::complete;
use wallaby_core::seed::Seed;
use wallaby_data::{Partition, Target};

fn config(hidden: &[i64], activation: &str) -> Config {
    let hidden = Value::List(hidden.iter().copied().map(Value::Int).collect());
    let given =
        [("hidden", hidden), ("activation", activation.into()), ("learning_rate", 0.01.into())];
    let given = given.map(|(name, value)| (name.to_owned(), value)).into();
    complete(&Neural(Mlp).parameters(), &given)
}

fn unit<'a>(
    config: &'a Config,
    problem: &'a Problem,
    state: Option<&'a [u8]>,
    device: &'a crate::Device,
) -> Unit<'a> {
    let seed = Seed::of_study(5);
    Unit { config, problem, trial_seed: seed, unit_seed: seed, state, device }
}

/// The metrics after `passes` over one partition.
fn trained(config: &Config, problem: &Problem, whole: &Partition, passes: usize) -> crate::Metrics {
    let device = crate::Device::cpu();
    let mut state: Option<Vec<u8>> = None;
    for _ in 0..passes {
        let unit = unit(config, problem, state.as_deref(), &device);
        state = Some(Neural(Mlp).train(&unit, whole).unwrap().state);
    }
    Neural(Mlp).validate(&unit(config, problem, state.as_deref(), &device), whole).unwrap()
}

#[test]
fn layers_have_the_widths_of_the_configuration() {
    let (problem, _) = synthetic::classification(1, 4, 7, 3);
    let network = Mlp.build(&config(&[5, 2], "relu"), &problem, &Device::flex()).unwrap();
    let shapes: Vec<_> = weights::slots(&network).into_values().map(|slot| slot.shape).collect();
    assert_eq!(shapes, [vec![5], vec![7, 5], vec![2], vec![5, 2], vec![3], vec![2, 3]]);
}

#[test]
fn first_weights_follow_the_activation() {
    let (problem, _) = synthetic::classification(1, 4, 7, 3);
    let initial = |activation, path| {
        let network = Mlp.build(&config(&[5], activation), &problem, &Device::flex()).unwrap();
        network.initial(path, &[7, 5], false)
    };
    assert_eq!(initial("relu", "layers.0.weight"), Initial::he(7));
    assert_eq!(initial("relu", "layers.1.weight"), Initial::glorot(7, 5));
    assert_eq!(initial("tanh", "layers.0.weight"), Initial::glorot(7, 5));
}

#[test]
fn a_network_beyond_memory_is_refused() {
    let (problem, _) = synthetic::classification(1, 4, 7, 3);
    let error = Mlp.build(&config(&[65_536, 65_536], "relu"), &problem, &Device::flex());
    let text = error.unwrap_err().to_string();
    assert!(text.starts_with("parameter hidden is [65536, 65536], expected widths"), "{text}");
}

#[test]
fn without_hidden_layers_it_cannot_learn_exclusive_or_and_with_one_it_can() {
    let features: Vec<f32> = (0..4).flat_map(|at| [(at & 1) as f32, (at >> 1) as f32]).collect();
    let target = Target::Classes(vec![0, 1, 1, 0]);
    let whole = Partition { width: 2, features, target };
    let (problem, _) = synthetic::classification(1, 4, 2, 2);
    let accuracy =
        |hidden: &[i64]| trained(&config(hidden, "tanh"), &problem, &whole, 400)["accuracy"];
    assert!(accuracy(&[]) < 1.0);
    assert_eq!(accuracy(&[16]), 1.0);
}

#[test]
fn a_regression_explains_most_of_the_spread() {
    let (problem, whole) = synthetic::regression(1, 300, 4);
    let metrics = trained(&config(&[32], "relu"), &problem, &whole, 40);
    assert!(metrics["r2"] > 0.9, "{metrics:?}");
}

#[test]
fn predictions_of_classes_are_probabilities() {
    let (problem, whole) = synthetic::classification(1, 30, 4, 3);
    let (config, device) = (config(&[8], "gelu"), crate::Device::cpu());
    let unit = unit(&config, &problem, None, &device);
    let shares = Neural(Mlp).predict(&unit, &whole.features).unwrap();
    assert_eq!(shares.len(), 90);
    assert!(shares.chunks(3).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-6));
    assert!(Neural(Mlp).predict(&unit, &whole.features[1..]).is_err());
}
