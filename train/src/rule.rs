//! The arithmetic of optimizers over plain numbers: one pass over a parameter, its gradient and
//! its moments. Knows no tensors and keeps no state.

/// An optimizer with its settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Rule {
    /// Gradient descent with momentum, as in Sutskever et al., On the Importance of
    /// Initialization and Momentum in Deep Learning (ICML 2013), section 2, with the learning
    /// rate outside the velocity.
    Sgd {
        /// Step size.
        learning_rate: f64,
        /// Coefficient of the L2 penalty.
        weight_decay: f64,
        /// Decay of the velocity.
        momentum: f64,
    },
    /// Kingma and Ba, Adam: A Method for Stochastic Optimization (ICLR 2015), algorithm 1. When
    /// `decoupled`, Loshchilov and Hutter, Decoupled Weight Decay Regularization (ICLR 2019),
    /// algorithm 2, with the decay multiplied by the learning rate.
    Adam {
        /// Step size.
        learning_rate: f64,
        /// Coefficient of the L2 penalty or of the decay.
        weight_decay: f64,
        /// Whether the decay bypasses the moments.
        decoupled: bool,
        /// Decay of the first moment.
        beta1: f64,
        /// Decay of the second moment.
        beta2: f64,
        /// Added to the denominator.
        epsilon: f64,
    },
}

/// A rule at one step, its constants folded into single precision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Step {
    /// See [`Rule::Sgd`].
    Sgd { rate: f32, penalty: f32, momentum: f32 },
    /// See [`Rule::Adam`].
    Adam {
        /// Learning rate over the correction of the first moment.
        rate: f32,
        /// L2 penalty; zero when decoupled.
        penalty: f32,
        /// What the decoupled decay leaves of a weight; one when not decoupled.
        kept: f32,
        beta1: f32,
        one_minus_beta1: f32,
        beta2: f32,
        one_minus_beta2: f32,
        /// One over the root of the correction of the second moment.
        second_scale: f32,
        epsilon: f32,
    },
}

impl Rule {
    /// The name in a configuration.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sgd { .. } => "sgd",
            Self::Adam { decoupled: false, .. } => "adam",
            Self::Adam { decoupled: true, .. } => "adamw",
        }
    }

    /// Whether it keeps a second moment beside the first.
    pub(crate) fn has_second_moment(&self) -> bool {
        matches!(self, Self::Adam { .. })
    }

    /// The rule at step number `number`, counted from 1.
    pub(crate) fn at(&self, number: u64) -> Step {
        match *self {
            Self::Sgd { learning_rate, weight_decay, momentum } => Step::Sgd {
                rate: learning_rate as f32,
                penalty: weight_decay as f32,
                momentum: momentum as f32,
            },
            Self::Adam { learning_rate, weight_decay, decoupled, beta1, beta2, epsilon } => {
                let (penalty, decay) =
                    if decoupled { (0.0, weight_decay) } else { (weight_decay, 0.0) };
                // `libm` rather than the system's mathematics: the same bits on every machine.
                let correction = |beta: f64| 1.0 - libm::pow(beta, number as f64);
                Step::Adam {
                    rate: (learning_rate / correction(beta1)) as f32,
                    penalty: penalty as f32,
                    kept: (1.0 - learning_rate * decay) as f32,
                    beta1: beta1 as f32,
                    one_minus_beta1: (1.0 - beta1) as f32,
                    beta2: beta2 as f32,
                    one_minus_beta2: (1.0 - beta2) as f32,
                    second_scale: (1.0 / correction(beta2).sqrt()) as f32,
                    epsilon: epsilon as f32,
                }
            }
        }
    }
}

impl Step {
    /// Updates `weights` and moments in place. All slices have one length, except that `second`
    /// is empty for a rule without a second moment.
    pub(crate) fn apply(
        self,
        weights: &mut [f32],
        gradients: &[f32],
        first: &mut [f32],
        second: &mut [f32],
    ) {
        debug_assert!(weights.len() == gradients.len() && weights.len() == first.len());
        debug_assert!(second.len() == weights.len() || matches!(self, Self::Sgd { .. }));
        match self {
            Self::Sgd { rate, penalty, momentum } => {
                for ((weight, gradient), velocity) in weights.iter_mut().zip(gradients).zip(first) {
                    *velocity = momentum * *velocity + (gradient + penalty * *weight);
                    *weight -= rate * *velocity;
                }
            }
            Self::Adam {
                rate,
                penalty,
                kept,
                beta1,
                one_minus_beta1,
                beta2,
                one_minus_beta2,
                second_scale,
                epsilon,
            } => {
                let moments = first.iter_mut().zip(second);
                for ((weight, gradient), (first, second)) in
                    weights.iter_mut().zip(gradients).zip(moments)
                {
                    let gradient = gradient + penalty * *weight;
                    *first = beta1 * *first + one_minus_beta1 * gradient;
                    *second = beta2 * *second + one_minus_beta2 * gradient * gradient;
                    let denominator = second.sqrt() * second_scale + epsilon;
                    *weight = kept * *weight - rate * *first / denominator;
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
