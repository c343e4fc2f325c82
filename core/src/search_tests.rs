//! The conformance suite of samplers, and what is particular to each.

use super::*;
use crate::space::Domain;
use crate::value::Value;
use std::collections::BTreeSet;

const KINDS: [SamplerKind; 3] = [SamplerKind::Grid, SamplerKind::Random, SamplerKind::Sobol];

fn space() -> Space {
    let rate = Domain::Float { low: 1e-4, high: 1e-1, log: true, points: Some(3) };
    let width = Domain::Int { low: 8, high: 64, log: false, points: Some(4) };
    let kind = Domain::Choice(vec!["adam".into(), "sgd".into()]);
    Space([("rate", rate), ("width", width), ("kind", kind)].map(|(n, d)| (n.to_owned(), d)).into())
}

fn propose(kind: SamplerKind, space: &Space, seed: u64, trial: u32) -> Option<Config> {
    let (trials, direction) = (&[][..], Direction::Maximize);
    sampler(kind).propose(&Ask { space, seed, trial: TrialId(trial), trials, direction })
}

#[test]
fn every_sampler_is_a_function_of_seed_and_trial() {
    for kind in KINDS {
        for trial in [0, 1, 17] {
            let config = propose(kind, &space(), 5, trial);
            assert!(config.is_some(), "{kind:?}");
            assert_eq!(config, propose(kind, &space(), 5, trial), "{kind:?}");
        }
    }
}

#[test]
fn every_sampler_names_every_parameter_and_stays_in_its_domain() {
    for kind in KINDS {
        for trial in 0..24 {
            let config = propose(kind, &space(), 1, trial).unwrap();
            assert_eq!(config.keys().collect::<Vec<_>>(), ["kind", "rate", "width"]);
            assert!((1e-4..=1e-1).contains(&config["rate"].as_f64().unwrap()));
            assert!((8..=64).contains(&config["width"].as_i64().unwrap()));
        }
    }
}

#[test]
fn an_empty_space_has_one_grid_point_and_endless_random_ones() {
    let empty = Space::default();
    assert_eq!(propose(SamplerKind::Grid, &empty, 0, 0), Some(Config::new()));
    assert_eq!(propose(SamplerKind::Grid, &empty, 0, 1), None);
    assert_eq!(propose(SamplerKind::Random, &empty, 0, 9), Some(Config::new()));
    assert_eq!(propose(SamplerKind::Sobol, &empty, 0, 9), Some(Config::new()));
}

#[test]
fn the_grid_visits_every_combination_once() {
    let seen: Vec<String> = (0..)
        .map_while(|t| propose(SamplerKind::Grid, &space(), 0, t))
        .map(|c| format!("{c:?}"))
        .collect();
    assert_eq!(seen.len(), 24);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 24);
    let widths: Vec<i64> = (0..4)
        .map(|t| propose(SamplerKind::Grid, &space(), 0, t).unwrap()["width"].as_i64().unwrap())
        .collect();
    assert_eq!(widths, [8, 27, 45, 64], "the last name runs fastest");
}

#[test]
fn random_parameters_of_equal_range_are_independent() {
    let unit = Domain::Float { low: 0.0, high: 1.0, log: false, points: None };
    let space = Space([("a".to_owned(), unit.clone()), ("b".to_owned(), unit)].into());
    let (mut product, mut sum) = (0.0, 0.0);
    for trial in 0..2000 {
        let config = propose(SamplerKind::Random, &space, 3, trial).unwrap();
        let (a, b) = (config["a"].as_f64().unwrap() - 0.5, config["b"].as_f64().unwrap() - 0.5);
        product += a * b / 2000.0;
        sum += a / 2000.0;
    }
    assert!(product.abs() < 0.006, "correlated: {product}");
    assert!(sum.abs() < 0.02, "not centred: {sum}");
}

#[test]
fn adding_a_parameter_leaves_random_values_of_the_others_alone() {
    let mut larger = space();
    larger.0.insert("another".to_owned(), Domain::Choice(vec![Value::Int(1)]));
    let (small, large) =
        (propose(SamplerKind::Random, &space(), 2, 4), propose(SamplerKind::Random, &larger, 2, 4));
    let (small, mut large) = (small.unwrap(), large.unwrap());
    large.remove("another");
    assert_eq!(small, large);
}

#[test]
fn sobol_fills_every_cell_that_random_draws_leave_empty() {
    let unit = Domain::Float { low: 0.0, high: 1.0, log: false, points: None };
    let space = Space([("a".to_owned(), unit.clone()), ("b".to_owned(), unit)].into());
    let cells = |kind| {
        let cell = |trial| {
            let config = propose(kind, &space, 11, trial).unwrap();
            let at = |name: &str| (config[name].as_f64().unwrap() * 8.0) as u8;
            (at("a"), at("b"))
        };
        (0..64).map(cell).collect::<BTreeSet<_>>().len()
    };
    assert_eq!(cells(SamplerKind::Sobol), 64, "one point in each of 8 × 8 cells");
    assert!(cells(SamplerKind::Random) < 50);
}
