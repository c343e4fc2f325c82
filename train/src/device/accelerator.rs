//! Finds an accelerator and proves that it works before a trial depends on it.
//! Trusts no driver: what they answer is checked, where they panic it is caught.

use super::{Device, DeviceError, DeviceKind};
use burn::tensor::{DeviceType, Tensor};
use std::panic::catch_unwind;

/// Parts of the names under which software rasterizers present themselves as cards.
const SOFTWARE_NAMES: [&str; 5] =
    ["llvmpipe", "lavapipe", "softpipe", "swiftshader", "basic render"];

/// Opens card number `index` of those that `device_type` lists.
pub(super) fn open(
    kind: DeviceKind,
    device_type: DeviceType,
    index: usize,
) -> Result<Device, DeviceError> {
    let unusable = |_| DeviceError::Unusable { kind };
    let list = || burn::tensor::Device::enumerate(device_type).into_vec();
    let mut found = catch_unwind(list).map_err(unusable)?;
    if index >= found.len() {
        return Err(DeviceError::Absent { kind, found: found.len() });
    }
    let inner = found.swap_remove(index);
    let name = catch_unwind(|| adapter_name(&inner)).map_err(unusable)?;
    if is_software(&name) {
        return Err(DeviceError::Software { kind, name });
    }
    match catch_unwind(|| computes(&inner)) {
        Ok(true) => Ok(Device { kind, inner }),
        Ok(false) | Err(_) => Err(DeviceError::Unusable { kind }),
    }
}

fn adapter_name(device: &burn::tensor::Device) -> String {
    device.identity().map(|identity| identity.name).unwrap_or_default()
}

fn is_software(name: &str) -> bool {
    let name = name.to_lowercase();
    SOFTWARE_NAMES.iter().any(|part| name.contains(part))
}

/// The service thread of a card without a driver dies at its first tensor, not before.
fn computes(device: &burn::tensor::Device) -> bool {
    let sum = Tensor::<1>::ones([4], device).sum().try_into_data();
    sum.is_ok_and(|data| data.as_slice::<f32>().is_ok_and(|values| values == [4.0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_rasterizers_are_known_by_name() {
        assert!(is_software("llvmpipe (LLVM 15.0.6, 256 bits)"));
        assert!(!is_software("NVIDIA H200"));
    }
}
