//! `wallaby drain NODE`.

use super::{Outcome, show};
use crate::cluster::{ClusterArgs, block_on};
use crate::error::Code;
use clap::Args;

/// Let a node finish the units at hand, hand over what it holds, and leave
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby drain node3 --cluster my-cluster

Returns at once; `wallaby nodes` shows how far it is.")]
pub(super) struct DrainArgs {
    /// The node
    #[arg(value_name = "NODE")]
    node: String,
    #[command(flatten)]
    cluster: ClusterArgs,
}

pub(super) fn drain(args: &DrainArgs) -> Outcome {
    let client = args.cluster.client()?;
    block_on(async { Ok(client.drain(&args.node).await?) })?;
    show(&format!("{} takes no more units, and leaves after those at hand\n", args.node));
    Ok(Code::Done)
}
