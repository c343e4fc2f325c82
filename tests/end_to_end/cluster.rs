//! Clusters of real processes that are killed, frozen, wiped, filled up and drained. After each
//! the checker says from the journals, the blobs and an undisturbed run of one process whether
//! anything was lost or done twice.
//!
//! What takes longer than a few seconds is ignored unless it is asked for:
//! `cargo test --release --test end_to_end cluster:: -- --ignored --nocapture`

mod api;
mod checker;
mod clocks;
mod comings;
#[cfg(target_os = "linux")]
mod cuts;
mod data;
mod disks;
mod evidence;
mod freezes;
mod harness;
mod hostile;
mod kills;
mod launch;
mod measure;
#[cfg(target_os = "linux")]
mod minorities;
#[cfg(target_os = "linux")]
mod network;
mod node;
mod permit;
mod poison;
mod reference;
mod secrets;
mod shares;
mod slowness;
mod undisturbed;
pub(crate) mod waiting;
