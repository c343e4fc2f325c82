//! `wallaby cluster init`.

use super::{Outcome, show};
use crate::cluster::create;
use crate::error::Code;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Make the secret and the configuration of a new cluster
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  wallaby cluster init my-cluster")]
pub(super) struct ClusterCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write a new secret, which only you may read, and a sample configuration
    #[command(after_help = "\
Example:
  wallaby cluster init my-cluster
  wallaby node --config my-cluster/cluster.toml

Nothing is overwritten. Every machine needs both files: the secret as it is, the configuration with
its own [node]. Whoever has the secret belongs to the cluster.")]
    Init {
        /// The folder for both, made if it is not there
        #[arg(value_name = "DIR", default_value = ".")]
        dir: PathBuf,
    },
}

pub(super) fn cluster(args: &ClusterCommand) -> Outcome {
    let Action::Init { dir } = &args.action;
    for path in create::cluster(dir)? {
        show(&format!("{}\n", path.display()));
    }
    Ok(Code::Done)
}
