//! Small learning problems made from a seed, for tests, measurements and the canary.
//! Not data to draw conclusions from.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use wallaby_core::seed::Seed;
use wallaby_data::{Partition, Problem, Target, Task};

/// A problem of `classes` clouds of points around random centres, all rows in one partition.
/// Neighbouring clouds overlap a little; classes come in turn.
pub fn classification(
    seed: u64,
    rows: usize,
    inputs: usize,
    classes: usize,
) -> (Problem, Partition) {
    let mut draw = Draw::new(seed, "classification");
    let centres = draw.many(classes * inputs);
    let mut features = Vec::with_capacity(rows * inputs);
    for row in 0..rows {
        let centre = &centres[row % classes * inputs..][..inputs];
        features.extend(centre.iter().map(|middle| 2.0 * middle + draw.one()));
    }
    let labels = (0..classes).map(|class| class.to_string()).collect();
    let target = Target::Classes((0..rows).map(|row| (row % classes) as u32).collect());
    (problem(inputs, Task::Classification { labels }), partition(inputs, features, target))
}

/// A problem of values that depend on the features by a bent plane and a little noise.
pub fn regression(seed: u64, rows: usize, inputs: usize) -> (Problem, Partition) {
    let mut draw = Draw::new(seed, "regression");
    let slopes = draw.many(inputs);
    let features = draw.many(rows * inputs);
    let values = features.chunks_exact(inputs).map(|row| {
        let plane: f32 = row.iter().zip(&slopes).map(|(feature, slope)| feature * slope).sum();
        plane.max(-0.5) + 0.1 * draw.one()
    });
    let target = Target::Values(values.collect());
    (problem(inputs, Task::Regression), partition(inputs, features, target))
}

/// The rows cut into `parts` partitions of nearly equal size, in order.
pub fn cut(whole: &Partition, parts: usize) -> Vec<Partition> {
    let rows_each = whole.rows().div_ceil(parts.max(1)).max(1);
    let width = whole.width as usize;
    let features = whole.features.chunks(rows_each * width);
    let part = |(features, target): (&[f32], Target)| partition(width, features.to_vec(), target);
    match &whole.target {
        Target::Classes(classes) => {
            let targets = classes.chunks(rows_each).map(|part| Target::Classes(part.to_vec()));
            features.zip(targets).map(part).collect()
        }
        Target::Values(values) => {
            let targets = values.chunks(rows_each).map(|part| Target::Values(part.to_vec()));
            features.zip(targets).map(part).collect()
        }
    }
}

fn problem(inputs: usize, task: Task) -> Problem {
    Problem::new((0..inputs).map(|at| format!("x{at}")).collect(), task)
}

fn partition(inputs: usize, features: Vec<f32>, target: Target) -> Partition {
    Partition { width: inputs as u32, features, target }
}

/// Deviates of mean zero and variance one: the sum of three uniform numbers, near enough to a
/// normal deviate.
struct Draw(ChaCha8Rng);

impl Draw {
    fn new(seed: u64, label: &str) -> Self {
        Self(ChaCha8Rng::from_seed(Seed::of_study(seed).child(label).0))
    }

    fn one(&mut self) -> f32 {
        let mut uniform = || (self.0.next_u32() >> 8) as f32 / (1u32 << 23) as f32 - 1.0;
        uniform() + uniform() + uniform()
    }

    fn many(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.one()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_a_function_of_its_seed() {
        assert_eq!(classification(1, 30, 4, 3), classification(1, 30, 4, 3));
        assert_ne!(classification(1, 30, 4, 3).1, classification(2, 30, 4, 3).1);
        assert_ne!(regression(1, 30, 4).1, regression(2, 30, 4).1);
    }

    #[test]
    fn parts_hold_all_rows_in_order() {
        let whole = regression(1, 10, 3).1;
        let parts = cut(&whole, 4);
        assert_eq!(parts.iter().map(Partition::rows).collect::<Vec<_>>(), [3, 3, 3, 1]);
        let features: Vec<f32> = parts.into_iter().flat_map(|part| part.features).collect();
        assert_eq!(features, whole.features);
    }
}
