//! Validation metrics from all outputs and targets of a partition. Pure arithmetic in double
//! precision, in row order.

use crate::family::Metrics;
use crate::loss;
use wallaby_data::Target;

/// `accuracy` and `loss` for classes; `loss` (the mean squared error), `mae`, `r2` and `rmse` for
/// values. `outputs` holds `width` numbers a row; there is at least one row.
pub(crate) fn of_outputs(outputs: &[f32], width: usize, target: &Target) -> Metrics {
    match target {
        Target::Classes(classes) => of_classes(outputs, width, classes, target),
        Target::Values(values) => of_values(outputs, values),
    }
}

fn of_classes(outputs: &[f32], width: usize, classes: &[u32], target: &Target) -> Metrics {
    let rows: Vec<usize> = (0..classes.len()).collect();
    let hits = outputs.chunks_exact(width).zip(classes);
    let correct = hits.filter(|(scores, class)| best(scores) == **class as usize).count();
    let count = classes.len() as f64;
    named([
        ("accuracy", correct as f64 / count),
        ("loss", loss::of_batch(outputs, width, target, &rows).total / count),
    ])
}

/// The class with the highest score, the first of equals.
fn best(scores: &[f32]) -> usize {
    let mut best = 0;
    for (class, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = class;
        }
    }
    best
}

fn of_values(outputs: &[f32], values: &[f32]) -> Metrics {
    let count = values.len() as f64;
    let mean = values.iter().copied().map(f64::from).sum::<f64>() / count;
    let (mut squared, mut absolute, mut spread) = (0.0, 0.0, 0.0);
    for (output, value) in outputs.iter().zip(values) {
        let (output, value) = (f64::from(*output), f64::from(*value));
        squared += (output - value) * (output - value);
        absolute += (output - value).abs();
        spread += (value - mean) * (value - mean);
    }
    let mean_squared = squared / count;
    named([
        ("loss", mean_squared),
        ("mae", absolute / count),
        ("r2", determination(squared, spread)),
        ("rmse", mean_squared.sqrt()),
    ])
}

/// The coefficient of determination. Over constant targets, where it is not defined, 1 for
/// perfect answers and 0 for others, so that it is always a number.
fn determination(squared: f64, spread: f64) -> f64 {
    match (squared == 0.0, spread == 0.0) {
        (true, _) => 1.0,
        (false, true) => 0.0,
        (false, false) => 1.0 - squared / spread,
    }
}

fn named<const N: usize>(pairs: [(&str, f64); N]) -> Metrics {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_counts_the_rows_whose_best_score_is_right() {
        let outputs = [0.1, 0.9, 0.8, 0.2, 0.5, 0.5];
        let metrics = of_outputs(&outputs, 2, &Target::Classes(vec![1, 1, 0]));
        assert!((metrics["accuracy"] - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn errors_of_values_are_those_worked_out_by_hand() {
        let metrics = of_outputs(&[1.0, 2.0, 6.0], 1, &Target::Values(vec![1.0, 4.0, 4.0]));
        let expected = [("loss", 8.0 / 3.0), ("mae", 4.0 / 3.0), ("r2", 1.0 - 8.0 / 6.0)];
        for (name, value) in expected {
            assert!((metrics[name] - value).abs() < 1e-12, "{name} is {}", metrics[name]);
        }
        assert!((metrics["rmse"].powi(2) - metrics["loss"]).abs() < 1e-12);
    }

    #[test]
    fn constant_targets_leave_the_determination_finite() {
        let target = Target::Values(vec![2.0, 2.0]);
        assert_eq!(of_outputs(&[2.0, 2.0], 1, &target)["r2"], 1.0);
        assert_eq!(of_outputs(&[2.0, 3.0], 1, &target)["r2"], 0.0);
    }
}
