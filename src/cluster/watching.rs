//! Watches a study of a cluster from anywhere: its records over HTTP, folded and shown as those
//! of a run are.

use super::{Client, ClusterError, RemoteStudy, surroundings};
use crate::error::Error;
use crate::progress::{Progress, Surroundings};
use std::sync::Arc;
use std::time::Duration;
use wallaby_core::study::{Phase, Study};

/// How long one question waits for the next record.
const WAIT: Duration = Duration::from_secs(5);

/// A study that is watched.
pub(crate) struct Watching {
    client: Arc<Client>,
    name: String,
    remote: RemoteStudy,
}

impl Watching {
    /// Reads what there is of the study so far.
    ///
    /// # Errors
    /// No answer, no such study.
    pub(crate) async fn start(client: Arc<Client>, name: &str) -> Result<Self, Error> {
        // So that the study can be followed when the nodes that were asked first are gone.
        client.nodes().await?;
        let remote = RemoteStudy::read(Arc::clone(&client), name).await?;
        Ok(Self { client, name: name.to_owned(), remote })
    }

    /// The study as seen last.
    pub(crate) fn study(&self) -> &Study {
        &self.remote.study
    }

    /// What the live view shows besides the records.
    pub(crate) fn surroundings(&self) -> Surroundings {
        surroundings::of_study(Arc::clone(&self.client), self.name.clone())
    }

    /// Shows what happens, until `rests` says that it is enough.
    ///
    /// # Errors
    /// An outage of more than a minute; `warn` is told when one begins.
    pub(crate) async fn follow(
        &mut self,
        progress: &mut dyn Progress,
        rests: impl Fn(&Phase) -> bool,
        warn: impl Fn(&ClusterError),
    ) -> Result<(), Error> {
        while !rests(&self.remote.study.phase) {
            for entry in self.remote.more(WAIT, &warn).await? {
                self.remote.apply(entry)?;
                if let Some(entry) = self.remote.entries.last() {
                    progress.entry(&self.remote.study, entry);
                }
            }
        }
        Ok(())
    }
}
