//! Standardisation: each feature to mean 0 and deviation 1, by the statistics of training rows.
//! Kept with the model, because a prediction needs the same scaling. Cells come in 64 bits and
//! leave in 32: what they have in common is taken off before anything is rounded.

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
    /// The statistics of `rows`, each of `width` finite features. In 64 bits, row after row: the
    /// same rows in the same order give the same bits.
    pub fn of<'a>(rows: impl Iterator<Item = &'a [f64]> + Clone, width: usize) -> Self {
        let count = f64::max(rows.clone().count() as f64, 1.0);
        let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); width];
        for row in rows.clone() {
            for (range, value) in ranges.iter_mut().zip(row) {
                *range = (range.0.min(*value), range.1.max(*value));
            }
        }
        let units: Vec<f64> = ranges.iter().map(|(low, high)| unit(*low, *high)).collect();
        let mut means = vec![0.0; width];
        for row in rows.clone() {
            for ((mean, unit), value) in means.iter_mut().zip(&units).zip(row) {
                *mean += value / unit;
            }
        }
        means.iter_mut().for_each(|mean| *mean /= count);
        let mut squares = vec![0.0; width];
        for row in rows {
            for (((square, mean), unit), value) in
                squares.iter_mut().zip(&means).zip(&units).zip(row)
            {
                *square += (value / unit - mean).powi(2);
            }
        }
        // Judged by the range: rounding of the mean gives a constant a tiny deviation.
        let deviation = |((square, unit), (low, high)): ((&f64, &f64), &(f64, f64))| {
            if low < high { in_range((square / count).sqrt() * unit) } else { 0.0 }
        };
        let deviations = squares.iter().zip(&units).zip(&ranges).map(deviation).collect();
        let means = means.iter().zip(&units).map(|(mean, unit)| in_range(mean * unit)).collect();
        Self { means, deviations }
    }

    /// A row, standardised; constant features become 0, and all are finite.
    pub fn scale<'a>(&'a self, row: &'a [f64]) -> impl Iterator<Item = f32> + 'a {
        let statistics = self.means.iter().zip(&self.deviations);
        row.iter().zip(statistics).map(|(value, (mean, deviation))| {
            if *deviation > 0.0 { standardized(*value, *mean, *deviation) } else { 0.0 }
        })
    }
}

/// How many deviations `value` is away from the mean, at most as many as 32 bits can say.
pub(crate) fn standardized(value: f64, mean: f64, deviation: f64) -> f32 {
    let limit = f64::from(f32::MAX);
    // The distance of two finite numbers may be infinite; the quotient is cut off either way.
    ((value - mean) / deviation).clamp(-limit, limit) as f32
}

/// The mean of the largest numbers may be rounded up past them.
fn in_range(number: f64) -> f64 {
    number.clamp(f64::MIN, f64::MAX)
}

/// The power of two below the largest of a feature's values. Measured in it, no sum and no square
/// overflows or vanishes, and not a bit changes otherwise.
fn unit(low: f64, high: f64) -> f64 {
    const EXPONENT: u64 = 0x7ff << 52;
    let largest = low.abs().max(high.abs());
    // Infinite where there is no row.
    if !largest.is_finite() {
        return 1.0;
    }
    f64::from_bits(largest.to_bits() & EXPONENT).max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The standardised values of one feature, by its own statistics.
    fn standardised(values: &[f64]) -> Vec<f32> {
        let scaling = Scaling::of(values.chunks(1), 1);
        values.chunks(1).flat_map(|row| scaling.scale(row).collect::<Vec<_>>()).collect()
    }

    fn mean_and_deviation(values: &[f32]) -> (f64, f64) {
        let count = values.len() as f64;
        let mean = values.iter().copied().map(f64::from).sum::<f64>() / count;
        let square = values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>();
        (mean, (square / count).sqrt())
    }

    #[test]
    fn training_rows_come_out_with_mean_zero_and_deviation_one() {
        for values in [[1.0, 2.0, 6.0], [1e30, -1e30, 0.0], [1e300, -1.7e308, 1.7e308]] {
            let (mean, deviation) = mean_and_deviation(&standardised(&values));
            assert!(mean.abs() < 1e-6 && (deviation - 1.0).abs() < 1e-6, "{values:?}");
        }
        let tiny = mean_and_deviation(&standardised(&[1e-300, 2e-300, 6e-300]));
        assert!((tiny.1 - 1.0).abs() < 1e-6, "{tiny:?}");
    }

    #[test]
    fn small_differences_between_large_numbers_are_kept() {
        let times: Vec<f64> = (-100..=100).map(|seconds| 1.7e9 + f64::from(seconds)).collect();
        let scaled = standardised(&times);
        assert!(scaled.windows(2).all(|pair| pair[0] < pair[1]), "{scaled:?}");
        let steps: Vec<f32> = scaled.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(steps.iter().all(|step| (step - steps[0]).abs() < 1e-5), "{steps:?}");
    }

    #[test]
    fn the_mean_of_the_largest_number_is_finite() {
        let scaling = Scaling::of([f64::MAX; 3].chunks(1), 1);
        assert_eq!(scaling.means, [f64::MAX]);
    }

    #[test]
    fn a_feature_constant_in_training_is_zero_wherever_it_is_seen() {
        let rows = [[0.1], [0.1], [0.1]];
        let scaling = Scaling::of(rows.iter().map(|row| &row[..]), 1);
        assert_eq!(scaling.deviations, [0.0]);
        assert!(scaling.scale(&[9.0]).eq([0.0]));
    }

    proptest! {
        #[test]
        fn any_finite_numbers_stay_finite(
            values in prop::collection::vec(any::<f64>().prop_filter("finite", |x| x.is_finite()), 1..9),
        ) {
            let scaling = Scaling::of(values.chunks(1), 1);
            prop_assert!(scaling.means[0].is_finite() && scaling.deviations[0].is_finite());
            prop_assert!(standardised(&values).iter().all(|value| value.is_finite()));
        }

        #[test]
        fn the_unit_changes_no_bit_of_usual_numbers(
            values in prop::collection::vec(-1e6f64..1e6, 2..20),
        ) {
            let count = values.len() as f64;
            let mean = values.iter().sum::<f64>() / count;
            let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
            let scaling = Scaling::of(values.chunks(1), 1);
            prop_assert_eq!(scaling.means[0].to_bits(), mean.to_bits());
            prop_assert_eq!(scaling.deviations[0].to_bits(), (square / count).sqrt().to_bits());
        }
    }
}
