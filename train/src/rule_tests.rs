//! Two steps of each optimizer from weight 1, gradients 0.5 and −0.25, worked out by hand.

use super::*;

/// The weight after each of two steps.
fn two_steps(rule: Rule) -> [f32; 2] {
    let (mut weight, mut first, mut second) = ([1.0], [0.0], [0.0]);
    [(1, 0.5), (2, -0.25)].map(|(number, gradient)| {
        rule.at(number).apply(&mut weight, &[gradient], &mut first, &mut second);
        weight[0]
    })
}

fn assert_near(found: [f32; 2], expected: [f64; 2]) {
    for (found, expected) in found.into_iter().zip(expected) {
        assert!((f64::from(found) - expected).abs() < 1e-6, "{found} against {expected}");
    }
}

fn adam(weight_decay: f64, decoupled: bool) -> Rule {
    let (beta1, beta2, epsilon) = (0.9, 0.999, 1e-8);
    Rule::Adam { learning_rate: 0.1, weight_decay, decoupled, beta1, beta2, epsilon }
}

#[test]
fn sgd_adds_the_velocity_of_the_step_before() {
    let rule = Rule::Sgd { learning_rate: 0.1, weight_decay: 0.0, momentum: 0.9 };
    // v1 = 0.5, w1 = 1 − 0.05; v2 = 0.45 − 0.25 = 0.2, w2 = 0.95 − 0.02
    assert_near(two_steps(rule), [0.95, 0.93]);
}

#[test]
fn sgd_decays_weights_through_the_gradient() {
    let rule = Rule::Sgd { learning_rate: 0.1, weight_decay: 0.2, momentum: 0.9 };
    // v1 = 0.5 + 0.2, w1 = 0.93; v2 = 0.63 − 0.25 + 0.186 = 0.566, w2 = 0.93 − 0.0566
    assert_near(two_steps(rule), [0.93, 0.8734]);
}

#[test]
fn adam_moves_by_the_learning_rate_at_first_and_by_corrected_moments_then() {
    // m2 = 0.9·0.05 − 0.025 = 0.02, m̂2 = 0.02 / 0.19
    // v2 = 0.999·0.00025 + 0.0000625 = 0.00031225, v̂2 = v2 / 0.001999
    let second = 0.9 - 0.1 * (0.02 / 0.19) / (0.000_312_25f64 / 0.001_999).sqrt();
    assert_near(two_steps(adam(0.0, false)), [0.9, second]);
}

#[test]
fn adam_decays_weights_through_the_gradient() {
    // g1 = 0.7, so w1 = 0.9 again; g2 = −0.25 + 0.2·0.9 = −0.07
    let (m2, v2) = (0.9 * 0.07 - 0.007, 0.999 * 0.000_49 + 0.001 * 0.0049);
    let second = 0.9 - 0.1 * (m2 / 0.19) / (v2 / 0.001_999f64).sqrt();
    assert_near(two_steps(adam(0.2, false)), [0.9, second]);
}

#[test]
fn adamw_decays_weights_beside_the_moments() {
    // every step first keeps 1 − 0.1·0.2 of the weight, then moves as adam without decay
    let move2 = 0.1 * (0.02 / 0.19) / (0.000_312_25f64 / 0.001_999).sqrt();
    assert_near(two_steps(adam(0.2, true)), [0.88, 0.98 * 0.88 - move2]);
}

#[test]
fn without_a_gradient_nothing_moves() {
    for rule in
        [adam(0.0, false), Rule::Sgd { learning_rate: 0.1, weight_decay: 0.0, momentum: 0.9 }]
    {
        let (mut weights, mut first, mut second) = ([3.0; 5], [0.0; 5], [0.0; 5]);
        rule.at(1).apply(&mut weights, &[0.0; 5], &mut first, &mut second);
        assert_eq!(weights, [3.0; 5]);
    }
}
