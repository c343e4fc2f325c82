//! `wallaby dev`: a cluster on this machine.

#[cfg(unix)]
mod foreground;

use super::Outcome;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Run a cluster on this machine: real processes, for trying things out
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Example:
  wallaby dev --nodes 3 --dir my-cluster
  wallaby dev stop node2 --dir my-cluster
  wallaby dev start node2 --dir my-cluster

Each node is a process of this program with its own port, folder and log (DIR/NODE/log). Ctrl-C stops
all of them; any of them may be killed meanwhile. The same command starts the same cluster again."
)]
pub(super) struct DevArgs {
    #[command(subcommand)]
    action: Option<Action>,
    /// How many nodes; 3 of a new cluster, those there are of one that is there
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    nodes: Option<u32>,
    /// The folder of the cluster
    #[arg(long, value_name = "DIR", default_value = DIR)]
    dir: PathBuf,
    /// Units that each node of a new cluster runs at the same time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    slots: u32,
    /// How many nodes of a new cluster vote: 1, 3 or 5; without it 1 of one or two, else 3
    #[arg(long, value_name = "N", value_parser = voters)]
    voters: Option<u32>,
    /// How many nodes of a new cluster hold each partition
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=16))]
    replicas: u32,
    /// How many seconds the nodes have to become a cluster
    #[arg(long, value_name = "S", default_value_t = 60)]
    timeout: u64,
    /// Leave the nodes running; `wallaby dev stop` ends them
    #[arg(long)]
    detach: bool,
}

/// The folder, if nobody says otherwise.
const DIR: &str = "dev-cluster";

#[derive(Debug, Subcommand)]
enum Action {
    /// Start a node that does not run
    #[command(after_help = "Example:\n  wallaby dev start node2 --dir my-cluster")]
    Start {
        /// The node
        #[arg(value_name = "NODE")]
        node: String,
        /// The folder of the cluster
        #[arg(long, value_name = "DIR", default_value = DIR)]
        dir: PathBuf,
        /// With a new identity, after it has lost its disk
        #[arg(long)]
        rejoin: bool,
    },
    /// Stop a node, or all
    #[command(
        after_help = "Example:\n  wallaby dev stop node2 --dir my-cluster\n  wallaby dev stop --dir my-cluster"
    )]
    Stop {
        /// The node; without it all
        #[arg(value_name = "NODE")]
        node: Option<String>,
        /// The folder of the cluster
        #[arg(long, value_name = "DIR", default_value = DIR)]
        dir: PathBuf,
    },
    /// Show which nodes run on this machine
    #[command(after_help = "Example:\n  wallaby dev status --dir my-cluster")]
    Status {
        /// The folder of the cluster
        #[arg(long, value_name = "DIR", default_value = DIR)]
        dir: PathBuf,
        /// As a JSON array of objects: name, pid (null if it does not run), log
        #[arg(long)]
        json: bool,
    },
}

fn voters(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(number @ (1 | 3 | 5)) => Ok(number),
        _ => Err("expected 1, 3 or 5".to_owned()),
    }
}

#[cfg(not(unix))]
pub(super) fn dev(args: &DevArgs) -> Outcome {
    let _ = (&args.action, args.nodes, &args.dir, args.slots, args.voters, args.replicas);
    let _ = (args.timeout, args.detach);
    let why = "`wallaby dev` needs a system with signals; `wallaby node` starts a node anywhere";
    Err(crate::Error::Usage(why.to_owned()))
}

#[cfg(unix)]
pub(super) fn dev(args: &DevArgs) -> Outcome {
    use crate::cluster::block_on;
    use foreground as run;
    match &args.action {
        None => block_on(run::run(args)),
        Some(Action::Start { node, dir, rejoin }) => block_on(run::start(node, dir, *rejoin)),
        Some(Action::Stop { node, dir }) => block_on(run::stop(node.as_deref(), dir)),
        Some(Action::Status { dir, json }) => run::status(dir, *json),
    }
}
