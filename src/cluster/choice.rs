//! Which cluster a command means. Never connects.

use super::config::{ClusterConfig, Given, Settings};
use super::{Client, ClusterError};
use crate::error::Error;
use clap::Args;
use std::path::PathBuf;

/// The variable that names the cluster.
const VARIABLE: &str = "WALLABY_CLUSTER";

/// The flag that names the cluster.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ClusterArgs {
    /// The cluster: the folder of `wallaby dev`, or a configuration file; without it
    /// the one that the variable WALLABY_CLUSTER names
    #[arg(long, value_name = "PATH")]
    cluster: Option<PathBuf>,
}

impl ClusterArgs {
    /// Whether the command line itself names one.
    pub(crate) fn is_named(&self) -> bool {
        self.cluster.is_some()
    }

    /// The cluster that is meant, if any is. What the command line names is taken as it is;
    /// otherwise variables beat the file that a variable names.
    ///
    /// # Errors
    /// A configuration that cannot be read, or mistakes in it.
    pub(crate) fn config(&self) -> Result<Option<ClusterConfig>, Error> {
        if let Some(path) = &self.cluster {
            return ClusterConfig::read(path, &Given::nothing()).map(Some);
        }
        let given = Given::of_process(&Settings::default());
        match std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
            Some(path) => ClusterConfig::read(&PathBuf::from(path), &given).map(Some),
            None => ClusterConfig::from_variables(&given),
        }
    }

    /// A client of the cluster that is meant, if any is.
    ///
    /// # Errors
    /// As for [`ClusterArgs::config`], and a secret that cannot be read.
    pub(crate) fn client_if_any(&self) -> Result<Option<Client>, Error> {
        Ok(self.config()?.map(Client::new).transpose()?)
    }

    /// A client of the cluster that is meant.
    ///
    /// # Errors
    /// Also if none is.
    pub(crate) fn client(&self) -> Result<Client, Error> {
        Ok(self.client_if_any()?.ok_or(ClusterError::NotConfigured)?)
    }
}
