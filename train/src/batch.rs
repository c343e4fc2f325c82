//! Rows on their way from a partition to a network: whether they fit, in which order they come,
//! and mini-batches as tensors. Never touches their values.

use crate::UnitError;
use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use wallaby_core::seed::Seed;
use wallaby_data::{Partition, Problem, Target, Task};

/// Checks that `partition` is one of `problem`, with at least one row.
pub(crate) fn check(problem: &Problem, partition: &Partition) -> Result<(), UnitError> {
    let bad = |reason: String| Err(UnitError::BadPartition { reason });
    let (rows, inputs) = (partition.rows(), problem.inputs());
    if rows == 0 || inputs == 0 {
        return bad(format!(
            "has {rows} rows and {inputs} features, expected at least one of each"
        ));
    }
    if partition.width as usize != inputs {
        return bad(format!("has {} features a row, expected {inputs}", partition.width));
    }
    if partition.features.len() != rows * inputs {
        let found = partition.features.len();
        return bad(format!("has {found} numbers, expected {rows} rows of {inputs}"));
    }
    match (&problem.task, &partition.target) {
        (Task::Regression, Target::Values(_)) => Ok(()),
        (Task::Classification { labels }, Target::Classes(classes)) => {
            match classes.iter().find(|class| **class as usize >= labels.len()) {
                Some(class) => bad(format!("has class {class}, expected below {}", labels.len())),
                None => Ok(()),
            }
        }
        (Task::Regression, Target::Classes(_)) => bad("has classes, expected values".to_owned()),
        (_, Target::Values(_)) => bad("has values, expected classes".to_owned()),
    }
}

/// The numbers 0 to `rows` in a random order.
///
/// Source: Fisher and Yates's shuffle in place, Knuth, The Art of Computer Programming, volume 2,
/// section 3.4.2, algorithm P.
pub(crate) fn shuffled(rows: usize, seed: Seed) -> Vec<usize> {
    let mut generator = ChaCha8Rng::from_seed(seed.0);
    let mut order: Vec<usize> = (0..rows).collect();
    for last in (1..rows).rev() {
        // The upper half of a 128-bit product is uniform below `last + 1` up to 2⁻⁶⁴ · rows.
        let below = (u128::from(generator.next_u64()) * (last as u128 + 1)) >> 64;
        order.swap(last, below as usize);
    }
    order
}

/// The features of these rows, `[rows, width]`.
pub(crate) fn gather(partition: &Partition, rows: &[usize], device: &Device) -> Tensor<2> {
    let width = partition.width as usize;
    let mut features = Vec::with_capacity(rows.len() * width);
    for row in rows {
        features.extend_from_slice(&partition.features[row * width..][..width]);
    }
    tensor(features, width, device)
}

/// Consecutive rows as `[rows, width]`.
pub(crate) fn tensor(features: Vec<f32>, width: usize, device: &Device) -> Tensor<2> {
    let rows = features.len() / width;
    Tensor::from_data(TensorData::new(features, [rows, width]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn problem() -> Problem {
        let labels = vec!["no".to_owned(), "yes".to_owned()];
        Problem::new(vec!["a".to_owned()], Task::Classification { labels })
    }

    fn partition(width: u32, features: usize, target: Target) -> Partition {
        Partition { width, features: vec![0.0; features], target }
    }

    proptest! {
        #[test]
        fn a_shuffle_visits_every_row_once(rows in 0usize..500, seed in any::<u64>()) {
            let mut order = shuffled(rows, Seed::of_study(seed));
            order.sort_unstable();
            prop_assert_eq!(order, (0..rows).collect::<Vec<_>>());
        }
    }

    #[test]
    fn all_orders_of_three_rows_are_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for seed in 0..6000 {
            *counts.entry(shuffled(3, Seed::of_study(seed))).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|count| (880..1120).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_partition_of_another_problem_is_refused() {
        let classes = |class| Target::Classes(vec![class, 0]);
        assert_eq!(check(&problem(), &partition(1, 2, classes(1))), Ok(()));
        for wrong in [
            partition(2, 4, classes(1)),
            partition(1, 3, classes(1)),
            partition(1, 2, classes(2)),
            partition(1, 2, Target::Values(vec![0.0, 1.0])),
            partition(1, 0, Target::Classes(vec![])),
        ] {
            let error = check(&problem(), &wrong).unwrap_err();
            assert!(matches!(error, UnitError::BadPartition { .. }), "{error}");
        }
    }
}
