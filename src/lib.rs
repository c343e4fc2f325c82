//! Wallaby: fault-tolerant hyper-parameter optimisation by model hopper parallelism.
//!
//! The library behind the `wallaby` command. It joins the crates that decide, act, train and
//! read; it does none of that itself.
//!
//! # Bring your own model
//! Implement [`wallaby_train::Architecture`] for a burn module (or [`wallaby_train::Family`] for
//! anything else that learns), register it, and hand the registry to the command line:
//! ```no_run
//! use std::{process::ExitCode, sync::Arc};
//!
//! fn command_line_with(family: Arc<dyn wallaby::Family>) -> ExitCode {
//!     let mut registry = wallaby::Registry::built_in();
//!     registry.register(family).expect("the name is new");
//!     wallaby::cli::main(registry)
//! }
//! ```
//! The binary understands every command of `wallaby`, and `[model] family = "…"` finds yours.
//! `examples/own_model.rs` is a whole one.

mod advice;
mod bench;
mod best_state;
mod clean;
pub mod cli;
pub mod cluster;
pub mod error;
mod filter;
#[doc(hidden)]
pub mod fuzzing;
mod json;
mod launch;
mod moment;
mod observer;
mod overview;
mod portrait;
mod predict;
mod progress;
mod ranking;
mod recorded;
mod refusal;
mod report;
mod results;
pub mod run_folder;
mod scratch;
mod sheet;
mod signals;
pub mod study_file;
mod table;
mod verify;
mod whole_file;

pub use error::Error;
pub use wallaby_train::{Family, Registry};
pub use {wallaby_core, wallaby_data, wallaby_train};
