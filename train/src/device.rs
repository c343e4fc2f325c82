//! The devices that a slot may compute on, chosen by name when the program runs.
//! A device that is not built in, not there, or only pretended by software is an error here and
//! never a panic later.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Which device: `cpu`, `wgpu`, `wgpu:1`, `cuda`, `cuda:1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum DeviceKind {
    /// The processor, one thread for each slot.
    #[default]
    Cpu,
    /// A graphics card through wgpu.
    Wgpu {
        /// Which of the cards, from 0.
        index: usize,
    },
    /// An NVIDIA card through CUDA.
    Cuda {
        /// Which of the cards, from 0.
        index: usize,
    },
}

/// Why there is no such device.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DeviceError {
    /// The name means nothing.
    #[error("device is {0:?}, expected cpu, wgpu, cuda, wgpu:N or cuda:N")]
    Unknown(String),
    /// The program was built without it.
    #[error("this build has no {0}: build with --features {0}")]
    NotBuilt(&'static str),
    /// The machine has no such card, or its driver is missing.
    #[error("device {kind} is not there: this machine has {found} such devices")]
    Absent {
        /// What was asked for.
        kind: DeviceKind,
        /// How many there are.
        found: usize,
    },
    /// The card is a program that runs on the processor, slower than `cpu`.
    #[error("device {kind} is {name}, which runs on the processor: use cpu")]
    Software {
        /// What was asked for.
        kind: DeviceKind,
        /// The adapter's name.
        name: String,
    },
    /// The card is there and its first use failed.
    #[error("device {kind} failed at its first use, expected a working driver")]
    Unusable {
        /// What was asked for.
        kind: DeviceKind,
    },
}

impl FromStr for DeviceKind {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let unknown = || DeviceError::Unknown(text.to_owned());
        let (name, index) = match text.split_once(':') {
            Some((name, index)) => (name, Some(index.parse().map_err(|_| unknown())?)),
            None => (text, None),
        };
        match (name, index) {
            ("cpu", None) => Ok(Self::Cpu),
            ("wgpu", index) => Ok(Self::Wgpu { index: index.unwrap_or(0) }),
            ("cuda", index) => Ok(Self::Cuda { index: index.unwrap_or(0) }),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Wgpu { index } => write!(f, "wgpu:{index}"),
            Self::Cuda { index } => write!(f, "cuda:{index}"),
        }
    }
}

/// An open device. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Device {
    kind: DeviceKind,
    inner: burn::tensor::Device,
}

impl Device {
    /// Opens the device and computes a first number on it.
    ///
    /// # Errors
    /// The device is not built in, absent, made of software, or does not work.
    pub fn open(kind: DeviceKind) -> Result<Self, DeviceError> {
        match kind {
            DeviceKind::Cpu => Ok(Self::cpu()),
            DeviceKind::Wgpu { index } => wgpu(kind, index),
            DeviceKind::Cuda { index } => cuda(kind, index),
        }
    }

    /// The processor, which is always there.
    pub fn cpu() -> Self {
        Self { kind: DeviceKind::Cpu, inner: burn::tensor::Device::flex() }
    }

    /// What was opened.
    pub fn kind(&self) -> DeviceKind {
        self.kind
    }

    /// The device for passes without gradients.
    pub(crate) fn inference(&self) -> burn::tensor::Device {
        self.inner.clone()
    }

    /// The device for passes that are differentiated.
    pub(crate) fn training(&self) -> burn::tensor::Device {
        self.inner.clone().autodiff()
    }
}

#[cfg(feature = "wgpu")]
fn wgpu(kind: DeviceKind, index: usize) -> Result<Device, DeviceError> {
    accelerator::open(kind, burn::tensor::DeviceType::Wgpu, index)
}

#[cfg(not(feature = "wgpu"))]
fn wgpu(_: DeviceKind, _: usize) -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt("wgpu"))
}

#[cfg(feature = "cuda")]
fn cuda(kind: DeviceKind, index: usize) -> Result<Device, DeviceError> {
    accelerator::open(kind, burn::tensor::DeviceType::Cuda, index)
}

#[cfg(not(feature = "cuda"))]
fn cuda(_: DeviceKind, _: usize) -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt("cuda"))
}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
mod accelerator;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_a_round_trip() {
        for (text, kind) in [
            ("cpu", DeviceKind::Cpu),
            ("wgpu", DeviceKind::Wgpu { index: 0 }),
            ("cuda:3", DeviceKind::Cuda { index: 3 }),
        ] {
            assert_eq!(text.parse(), Ok(kind));
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
    }

    #[test]
    fn a_name_that_means_nothing_is_refused() {
        for text in ["", "gpu", "cpu:1", "cuda:", "cuda:-1", "cuda:1:2"] {
            assert_eq!(text.parse::<DeviceKind>(), Err(DeviceError::Unknown(text.to_owned())));
        }
    }

    #[test]
    fn the_processor_opens() {
        assert_eq!(Device::open(DeviceKind::Cpu).unwrap().kind(), DeviceKind::Cpu);
    }

    #[cfg(not(feature = "wgpu"))]
    #[test]
    fn a_device_that_is_not_built_in_says_how_to_build_it() {
        let error = Device::open(DeviceKind::Wgpu { index: 0 }).unwrap_err();
        assert_eq!(error.to_string(), "this build has no wgpu: build with --features wgpu");
    }
}
