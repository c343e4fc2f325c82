//! Whether a forward pass trains, and the randomness it may use then.
//! Nothing else in a forward pass is random.

use burn::tensor::{Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use wallaby_core::seed::Seed;

/// Training, with a generator of its own, or evaluation, which draws nothing.
#[derive(Debug, Clone)]
pub struct Mode(Option<ChaCha8Rng>);

impl Mode {
    /// A training pass whose noise comes from `seed`.
    pub fn training(seed: Seed) -> Self {
        Self(Some(ChaCha8Rng::from_seed(seed.0)))
    }

    /// A pass without noise.
    pub fn evaluation() -> Self {
        Self(None)
    }

    /// Whether this is a training pass.
    pub fn is_training(&self) -> bool {
        self.0.is_some()
    }

    /// While training, sets each element to zero with `probability` in [0, 1) and scales the
    /// others by 1 / (1 − probability); otherwise the identity.
    ///
    /// Source: Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from
    /// Overfitting (JMLR 2014), section 4, in the inverted form of section 10.
    pub fn dropout<const D: usize>(&mut self, tensor: Tensor<D>, probability: f64) -> Tensor<D> {
        let Some(generator) = self.0.as_mut().filter(|_| probability > 0.0) else {
            return tensor;
        };
        let shape = tensor.shape();
        let threshold = (probability * 2f64.powi(32)) as u32;
        let kept = (1.0 / (1.0 - probability)) as f32;
        let mut draw = || if generator.next_u32() < threshold { 0.0 } else { kept };
        let mask: Vec<f32> = (0..shape.num_elements()).map(|_| draw()).collect();
        let mask = Tensor::from_data(TensorData::new(mask, shape), &tensor.device());
        tensor * mask
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn dropped(mode: &mut Mode) -> Vec<f32> {
        let ones = Tensor::<2>::ones([100, 100], &Device::flex());
        mode.dropout(ones, 0.25).into_data().try_into_vec().unwrap()
    }

    #[test]
    fn dropout_keeps_the_mean_and_drops_the_asked_share() {
        let values = dropped(&mut Mode::training(Seed::of_study(1)));
        let zeros = values.iter().filter(|value| **value == 0.0).count();
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        assert!((2300..2700).contains(&zeros), "{zeros} of 10000");
        assert!((mean - 1.0).abs() < 0.04, "{mean}");
    }

    #[test]
    fn dropout_depends_on_the_seed_alone() {
        let draw = |seed| dropped(&mut Mode::training(Seed::of_study(seed)));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn evaluation_drops_nothing() {
        assert!(dropped(&mut Mode::evaluation()).iter().all(|value| *value == 1.0));
    }
}
