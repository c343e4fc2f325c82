//! The journal's one open file: runs transactions on it and remembers its first failure.
//! Never interprets what is stored, and never opens or repairs the file.

use super::error::JournalError;
use super::raft::StorageError;
use super::tables::{Change, View};
use openraft::{AnyError, StorageIOError};
use redb::{Database, Durability, ReadableDatabase};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use tokio::sync::watch;

/// One open journal file, shared by the log and the state machine.
pub(super) struct Store {
    path: PathBuf,
    database: RwLock<Option<Database>>,
    failure: OnceLock<JournalError>,
    installing: watch::Sender<bool>,
}

impl Store {
    /// Takes over an open and checked file.
    pub(super) fn new(path: PathBuf, database: Database) -> Self {
        Self {
            path,
            database: RwLock::new(Some(database)),
            failure: OnceLock::new(),
            installing: watch::Sender::new(false),
        }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The first failure. After one the file takes no more writes until it is opened again.
    pub(super) fn failure(&self) -> Option<JournalError> {
        self.failure.get().cloned()
    }

    /// Says that a snapshot is about to be installed, or that it has been.
    pub(super) fn set_installing(&self, installing: bool) {
        self.installing.send_replace(installing);
    }

    /// Returns once no snapshot is on its way into the file; with the failure that kept it out.
    pub(super) async fn installed(&self) -> Result<(), JournalError> {
        // The sender lives as long as the store: there is no other end of the wait.
        let _ = self.installing.subscribe().wait_for(|installing| !installing).await;
        self.failure().map_or(Ok(()), Err)
    }

    /// Reads under one consistent view.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&View<'_>) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        self.with_database(|database| {
            let transaction = database.begin_read().map_err(|error| self.error(error))?;
            work(&View { path: &self.path, transaction: &transaction })
        })
    }

    /// Commits a change. `Immediate` returns once it is fsynced, with every commit before it.
    pub(super) fn write<T>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Change<'_>) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let done = self.try_write(durability, work);
        if let Err(error) = &done {
            // A later one only repeats that the file is no longer usable; the first says why.
            let _ = self.failure.set(error.clone());
            self.set_installing(false);
        }
        done
    }

    fn try_write<T>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Change<'_>) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        self.with_database(|database| {
            let mut transaction = database.begin_write().map_err(|error| self.error(error))?;
            transaction.set_durability(durability).map_err(|error| self.error(error))?;
            let result = work(&Change { path: &self.path, transaction: &transaction })?;
            transaction.commit().map_err(|error| self.error(error))?;
            Ok(result)
        })
    }

    /// Makes everything durable and gives the file back, once what is under way has ended. Later
    /// calls fail with `Closed`.
    pub(super) fn close(&self) -> Result<(), JournalError> {
        let taken = self.database.write().unwrap_or_else(PoisonError::into_inner).take();
        let closed = taken.map_or(Ok(()), Database::close);
        closed.map_err(|error| self.failure().unwrap_or_else(|| self.error(error)))
    }

    /// Keeps the file open for as long as the work takes, which must not ask for it again.
    fn with_database<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let guard = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = guard.as_ref() else {
            return Err(JournalError::Closed { path: self.path.clone() });
        };
        work(database)
    }

    fn error(&self, error: impl Into<redb::Error>) -> JournalError {
        JournalError::from_storage(&self.path, error)
    }
}

/// Runs file work where it blocks no other task.
pub(super) async fn blocking<T: Send + 'static>(
    store: &Arc<Store>,
    work: impl FnOnce(&Store) -> Result<T, JournalError> + Send + 'static,
) -> Result<T, JournalError> {
    let shared = Arc::clone(store);
    match tokio::task::spawn_blocking(move || work(&shared)).await {
        Ok(done) => done,
        Err(stopped) => {
            tracing::error!(%stopped, "file work of the journal did not finish");
            Err(JournalError::Closed { path: store.path.clone() })
        }
    }
}

/// The form in which Raft takes a failed read.
pub(super) fn read_failed(error: JournalError) -> StorageError {
    StorageIOError::read(AnyError::new(&error)).into()
}

/// The form in which Raft takes a failed write.
pub(super) fn write_failed(error: JournalError) -> StorageError {
    StorageIOError::write(AnyError::new(&error)).into()
}
