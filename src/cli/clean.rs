//! `wallaby clean`.

use super::{Outcome, report, show};
use crate::clean::{Extent, Plan, Stays};
use crate::error::Code;
use crate::overview::runs_in;
use crate::portrait::bytes_text;
use crate::run_folder::{FolderError, RunFolder};
use clap::Args;
use serde_json::{Value as Json, json};
use std::path::PathBuf;

/// Remove what runs that have ended no longer need; without --yes only say what would go
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby clean
  wallaby clean --yes
  wallaby clean --all runs/digits-1 --yes

Without --all the checkpoints and partitions of runs that have ended go, and the best model, the
journal and the tables stay: everything but `verify` works as before, and that reads the data
again. With --all whole runs go: those that have ended, and those that are named. A run in use is
never touched, nor a file that is not Wallaby's.")]
pub(super) struct CleanArgs {
    /// These runs; without it all in the folder of the runs
    #[arg(value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// The folder of the runs
    #[arg(long, value_name = "DIR", default_value = "runs", conflicts_with = "runs")]
    dir: PathBuf,
    /// Whole runs
    #[arg(long)]
    all: bool,
    /// Do it
    #[arg(long)]
    yes: bool,
    /// As a JSON array of objects: run, files, bytes, removed, why
    #[arg(long)]
    json: bool,
}

/// What came of one run.
struct Line {
    run: String,
    files: u64,
    bytes: u64,
    removed: bool,
    /// Why it stays, if it does.
    why: Option<String>,
}

pub(super) fn clean(args: &CleanArgs) -> Outcome {
    let named = !args.runs.is_empty();
    let extent = match (args.all, named) {
        (false, _) => Extent::Blobs,
        (true, false) => Extent::EndedRun,
        (true, true) => Extent::AnyRun,
    };
    let runs = match named {
        true => args.runs.iter().map(|run| RunFolder::at(run)).collect(),
        false => runs_in(&args.dir)?,
    };
    let mut lines = Vec::new();
    for run in runs {
        let path = run.path().display().to_string();
        match Plan::new(run, extent) {
            Ok(plan) => {
                let (files, bytes) = (plan.files, plan.bytes);
                if args.yes {
                    plan.remove()?;
                }
                lines.push(Line { run: path, files, bytes, removed: args.yes, why: None });
            }
            // What was asked for by name must not pass unnoticed.
            Err(Stays::Unusable(error)) if named => return Err(error),
            Err(Stays::Unusable(error)) if is_no_run(&error) => {}
            Err(stays) => {
                let why = Some(stays.to_string());
                lines.push(Line { run: path, files: 0, bytes: 0, removed: false, why });
            }
        }
    }
    if args.json {
        let lines: Json = lines.iter().map(Line::json).collect();
        show(&format!("{lines:#}\n"));
    } else {
        tell(&lines, args.yes);
    }
    Ok(Code::Done)
}

fn is_no_run(error: &crate::Error) -> bool {
    matches!(error, crate::Error::Folder(FolderError::NotARun { .. }))
}

impl Line {
    fn json(&self) -> Json {
        json!({
            "run": self.run, "files": self.files, "bytes": self.bytes, "removed": self.removed,
            "why": self.why,
        })
    }
}

fn tell(lines: &[Line], done: bool) {
    let verb = if done { "removed" } else { "would remove" };
    for line in lines {
        let Line { run, files, bytes, why, .. } = line;
        match why {
            Some(why) => show(&format!("{run}: stays, {why}\n")),
            None => show(&format!("{run}: {verb} {files} files, {}\n", bytes_text(*bytes))),
        }
    }
    let bytes: u64 = lines.iter().map(|line| line.bytes).sum();
    show(&format!("{} in all\n", bytes_text(bytes)));
    if !done && bytes > 0 {
        report("nothing is removed yet; the same with --yes does it");
    }
}
