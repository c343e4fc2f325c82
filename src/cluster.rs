//! The user's side of a cluster: its configuration, and a client that speaks to its nodes.
//! What nodes do is `wallaby_actors::cluster`'s affair.

mod choice;
pub(crate) mod client;
pub(crate) mod config;
pub(crate) mod create;
#[cfg(unix)]
pub(crate) mod dev;
mod distant;
mod error;
mod fetch;
mod records;
pub(crate) mod serve;
mod submission;
mod surroundings;
mod watching;

pub(crate) use choice::ClusterArgs;
pub(crate) use client::Client;
pub(crate) use client::studies::Steer;
pub(crate) use distant::Distant;
pub use error::ClusterError;
pub(crate) use fetch::fetch;
pub(crate) use records::RemoteStudy;
pub(crate) use submission::{Blob, Submission, Upload};
pub(crate) use watching::Watching;

use crate::error::Error;

/// Runs on a runtime of its own, for commands that only speak to a cluster.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Unexpected(error.to_string()))?;
    let outcome = runtime.block_on(work);
    // Nobody waits for connections that are kept open.
    runtime.shutdown_background();
    outcome
}
