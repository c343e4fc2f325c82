//! Bring your own network: what a burn module must add to be trained by [`crate::Neural`].
//! Declares contracts only.

use crate::{Initial, Mode, UnitError};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use wallaby_core::parameter::Parameter;
use wallaby_core::value::Config;
use wallaby_data::Problem;

/// A burn module from rows of features to rows of answers.
pub trait Network: Module {
    /// `rows` is `[batch, inputs]`; the answer is `[batch, outputs]`: one unnormalised score
    /// (logit) for each class, or one value. Randomness comes from `mode` alone.
    fn forward(&self, rows: Tensor<2>, mode: &mut Mode) -> Tensor<2>;

    /// The first value of the parameter at `path` (field names joined by dots) of shape `shape`.
    /// `built` tells whether the module was built with a value rather than a lazy initializer.
    ///
    /// burn's own initializers draw from a generator shared by the process; this is what replaces
    /// them. See [`Initial::usual`] for the default rule.
    fn initial(&self, path: &str, shape: &[usize], built: bool) -> Initial {
        Initial::usual(path, shape, built)
    }
}

/// A family of networks: how to build one from a configuration.
pub trait Architecture: Send + Sync {
    /// What it builds.
    type Network: Network;

    /// The name in `[model] family = "…"`.
    fn name(&self) -> &'static str;

    /// Its own parameters; [`crate::Neural`] adds those of training (optimizer, batch size …).
    fn parameters(&self) -> Vec<Parameter>;

    /// A network for this configuration and problem on that device. Values are accepted by
    /// [`Architecture::parameters`]; weights are overwritten afterwards.
    ///
    /// # Errors
    /// The combination of values makes no network.
    fn build(
        &self,
        config: &Config,
        problem: &Problem,
        device: &Device,
    ) -> Result<Self::Network, UnitError>;
}
