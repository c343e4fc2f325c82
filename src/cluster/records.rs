//! A study of a cluster as its records tell it: fetched, folded, kept up to date.

use super::{Client, ClusterError};
use crate::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wallaby_core::journal::Entry;
use wallaby_core::study::Study;

/// How long a cluster may be out of reach before those who watch a study give up: longer than
/// all nodes take to start again.
const OUTAGE_MAX: Duration = Duration::from_secs(60);

/// The wait before a cluster that is out of reach is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// A study, and how to hear more of it.
pub(crate) struct RemoteStudy {
    pub(super) client: Arc<Client>,
    pub(super) name: String,
    /// All records so far.
    pub(crate) entries: Vec<Entry>,
    /// What they fold to.
    pub(crate) study: Study,
}

impl RemoteStudy {
    /// All that there is of the study at this moment.
    ///
    /// # Errors
    /// No answer, no such study, records that contradict each other.
    pub(crate) async fn read(client: Arc<Client>, name: &str) -> Result<Self, Error> {
        let expected = client.study(name).await?.records;
        let mut entries: Vec<Entry> = Vec::new();
        while (entries.len() as u64) < expected {
            let more = client.records(name, entries.len() as u64, Duration::ZERO).await?;
            if more.is_empty() {
                break;
            }
            entries.extend(more);
        }
        let study = Study::replay(&entries).map_err(|(at, why)| contradiction(name, at, &why))?;
        Ok(Self { client, name: name.to_owned(), entries, study })
    }

    /// What happened since; waits up to `wait` for something. Stays calm through an outage of up
    /// to a minute, of which `warn` is told once.
    ///
    /// # Errors
    /// A longer outage, no such study any more, records that contradict each other.
    pub(crate) async fn more(
        &mut self,
        wait: Duration,
        warn: impl Fn(&ClusterError),
    ) -> Result<Vec<Entry>, Error> {
        let mut began = None;
        loop {
            match self.client.records(&self.name, self.entries.len() as u64, wait).await {
                Ok(more) => return Ok(more),
                Err(error) if error.is_outage() => {
                    if began.is_none() {
                        warn(&error);
                    }
                    if began.get_or_insert_with(Instant::now).elapsed() > OUTAGE_MAX {
                        return Err(error.into());
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Takes in the next record.
    ///
    /// # Errors
    /// It cannot follow those before it.
    pub(crate) fn apply(&mut self, entry: Entry) -> Result<(), Error> {
        let at = self.entries.len();
        self.study.apply(&entry).map_err(|why| contradiction(&self.name, at, &why))?;
        self.entries.push(entry);
        Ok(())
    }
}

fn contradiction(name: &str, at: usize, why: &wallaby_core::study::Contradiction) -> Error {
    Error::Contradiction { path: name.into(), at, why: why.to_string() }
}
