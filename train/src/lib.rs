//! Trains: model families, the training and validation of units, checkpoints. The only crate
//! that knows burn.
//!
//! A [`Family`] turns a unit (a trial's state and one partition) into the next state. Most
//! families are neural networks: implement [`Architecture`] for a burn module and wrap it in
//! [`Neural`]. Weights, shuffles and dropout are drawn from the seeds of the unit, never from a
//! global generator, so equal units give equal bytes.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod activation;
mod batch;
pub mod canary;
pub mod checkpoint;
pub mod conformance;
pub mod device;
pub mod family;
mod inference;
pub mod initial;
mod loss;
mod metrics;
pub mod mlp;
pub mod mode;
pub mod network;
pub mod neural;
mod optimizer;
mod recipe;
pub mod registry;
mod restore;
mod rule;
mod session;
pub mod settings;
pub mod synthetic;
pub mod unit_error;
mod weights;

pub use activation::Activation;
pub use canary::canary;
pub use checkpoint::{CheckpointError, weights_only};
pub use device::{Device, DeviceError, DeviceKind};
pub use family::{Family, Metrics, Trained, Unit};
pub use initial::Initial;
pub use mlp::Mlp;
pub use mode::Mode;
pub use network::{Architecture, Network};
pub use neural::Neural;
pub use registry::{Registry, RegistryError};
pub use settings::Settings;
pub use unit_error::UnitError;

/// The deep-learning framework, for those who bring their own network.
pub use burn;
