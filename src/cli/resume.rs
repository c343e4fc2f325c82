//! `wallaby resume RUN`.

use super::{Manner, Outcome, RunPath, run};
use crate::run_folder::RunFolder;
use clap::Args;
use wallaby_train::Registry;

/// Go on with an unfinished run
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  wallaby resume runs/digits-1")]
pub(super) struct ResumeArgs {
    #[command(flatten)]
    path: RunPath,
    /// Units that run at the same time; without it as many as the study says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    slots: Option<u32>,
    #[command(flatten)]
    manner: Manner,
}

pub(super) fn resume(args: &ResumeArgs, registry: &Registry) -> Outcome {
    let folder = RunFolder::at(&args.path.run);
    folder.require()?;
    let lock = folder.lock()?;
    run::go_on(folder, lock, args.slots, args.manner, registry)
}
