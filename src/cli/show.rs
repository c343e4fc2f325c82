//! `wallaby show RUN`.

use super::{Outcome, RunPath, look_at_run, show as print};
use crate::error::Code;
use crate::portrait::Portrait;
use clap::Args;

/// Show the facts of a run: study, state, data, space, best, time, sizes
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby show runs/digits-1
  wallaby show runs/digits-1 --json | jq .sizes

Also of a run that is under way.")]
pub(super) struct ShowArgs {
    #[command(flatten)]
    path: RunPath,
    /// As a JSON object: run, study, state, trials, data, search, best, times, sizes and more
    #[arg(long)]
    json: bool,
}

pub(super) fn show(args: &ShowArgs) -> Outcome {
    let recorded = look_at_run(&args.path)?;
    let portrait = Portrait::of(&recorded)?;
    print(&if args.json { format!("{:#}\n", portrait.json()) } else { portrait.text() });
    Ok(Code::Done)
}
