//! `wallaby priority STUDY N`.

use super::{Outcome, show};
use crate::cluster::{ClusterArgs, block_on};
use crate::error::Code;
use clap::Args;

/// Change a study's share of the slots of a cluster
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby priority digits 40

Shares are proportional to priorities; without one a study has 10.")]
pub(super) struct PriorityArgs {
    /// The study
    #[arg(value_name = "STUDY")]
    study: String,
    /// From 1 to 100
    #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    priority: u32,
    #[command(flatten)]
    cluster: ClusterArgs,
}

pub(super) fn priority(args: &PriorityArgs) -> Outcome {
    let client = args.cluster.client()?;
    block_on(async { Ok(client.set_priority(&args.study, args.priority).await?) })?;
    show(&format!("{} has priority {}\n", args.study, args.priority));
    Ok(Code::Done)
}
