//! `wallaby cancel STUDY`.

use super::{Outcome, show};
use crate::cluster::{ClusterArgs, Steer, block_on};
use crate::error::Code;
use clap::Args;

/// End a study of a cluster for good; what it has found so far stays
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby cancel digits

To go on later, `wallaby pause` it instead.")]
pub(super) struct CancelArgs {
    /// The study
    #[arg(value_name = "STUDY")]
    study: String,
    #[command(flatten)]
    cluster: ClusterArgs,
}

pub(super) fn cancel(args: &CancelArgs) -> Outcome {
    let client = args.cluster.client()?;
    block_on(async { Ok(client.steer(&args.study, Steer::Cancel).await?) })?;
    show(&format!("{} is cancelled\n", args.study));
    Ok(Code::Done)
}
