//! Training passes: what they depend on, what they may not depend on, and how they fail.

use super::*;
use crate::{Device, Family, Mlp, Neural, synthetic};
use wallaby_core::parameter::complete;
use wallaby_core::value::{Config, Value};
use wallaby_data::Problem;

fn config(given: &[(&str, Value)]) -> Config {
    let given = given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    complete(&Neural(Mlp).parameters(), &given)
}

/// One trial on four partitions of a small classification.
struct Trial {
    config: Config,
    problem: Problem,
    partitions: Vec<Partition>,
    seed: u64,
    device: Device,
}

impl Trial {
    fn new(given: &[(&str, Value)]) -> Self {
        let (problem, whole) = synthetic::classification(3, 250, 6, 4);
        let partitions = synthetic::cut(&whole, 4);
        Self { config: config(given), problem, partitions, seed: 1, device: Device::cpu() }
    }

    fn unit<'a>(&'a self, number: usize, state: Option<&'a [u8]>) -> Unit<'a> {
        let seed = Seed::of_study(self.seed);
        Unit {
            config: &self.config,
            problem: &self.problem,
            trial_seed: seed.child("trial"),
            unit_seed: seed.child(&number.to_string()),
            state,
            device: &self.device,
        }
    }

    /// The state after `units` units, saved and restored at every one.
    fn hopping(&self, units: usize) -> Result<Vec<u8>, UnitError> {
        let mut state: Option<Vec<u8>> = None;
        for number in 0..units {
            let unit = self.unit(number, state.as_deref());
            let partition = &self.partitions[number % self.partitions.len()];
            state = Some(Neural(Mlp).train(&unit, partition)?.state);
        }
        Ok(state.unwrap())
    }

    /// The same without ever stopping.
    fn continuous(&self, units: usize) -> Vec<u8> {
        let mut session = Session::open(&Mlp, &self.unit(0, None)).unwrap();
        for number in 0..units {
            let partition = &self.partitions[number % self.partitions.len()];
            let unit = self.unit(number, None);
            (session, _) = session.pass(partition, unit.unit_seed).unwrap();
        }
        session.save().unwrap()
    }

    fn loss(&self, state: Option<&[u8]>) -> f64 {
        let losses = self.partitions.iter().map(|partition| {
            Neural(Mlp).validate(&self.unit(0, state), partition).unwrap()["loss"]
        });
        losses.sum()
    }
}

fn optimizer(name: &str) -> (&'static str, Value) {
    ("optimizer", name.into())
}

#[test]
fn saving_and_restoring_at_every_unit_changes_no_bit() {
    for name in ["sgd", "adam", "adamw"] {
        let trial = Trial::new(&[
            optimizer(name),
            ("weight_decay", 0.01.into()),
            ("dropout", 0.2.into()),
            ("hidden", Value::List(vec![Value::Int(17), Value::Int(9)])),
            ("batch_size", Value::Int(16)),
        ]);
        assert!(trial.hopping(9).unwrap() == trial.continuous(9), "{name}");
    }
}

#[test]
fn trials_at_once_give_the_same_bits_as_one_after_another() {
    let trials: Vec<Trial> =
        (0..4).map(|seed| Trial { seed, ..Trial::new(&[("dropout", 0.1.into())]) }).collect();
    let alone: Vec<_> = trials.iter().map(|trial| trial.hopping(8).unwrap()).collect();
    let together: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            trials.iter().map(|trial| scope.spawn(|| trial.hopping(8).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(alone == together);
}

#[test]
fn equal_seeds_give_equal_bytes_and_other_seeds_others() {
    let trial = |seed| Trial { seed, ..Trial::new(&[]) };
    assert!(trial(1).hopping(2).unwrap() == trial(1).hopping(2).unwrap());
    assert!(trial(1).hopping(2).unwrap() != trial(2).hopping(2).unwrap());
}

#[test]
fn the_order_of_the_rows_comes_from_the_unit() {
    let trial = Trial::new(&[]);
    let after =
        |number| Neural(Mlp).train(&trial.unit(number, None), &trial.partitions[0]).unwrap();
    assert_ne!(after(0).state, after(1).state);
    assert_eq!(after(0), after(0));
}

#[test]
fn every_optimizer_lowers_the_loss() {
    for (name, rate) in [("sgd", 0.02), ("adam", 0.005), ("adamw", 0.005)] {
        let trial = Trial::new(&[optimizer(name), ("learning_rate", rate.into())]);
        let (first, last) = (trial.loss(None), trial.loss(Some(&trial.hopping(80).unwrap())));
        assert!(last < 0.5 * first, "{name}: from {first} to {last}");
    }
}

#[test]
fn the_loss_of_a_unit_is_the_mean_over_its_rows() {
    let trial = Trial::new(&[("batch_size", Value::Int(65_536))]);
    let partition = &trial.partitions[3];
    let unit = trial.unit(0, None);
    let trained = Neural(Mlp).train(&unit, partition).unwrap();
    let before = Neural(Mlp).validate(&unit, partition).unwrap();
    assert!((trained.metrics["loss"] - before["loss"]).abs() < 1e-5);
    assert_eq!(trained.metrics["rows"], partition.rows() as f64);
}

#[test]
fn a_huge_learning_rate_diverges() {
    for name in ["sgd", "adam", "adamw"] {
        let trial = Trial::new(&[optimizer(name), ("learning_rate", 1e38.into())]);
        let error = trial.hopping(20).unwrap_err();
        assert!(matches!(error, UnitError::Diverged { .. }), "{name}: {error}");
    }
}

#[test]
fn a_state_of_another_shape_or_optimizer_is_refused() {
    let state = Trial::new(&[]).hopping(1).unwrap();
    let list = Value::List(vec![Value::Int(129)]);
    for other in [("hidden", list), optimizer("sgd"), optimizer("adamw")] {
        let trial = Trial::new(std::slice::from_ref(&other));
        let unit = trial.unit(1, Some(&state));
        let error = Neural(Mlp).train(&unit, &trial.partitions[0]).unwrap_err();
        assert!(matches!(error, UnitError::BadState { .. }), "{other:?}: {error}");
    }
}

#[test]
fn another_learning_rate_goes_on_from_the_same_state() {
    let state = Trial::new(&[]).hopping(1).unwrap();
    let trial = Trial::new(&[("learning_rate", 0.5.into()), ("batch_size", Value::Int(7))]);
    let unit = trial.unit(1, Some(&state));
    assert!(Neural(Mlp).train(&unit, &trial.partitions[0]).is_ok());
}
