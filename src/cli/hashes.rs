//! `wallaby hashes RUN`.

use super::{Outcome, RunPath, look_at_run, show};
use crate::error::Code;
use clap::Args;
use serde_json::{Value as Json, json};
use wallaby_core::trial::Trial;

/// Show a line for each trial: its number, its epochs, the BLAKE3 of its final state
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby hashes runs/digits-1
  diff <(wallaby hashes runs/digits-1) <(wallaby hashes runs/digits-2)")]
pub(super) struct HashesArgs {
    #[command(flatten)]
    path: RunPath,
    /// As a JSON array of objects: trial, epochs, state
    #[arg(long)]
    json: bool,
}

pub(super) fn hashes(args: &HashesArgs) -> Outcome {
    let recorded = look_at_run(&args.path)?;
    if args.json {
        let line = |trial: &Trial| {
            let state = trial.last_state.map(|state| state.to_string());
            json!({"trial": trial.id.0, "epochs": trial.results.len(), "state": state})
        };
        let lines: Json = recorded.study.trials.iter().map(line).collect();
        show(&format!("{lines:#}\n"));
        return Ok(Code::Done);
    }
    for trial in &recorded.study.trials {
        let state = trial.last_state.map_or_else(|| "-".to_owned(), |state| state.to_string());
        show(&format!("{} {} {state}\n", trial.id.0, trial.results.len()));
    }
    Ok(Code::Done)
}
