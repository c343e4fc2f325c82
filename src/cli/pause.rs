//! `wallaby pause STUDY`.

use super::{Outcome, show};
use crate::cluster::{ClusterArgs, Steer, block_on};
use crate::error::Code;
use clap::Args;

/// Pause a study of a cluster: units at hand are finished, no more start
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby pause digits
  wallaby resume digits")]
pub(super) struct PauseArgs {
    /// The study
    #[arg(value_name = "STUDY")]
    study: String,
    #[command(flatten)]
    cluster: ClusterArgs,
}

pub(super) fn pause(args: &PauseArgs) -> Outcome {
    let client = args.cluster.client()?;
    block_on(async { Ok(client.steer(&args.study, Steer::Pause).await?) })?;
    show(&format!("{0} pauses; `wallaby resume {0}` goes on\n", args.study));
    Ok(Code::Done)
}
