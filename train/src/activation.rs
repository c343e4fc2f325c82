//! The activation functions that a study may name.

use burn::tensor::{Tensor, activation};
use std::str::FromStr;

/// An element-wise non-linearity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// x, or 0.01 x below zero.
    LeakyRelu,
    /// x, or eˣ − 1 below zero. Clevert et al., Exponential Linear Units (ICLR 2016), section 3.
    Elu,
    /// x Φ(x), exact. Hendrycks and Gimpel, Gaussian Error Linear Units (2016), section 2.
    Gelu,
    /// x σ(x), also called swish.
    Silu,
    /// The hyperbolic tangent.
    Tanh,
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
}

/// Slope of [`Activation::LeakyRelu`] below zero.
const LEAK: f64 = 0.01;

impl Activation {
    /// The names, as [`Activation::from_str`] takes them.
    pub const NAMES: &'static [&'static str] =
        &["relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid"];

    /// Applies it to every element.
    pub fn forward<const D: usize>(self, tensor: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Relu => activation::relu(tensor),
            Self::LeakyRelu => activation::leaky_relu(tensor, LEAK),
            Self::Elu => activation::elu(tensor, 1.0),
            Self::Gelu => activation::gelu(tensor),
            Self::Silu => activation::silu(tensor),
            Self::Tanh => activation::tanh(tensor),
            Self::Sigmoid => activation::sigmoid(tensor),
        }
    }

    /// Whether it flattens out on both sides, which asks for other initial weights.
    pub fn saturates(self) -> bool {
        matches!(self, Self::Tanh | Self::Sigmoid)
    }
}

impl FromStr for Activation {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "relu" => Ok(Self::Relu),
            "leaky_relu" => Ok(Self::LeakyRelu),
            "elu" => Ok(Self::Elu),
            "gelu" => Ok(Self::Gelu),
            "silu" => Ok(Self::Silu),
            "tanh" => Ok(Self::Tanh),
            "sigmoid" => Ok(Self::Sigmoid),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn at(activation: Activation, x: f32) -> f32 {
        let tensor = Tensor::<1>::from_data([x], &Device::flex());
        activation.forward(tensor).into_data().as_slice::<f32>().unwrap()[0]
    }

    #[test]
    fn every_name_is_a_function_with_known_values() {
        let expected = [
            (-0.0, 1.0),
            (-0.01, 1.0),
            (-0.632_120_6, 1.0),
            (-0.158_655_3, 0.841_344_7),
            (-0.268_941_4, 0.731_058_6),
            (-0.761_594_2, 0.761_594_2),
            (0.268_941_4, 0.731_058_6),
        ];
        for (name, (below, above)) in Activation::NAMES.iter().zip(expected) {
            let activation: Activation = name.parse().unwrap();
            assert!((at(activation, -1.0) - below).abs() < 1e-5, "{name}");
            assert!((at(activation, 1.0) - above).abs() < 1e-5, "{name}");
        }
        assert!("softmax".parse::<Activation>().is_err());
    }
}
