//! Standardisation: each feature to mean 0 and deviation 1, by the statistics of training rows.
//! Kept with the model, because a prediction needs the same scaling.

use serde::{Deserialize, Serialize};

/// Mean and deviation of each feature over the training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// The mean of each feature.
    pub means: Vec<f64>,
    /// The population standard deviation of each feature; 0 for a constant one.
    pub deviations: Vec<f64>,
}

impl Scaling {
    /// The statistics of `rows`, each of `width` features. Two passes in 64 bits, row after
    /// row: the same rows in the same order give the same bits.
    pub fn of<'a>(rows: impl Iterator<Item = &'a [f32]> + Clone, width: usize) -> Self {
        let mut means = vec![0.0; width];
        let mut ranges = vec![(f32::INFINITY, f32::NEG_INFINITY); width];
        let mut count = 0.0;
        for row in rows.clone() {
            count += 1.0;
            for ((mean, range), value) in means.iter_mut().zip(&mut ranges).zip(row) {
                *mean += f64::from(*value);
                *range = (range.0.min(*value), range.1.max(*value));
            }
        }
        means.iter_mut().for_each(|mean| *mean /= f64::max(count, 1.0));
        let mut squares = vec![0.0; width];
        for row in rows {
            for ((square, mean), value) in squares.iter_mut().zip(&means).zip(row) {
                *square += (f64::from(*value) - mean).powi(2);
            }
        }
        // Judged by the range: rounding of the mean gives a constant a tiny deviation.
        let deviation = |(square, (low, high)): (&f64, &(f32, f32))| {
            if low < high { (square / count).sqrt() } else { 0.0 }
        };
        Self { deviations: squares.iter().zip(&ranges).map(deviation).collect(), means }
    }

    /// Standardises one row in place; constant features become 0, and all stay finite.
    pub fn apply(&self, row: &mut [f32]) {
        let limit = f64::from(f32::MAX);
        for ((value, mean), deviation) in row.iter_mut().zip(&self.means).zip(&self.deviations) {
            let distance = (f64::from(*value) - mean) / deviation;
            *value = if *deviation > 0.0 { distance.clamp(-limit, limit) as f32 } else { 0.0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_rows_come_out_with_mean_zero_and_deviation_one() {
        let rows = [[1.0f32, 0.1, 1e30], [2.0, 0.1, -1e30], [6.0, 0.1, 0.0]];
        let scaling = Scaling::of(rows.iter().map(|row| &row[..]), 3);
        assert_eq!(scaling.means[0], 3.0);
        assert_eq!(scaling.deviations[1], 0.0, "constant");
        let mut scaled = rows;
        scaled.iter_mut().for_each(|row| scaling.apply(row));
        for feature in [0, 2] {
            let values = scaled.map(|row| f64::from(row[feature]));
            assert!(values.iter().sum::<f64>().abs() < 1e-6);
            let square = values.iter().map(|value| value * value).sum::<f64>() / 3.0;
            assert!((square - 1.0).abs() < 1e-6);
        }
        assert_eq!(scaled.map(|row| row[1]), [0.0; 3]);
    }

    #[test]
    fn a_feature_constant_in_training_is_zero_wherever_it_is_seen() {
        let scaling = Scaling::of([[5.0f32]].iter().map(|row| &row[..]), 1);
        let mut unseen = [9.0];
        scaling.apply(&mut unseen);
        assert_eq!(unseen, [0.0]);
    }
}
