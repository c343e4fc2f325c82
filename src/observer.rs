//! Watches a study through its journal, as anybody could from anywhere: reads what has become
//! durable, folds it, shows it. Never touches the actors.

use crate::error::Error;
use crate::progress::Progress;
use tokio::sync::watch;
use wallaby_actors::journal::Journal;
use wallaby_actors::journal_actor::decode_records;
use wallaby_core::ids::Seq;
use wallaby_core::study::Study;

/// An observer of one study.
pub(crate) struct Observer {
    journal: Journal,
    study: Study,
    next: Seq,
    progress: Box<dyn Progress>,
}

impl Observer {
    /// Watches from record `next` on, of a journal that so far folds to `study`.
    pub(crate) fn new(
        journal: Journal,
        study: Study,
        next: Seq,
        progress: Box<dyn Progress>,
    ) -> Self {
        Self { journal, study, next, progress }
    }

    /// Shows everything that becomes durable, until the node has ended.
    pub(crate) async fn follow(&mut self, mut durable: watch::Receiver<u64>) -> Result<(), Error> {
        loop {
            let open = durable.changed().await.is_ok();
            self.catch_up().await?;
            if !open {
                return Ok(());
            }
        }
    }

    /// Shows what has become durable since.
    async fn catch_up(&mut self) -> Result<(), Error> {
        let entries = decode_records(self.journal.read(self.next).await?)?;
        for entry in entries {
            self.study.apply(&entry).map_err(|why| {
                Error::Unexpected(format!("{} cannot be shown: {why}", self.next))
            })?;
            self.next = Seq(self.next.0 + 1);
            self.progress.entry(&self.study, &entry);
        }
        Ok(())
    }

    /// The study as seen last.
    pub(crate) fn into_study(self) -> Study {
        self.study
    }
}
