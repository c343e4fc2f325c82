//! Training losses on host memory, with their slopes: what a network should have answered.
//! In double precision where it sums, and with mathematics that is the same on every machine.

use wallaby_data::Target;

/// The loss of a mini-batch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Loss {
    /// Sum over the rows.
    pub(crate) total: f64,
    /// The derivative of the *mean* loss by each output, rows × width.
    pub(crate) slope: Vec<f32>,
}

/// The loss of `outputs` (rows × `width`) against the targets of these rows: cross-entropy of the
/// softmax for classes, squared error for values.
pub(crate) fn of_batch(outputs: &[f32], width: usize, target: &Target, rows: &[usize]) -> Loss {
    match target {
        Target::Classes(all) => {
            cross_entropy(outputs, width, rows.iter().map(|row| all[*row] as usize))
        }
        Target::Values(all) => squared_error(outputs, rows.iter().map(|row| all[*row])),
    }
}

fn cross_entropy(outputs: &[f32], width: usize, classes: impl Iterator<Item = usize>) -> Loss {
    let mut slope = outputs.to_vec();
    let share = width as f32 / outputs.len() as f32;
    let mut total = 0.0;
    for (row, class) in slope.chunks_exact_mut(width).zip(classes) {
        let score = row[class];
        total += softmax(row) - f64::from(score);
        row[class] -= 1.0;
        row.iter_mut().for_each(|value| *value *= share);
    }
    Loss { total, slope }
}

fn squared_error(outputs: &[f32], values: impl Iterator<Item = f32>) -> Loss {
    let mut total = 0.0;
    let share = 2.0 / outputs.len() as f64;
    let mut slope = |(output, value): (&f32, f32)| {
        let error = f64::from(*output) - f64::from(value);
        total += error * error;
        (share * error) as f32
    };
    let slope = outputs.iter().zip(values).map(&mut slope).collect();
    Loss { total, slope }
}

/// Turns scores into probabilities in place; gives the logarithm of the sum of their exponentials.
pub(crate) fn softmax(scores: &mut [f32]) -> f64 {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = libm::expf(*score - largest);
        sum += f64::from(*score);
    }
    let scale = (1.0 / sum) as f32;
    scores.iter_mut().for_each(|score| *score *= scale);
    f64::from(largest) + libm::log(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Compares the slope with a difference quotient of the mean loss.
    fn slope_error(outputs: &[f32], width: usize, target: &Target) -> f64 {
        let rows: Vec<usize> = (0..target.len()).collect();
        let mean =
            |outputs: &[f32]| of_batch(outputs, width, target, &rows).total / rows.len() as f64;
        let slope = of_batch(outputs, width, target, &rows).slope;
        let step = 1e-2f32;
        let error = |at: usize| {
            let (mut up, mut down) = (outputs.to_vec(), outputs.to_vec());
            up[at] += step;
            down[at] -= step;
            let quotient = (mean(&up) - mean(&down)) / f64::from(2.0 * step);
            (quotient - f64::from(slope[at])).abs()
        };
        (0..outputs.len()).map(error).fold(0.0, f64::max)
    }

    proptest! {
        #[test]
        fn the_slope_of_the_cross_entropy_is_its_derivative(
            outputs in prop::collection::vec(-4.0f32..4.0, 12),
            classes in prop::collection::vec(0u32..3, 4),
        ) {
            prop_assert!(slope_error(&outputs, 3, &Target::Classes(classes)) < 1e-4);
        }

        #[test]
        fn the_slope_of_the_squared_error_is_its_derivative(
            outputs in prop::collection::vec(-4.0f32..4.0, 4),
            values in prop::collection::vec(-4.0f32..4.0, 4),
        ) {
            prop_assert!(slope_error(&outputs, 1, &Target::Values(values)) < 1e-3);
        }
    }

    #[test]
    fn equal_scores_cost_the_logarithm_of_the_number_of_classes() {
        let loss = of_batch(&[7.0; 8], 4, &Target::Classes(vec![0, 3]), &[0, 1]);
        assert!((loss.total - 2.0 * 4f64.ln()).abs() < 1e-6, "{}", loss.total);
    }

    #[test]
    fn large_scores_do_not_overflow() {
        let loss = of_batch(&[1e30, -1e30], 2, &Target::Classes(vec![0]), &[0]);
        assert_eq!(loss.total, 0.0);
        assert_eq!(loss.slope, [0.0, 0.0]);
    }

    #[test]
    fn a_score_that_is_no_number_makes_the_loss_no_number() {
        let loss = of_batch(&[f32::NAN, 0.0], 2, &Target::Classes(vec![1]), &[0]);
        assert!(loss.total.is_nan());
    }
}
