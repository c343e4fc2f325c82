//! `wallaby delete STUDY`.

use super::{Outcome, report, show};
use crate::cluster::{ClusterArgs, block_on};
use crate::error::Code;
use clap::Args;

/// Remove a study that has ended from a cluster; without --yes only say what would go
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby delete digits
  wallaby delete digits --yes

Its data and its best model go from all nodes, and its name is free. What was fetched stays. A study
that is under way has to be cancelled first.")]
pub(super) struct DeleteArgs {
    /// The study
    #[arg(value_name = "STUDY")]
    study: String,
    /// Do it
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    cluster: ClusterArgs,
}

pub(super) fn delete(args: &DeleteArgs) -> Outcome {
    let client = args.cluster.client()?;
    let name = &args.study;
    let found = block_on(async { Ok(client.study(name).await?) })?;
    if args.yes {
        block_on(async { Ok(client.remove(name).await?) })?;
        show(&format!("{name} is removed\n"));
        return Ok(Code::Done);
    }
    let (trials, units) = (found.trials_done, found.units_done);
    show(&format!("{name}: would remove {trials} trials that took {units} units\n"));
    report("nothing is removed yet; the same with --yes does it");
    Ok(Code::Done)
}
