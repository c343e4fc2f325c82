//! `wallaby hashes RUN`.

use super::{Outcome, RunPath, read_run, show};
use crate::error::Code;
use clap::Args;

/// Show a line for each trial: its number, its epochs, the BLAKE3 of its final state
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby hashes runs/digits-1
  diff <(wallaby hashes runs/digits-1) <(wallaby hashes runs/digits-2)")]
pub(super) struct HashesArgs {
    #[command(flatten)]
    path: RunPath,
}

pub(super) fn hashes(args: &HashesArgs) -> Outcome {
    let recorded = read_run(&args.path)?;
    for trial in &recorded.study.trials {
        let state = trial.last_state.map_or_else(|| "-".to_owned(), |state| state.to_string());
        show(&format!("{} {} {state}\n", trial.id.0, trial.results.len()));
    }
    Ok(Code::Done)
}
