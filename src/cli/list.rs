//! `wallaby list`.

use super::{Outcome, show};
use crate::error::Code;
use crate::moment;
use crate::overview::{Overview, State};
use crate::progress::number;
use crate::table::aligned;
use clap::Args;
use serde_json::Value as Json;
use std::path::PathBuf;

/// Show the runs in a folder: study, state, trials, best, when
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby list
  wallaby list --dir /data/runs --json | jq '.[] | select(.state == \"interrupted\").run'

A run is running, ended, paused, interrupted (it was killed: `wallaby resume` goes on) or
unreadable. Runs of other processes are only looked at.")]
pub(super) struct ListArgs {
    /// The folder of the runs
    #[arg(long, value_name = "DIR", default_value = "runs")]
    dir: PathBuf,
    /// As a JSON array of objects: run, study, state, process, trials, best, began, last and more
    #[arg(long)]
    json: bool,
}

pub(super) fn list(args: &ListArgs) -> Outcome {
    let runs = Overview::all_in(&args.dir)?;
    if args.json {
        let runs: Json = runs.iter().map(Overview::json).collect();
        show(&format!("{runs:#}\n"));
    } else if runs.is_empty() {
        show(&format!("no runs in {}; `wallaby run FILE` makes one\n", args.dir.display()));
    } else {
        let head = ["run", "study", "state", "trials", "best", "trial", "last"];
        let head = head.map(str::to_owned).to_vec();
        let rows: Vec<_> = std::iter::once(head).chain(runs.iter().map(row)).collect();
        show(&aligned(&rows));
        runs.iter().for_each(explain);
    }
    Ok(Code::Done)
}

fn row(run: &Overview) -> Vec<String> {
    let dash = || "-".to_owned();
    let progress = run.progress.as_ref();
    let best = progress.and_then(|progress| progress.best.map(|best| (&progress.metric, best)));
    vec![
        run.folder.path().display().to_string(),
        if run.study.is_empty() { dash() } else { run.study.clone() },
        run.state.word().to_owned(),
        progress.map_or_else(dash, |progress| format!("{}/{}", progress.ended, progress.trials)),
        best.map_or_else(dash, |(metric, (_, value))| format!("{metric} {}", number(value))),
        best.map_or_else(dash, |(_, (trial, _))| trial.to_string()),
        progress.map_or_else(dash, |progress| moment::minute(progress.last)),
    ]
}

/// A word in the table is not enough where something is wrong.
fn explain(run: &Overview) {
    if let State::Unreadable(why) = &run.state {
        super::report(why);
    }
}
