//! `wallaby resume RUN`, of a run folder or a study of a cluster.

use super::{Manner, Outcome, RunPath, run, show};
use crate::cluster::{Steer, block_on};
use crate::error::{Code, Error};
use crate::run_folder::RunFolder;
use clap::Args;
use wallaby_train::Registry;

/// Go on with an unfinished run, or with a paused study of a cluster
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby resume runs/digits-1
  wallaby resume digits --cluster my-cluster")]
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
    if let Some((client, name)) = args.path.remote()? {
        if args.slots.is_some() {
            let why = "--slots is for a run folder: the nodes of a cluster have their own";
            return Err(Error::Usage(why.to_owned()));
        }
        block_on(async { Ok(client.steer(name, Steer::Resume).await?) })?;
        show(&format!("{name} goes on; `wallaby watch {name}` shows it\n"));
        return Ok(Code::Done);
    }
    let folder = RunFolder::at(&args.path.run);
    folder.require()?;
    let lock = folder.lock()?;
    run::go_on(folder, lock, args.slots, args.manner, registry)
}
