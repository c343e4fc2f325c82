//! First values of parameters, drawn from the trial's seed and the parameter's path.
//! Replaces burn's initializers, which share one generator between all trainers of a process.

use burn::tensor::TensorData;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use wallaby_core::seed::Seed;

/// How a parameter starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Initial {
    /// With the value that the module was built with.
    Keep,
    /// With this number everywhere.
    Constant(f32),
    /// With uniform draws from −bound to bound.
    Uniform {
        /// The largest magnitude.
        bound: f32,
    },
}

/// Names of parameters that burn's layers initialize to a constant.
const CONSTANT_NAMES: [&str; 4] = ["gamma", "beta", "running_mean", "running_var"];

impl Initial {
    /// Uniform with variance 2 / inputs, for layers followed by a rectifier.
    ///
    /// Source: He et al., Delving Deep into Rectifiers (ICCV 2015), section 2.2, equation 10.
    pub fn he(inputs: usize) -> Self {
        Self::Uniform { bound: (6.0 / inputs.max(1) as f64).sqrt() as f32 }
    }

    /// Uniform with variance 2 / (inputs + outputs), for layers followed by a saturating
    /// activation or by none.
    ///
    /// Source: Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward
    /// Neural Networks (AISTATS 2010), section 4.2.1, equation 16.
    pub fn glorot(inputs: usize, outputs: usize) -> Self {
        Self::Uniform { bound: (6.0 / (inputs + outputs).max(1) as f64).sqrt() as f32 }
    }

    /// The rule for networks that state none: parameters that the module was `built` with and
    /// the constants of normalisation layers stay; vectors start at zero; a matrix
    /// `[inputs, outputs]` and a convolution kernel `[outputs, inputs, …]` start by
    /// [`Initial::he`].
    pub fn usual(path: &str, shape: &[usize], built: bool) -> Self {
        let name = path.rsplit('.').next().unwrap_or(path);
        if built || CONSTANT_NAMES.contains(&name) {
            return Self::Keep;
        }
        match shape {
            [] | [_] => Self::Constant(0.0),
            [inputs, _] => Self::he(*inputs),
            [_, receptive @ ..] => Self::he(receptive.iter().product()),
        }
    }

    /// The values, or `None` to keep what is there.
    pub(crate) fn draw(self, trial_seed: Seed, path: &str, shape: &[usize]) -> Option<TensorData> {
        let values: Vec<f32> = match self {
            Self::Keep => return None,
            Self::Constant(value) => vec![value; shape.iter().product()],
            Self::Uniform { bound } => {
                let seed = trial_seed.child("weights").child(path);
                let mut generator = ChaCha8Rng::from_seed(seed.0);
                let draw = |_| bound * symmetric_unit(generator.next_u32());
                (0..shape.iter().product()).map(draw).collect()
            }
        };
        Some(TensorData::new(values, shape.to_vec()))
    }
}

/// A number in [−1, 1) from the upper 24 bits, which an `f32` holds exactly.
fn symmetric_unit(bits: u32) -> f32 {
    (bits >> 8) as f32 / (1u32 << 23) as f32 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(seed: u64, path: &str) -> Vec<f32> {
        let data = Initial::he(24).draw(Seed::of_study(seed), path, &[24, 500]).unwrap();
        data.try_into_vec().unwrap()
    }

    #[test]
    fn he_draws_have_the_variance_of_the_paper() {
        let values = values(1, "weight");
        let count = values.len() as f32;
        let mean = values.iter().sum::<f32>() / count;
        let variance = values.iter().map(|value| value * value).sum::<f32>() / count;
        assert!(mean.abs() < 0.01, "{mean}");
        assert!((variance - 2.0 / 24.0).abs() < 0.003, "{variance}");
    }

    #[test]
    fn draws_depend_on_seed_and_path() {
        assert_eq!(values(1, "a"), values(1, "a"));
        assert_ne!(values(1, "a"), values(1, "b"));
        assert_ne!(values(1, "a"), values(2, "a"));
    }

    #[test]
    fn the_usual_rule_knows_layers_by_shape_and_name() {
        assert_eq!(Initial::usual("norm.gamma", &[8], false), Initial::Keep);
        assert_eq!(Initial::usual("scale", &[8], true), Initial::Keep);
        assert_eq!(Initial::usual("linear.bias", &[8], false), Initial::Constant(0.0));
        assert_eq!(Initial::usual("linear.weight", &[6, 8], false), Initial::he(6));
        assert_eq!(Initial::usual("conv.weight", &[8, 2, 3, 3], false), Initial::he(18));
    }
}
