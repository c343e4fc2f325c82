//! `wallaby node`.

use super::{Outcome, show};
use crate::cluster::config::{Given, NodeConfig, Settings};
use crate::cluster::serve;
use clap::Args;
use std::path::PathBuf;
use wallaby_train::Registry;

/// The diagnostics of a node, if `WALLABY_LOG` does not choose others. Its libraries print whole
/// messages if they are asked for more than warnings, and warn of what is ordinary here: elections,
/// sessions that end. Of chitchat's own socket only the codec of gossip is left, to which anybody on
/// this machine may send, and it would say so each time.
pub(super) const DIAGNOSTICS: &str = "warn,chitchat::transport=off,openraft=off,ractor=error,ractor_cluster=error,\
    wallaby=info,wallaby_actors=info,wallaby_links=info,wallaby_core=info";

/// Run a node of a cluster
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby cluster init my-cluster
  wallaby node --config my-cluster/cluster.toml

Ends in order on Ctrl-C; started again, it goes on. Every setting is a key of the file, a variable
and a flag: a flag beats a variable, a variable beats the file. Without a file, all of them can come
from variables.")]
pub(super) struct NodeArgs {
    /// The configuration file [variable: WALLABY_CLUSTER]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Join under a new identity, after this node has lost its disk
    #[arg(long)]
    rejoin: bool,
    #[command(flatten)]
    settings: Settings,
}

pub(super) fn node(args: &NodeArgs, registry: &Registry) -> Outcome {
    let variable = || std::env::var_os("WALLABY_CLUSTER").filter(|path| !path.is_empty());
    let path = args.config.clone().or_else(|| variable().map(PathBuf::from));
    let config = NodeConfig::read(path.as_deref(), &Given::of_process(&args.settings))?;
    serve::serve(&config, args.rejoin, registry, show)
}
