//! `[run]`: how this machine computes the study. Only `order` has a say in the result.

use super::field::Words;
use super::node::Table;
use super::report::Report;
use super::section::Section;
use wallaby_core::spec::Order;

const SLOTS_MAX: u32 = 1024;

/// The words for devices.
pub(crate) const DEVICES: &Words<Device> =
    &[("cpu", Device::Cpu), ("wgpu", Device::Wgpu), ("cuda", Device::Cuda)];

/// The words for visit orders.
pub(super) const ORDERS: &Words<Order> = &[("rotation", Order::Rotation), ("free", Order::Free)];

/// What computes units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    Cpu,
    /// A graphics processor, through WebGPU.
    Wgpu,
    /// A graphics processor, through CUDA.
    Cuda,
}

/// How a study is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunSection {
    /// Units that run at once; `None` for the number of cores.
    pub slots: Option<u32>,
    /// What computes them.
    pub device: Device,
    /// In which order a trial meets the partitions.
    pub order: Order,
}

pub(super) fn check(root: &Table, report: &mut Report) -> RunSection {
    let section = Section::of(root, "run", report);
    section.refuse_unknown(report);
    let slots = section.get("slots");
    let device = section.get("device");
    let order = section.get("order");
    RunSection {
        slots: slots.and_then(|field| field.whole(1..=SLOTS_MAX, report)),
        device: device.and_then(|field| field.word(DEVICES, report)).unwrap_or(Device::Cpu),
        order: order.and_then(|field| field.word(ORDERS, report)).unwrap_or(Order::Rotation),
    }
}
