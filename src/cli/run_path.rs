//! What commands that read a run are given: a run folder, or the name of a study of a cluster.

use super::report;
use crate::cluster::{Client, ClusterArgs, RemoteStudy, block_on};
use crate::error::Error;
use crate::recorded::Recorded;
use crate::run_folder::{Lock, RunFolder};
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;
use wallaby_actors::journal::Recovery;

/// A run folder, or a study of a cluster.
#[derive(Debug, Clone, Args)]
pub(super) struct RunPath {
    /// The run folder, for example runs/digits-1; if there is none of that name and a cluster is
    /// configured, a study of the cluster
    #[arg(value_name = "RUN")]
    pub(super) run: PathBuf,
    #[command(flatten)]
    pub(super) cluster: ClusterArgs,
}

impl RunPath {
    /// The study of a cluster that is meant, if one is, and its cluster.
    ///
    /// # Errors
    /// A configuration with mistakes.
    pub(super) fn remote(&self) -> Result<Option<(Arc<Client>, &str)>, Error> {
        let Some(name) = self.run.to_str().filter(|_| !self.run.exists()) else { return Ok(None) };
        let client = self.cluster.client_if_any()?;
        Ok(client.map(|client| (Arc::new(client), name)))
    }

    /// Whether a study of a cluster is meant.
    ///
    /// # Errors
    /// As for [`RunPath::remote`].
    pub(super) fn is_remote(&self) -> Result<bool, Error> {
        Ok(self.remote()?.is_some())
    }

    fn read_remote(&self) -> Result<Option<Recorded>, Error> {
        let Some((client, name)) = self.remote()? else { return Ok(None) };
        let remote = block_on(RemoteStudy::read(client, name))?;
        Recorded::of_cluster(remote).map(Some)
    }
}

/// Reads a run, and says so if its journal had to be mended.
pub(super) fn read_run(path: &RunPath) -> Result<Recorded, Error> {
    read_with(path, Recorded::read)
}

/// As [`read_run`]; a run in use is read as it was a moment ago.
pub(super) fn look_at_run(path: &RunPath) -> Result<Recorded, Error> {
    read_with(path, Recorded::look)
}

fn read_with(
    path: &RunPath,
    read: impl Fn(RunFolder) -> Result<Recorded, Error>,
) -> Result<Recorded, Error> {
    if let Some(recorded) = path.read_remote()? {
        return Ok(recorded);
    }
    let recorded = read(RunFolder::at(&path.run))?;
    report_recovery(&recorded.recovery);
    Ok(recorded)
}

/// As [`read_run`], with the right to write to the run folder.
pub(super) fn lock_run(path: &RunPath) -> Result<(Recorded, Lock), Error> {
    let folder = RunFolder::at(&path.run);
    folder.require()?;
    let lock = folder.lock()?;
    let recorded = Recorded::read_locked(folder, &lock)?;
    report_recovery(&recorded.recovery);
    Ok((recorded, lock))
}

/// A journal that was not closed in order is no error, and no secret.
pub(super) fn report_recovery(recovery: &Recovery) {
    if let Some(torn) = &recovery.torn {
        report(&format!("the journal was mended: {torn}; {} records are intact", recovery.entries));
    }
}
