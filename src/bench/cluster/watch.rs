//! The records of a study as they come, with the eyes of one node.

use crate::cluster::{Client, ClusterError};
use crate::error::Error;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use wallaby_core::journal::Entry;

use super::local::Local;
use super::{DEADLINE, EVERY};

/// A place in the records of a study.
pub(super) struct Tail {
    client: Client,
    study: String,
    next: u64,
}

impl Tail {
    /// From now on, as the node at `address` tells it.
    ///
    /// # Errors
    /// No answer within a minute.
    pub(super) async fn from_now(local: &Local, address: &str, study: &str) -> Result<Self, Error> {
        let client = local.client_of(address)?;
        let began = Instant::now();
        loop {
            match client.study(study).await {
                Ok(info) => {
                    return Ok(Self { client, study: study.to_owned(), next: info.records });
                }
                Err(error) if began.elapsed() > DEADLINE => return Err(error.into()),
                Err(_) => sleep(EVERY).await,
            }
        }
    }

    /// The next ones, if any have come.
    ///
    /// # Errors
    /// No answer at this moment.
    pub(super) async fn more(&mut self) -> Result<Vec<Entry>, ClusterError> {
        let entries = self.client.records(&self.study, self.next, Duration::ZERO).await?;
        self.next += entries.len() as u64;
        Ok(entries)
    }
}

/// Milliseconds since then.
pub(super) fn millis_since(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1000.0
}
