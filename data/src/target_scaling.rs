//! Standardisation of the target of a regression. A model learns targets of mean 0 and deviation
//! 1; people see answers and errors in the units of their file. Never touches classes.

use crate::scaling::{Scaling, standardized};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Mean and deviation of the target over the training rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TargetScaling {
    /// The mean.
    pub mean: f64,
    /// The population standard deviation, above 0; 1 if all training rows have one target.
    pub deviation: f64,
}

impl TargetScaling {
    /// The statistics of the targets of the training rows.
    pub(crate) fn of<'a>(targets: impl Iterator<Item = &'a f64> + Clone) -> Self {
        let Scaling { means, deviations } = Scaling::of(targets.map(std::slice::from_ref), 1);
        let deviation = if deviations[0] > 0.0 { deviations[0] } else { 1.0 };
        Self { mean: means[0], deviation }
    }

    /// A target as the model is to learn it.
    pub(crate) fn scale(&self, target: f64) -> f32 {
        standardized(target, self.mean, self.deviation)
    }

    /// The answer of a model in the units of the file.
    pub fn restore(&self, answer: f32) -> f64 {
        f64::from(answer) * self.deviation + self.mean
    }

    /// Brings `loss`, the mean squared error, `mae` and `rmse` to the units of the file. `r2` has
    /// no unit; other metrics are a model's own affair.
    pub fn restore_metrics(&self, metrics: &mut BTreeMap<String, f64>) {
        for (name, factor) in [
            ("loss", self.deviation * self.deviation),
            ("mae", self.deviation),
            ("rmse", self.deviation),
        ] {
            if let Some(value) = metrics.get_mut(name) {
                *value *= factor;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_back_in_the_units_of_the_file() {
        let targets = [1.7e9, 1.7e9 + 3.0, 1.7e9 + 6.0];
        let scaling = TargetScaling::of(targets.iter());
        for target in targets {
            assert!((scaling.restore(scaling.scale(target)) - target).abs() < 1e-5, "{target}");
        }
    }

    #[test]
    fn errors_come_back_in_the_units_of_the_file() {
        let names = ["loss", "mae", "r2", "rmse", "rows"];
        let mut metrics: BTreeMap<String, f64> = names.map(|name| (name.to_owned(), 0.5)).into();
        TargetScaling { mean: 7.0, deviation: 4.0 }.restore_metrics(&mut metrics);
        let restored: Vec<f64> = metrics.into_values().collect();
        assert_eq!(restored, [8.0, 2.0, 0.5, 2.0, 0.5]);
    }

    #[test]
    fn one_target_in_all_training_rows_is_learnt_as_zero() {
        let scaling = TargetScaling::of([5.0, 5.0].iter());
        assert_eq!((scaling.scale(5.0), scaling.scale(7.0)), (0.0, 2.0));
    }
}
