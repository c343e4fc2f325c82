//! `wallaby clean`.

use super::{Outcome, report, show};
use crate::clean::{Extent, Plan, Stays};
use crate::error::{Code, Error};
use crate::overview::runs_in;
use crate::portrait::bytes_text;
use crate::run_folder::{FolderError, RunFolder};
use clap::Args;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
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
never touched, nor a file that is not Wallaby's, in whatever folder it lies. If one of the runs
that are named cannot be cleaned, none is.")]
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

/// A run and what is to become of it.
struct Planned {
    run: String,
    plan: Result<Plan, Stays>,
}

pub(super) fn clean(args: &CleanArgs) -> Outcome {
    let named = !args.runs.is_empty();
    let extent = match (args.all, named) {
        (false, _) => Extent::Blobs,
        (true, false) => Extent::EndedRun,
        (true, true) => Extent::AnyRun,
    };
    let runs = match named {
        true => once_each(&args.runs),
        false => runs_in(&args.dir)?,
    };
    let plans = runs.into_iter().filter_map(move |run| planned(run, extent, named).transpose());
    // What is asked for by name is refused as a whole, before anything goes.
    let plans: Box<dyn Iterator<Item = Result<Planned, Error>>> = match named {
        true => Box::new(plans.collect::<Result<Vec<_>, _>>()?.into_iter().map(Ok)),
        false => Box::new(plans),
    };
    let (mut lines, mut first_error) = (Vec::new(), None);
    for planned in plans {
        let (line, failed) = carry_out(planned?, args.yes);
        if !args.json {
            show(&line.text(args.yes));
        }
        lines.push(line);
        first_error = first_error.or(failed);
    }
    if args.json {
        let lines: Json = lines.iter().map(Line::json).collect();
        show(&format!("{lines:#}\n"));
    } else {
        conclude(&lines, args.yes);
    }
    first_error.map_or(Ok(Code::Done), Err)
}

/// The runs, without those that are named again.
fn once_each(runs: &[PathBuf]) -> Vec<RunFolder> {
    let mut seen = BTreeSet::new();
    let is_new = |run: &&PathBuf| seen.insert(run.canonicalize().unwrap_or((*run).clone()));
    runs.iter().filter(is_new).map(|run| RunFolder::at(run)).collect()
}

/// What is to become of a run; `None` if it is none, and nobody said that it is.
fn planned(run: RunFolder, extent: Extent, named: bool) -> Result<Option<Planned>, Error> {
    let path = run.path().display().to_string();
    match Plan::new(run, extent) {
        // What was asked for by name must not pass unnoticed.
        Err(Stays::Unusable(error)) if named => Err(error),
        Err(Stays::Unusable(error)) if is_no_run(&error) => Ok(None),
        plan => Ok(Some(Planned { run: path, plan })),
    }
}

/// Removes what is to go, if that is meant; also what went wrong with it.
fn carry_out(planned: Planned, yes: bool) -> (Line, Option<Error>) {
    let Planned { run, plan } = planned;
    let plan = match plan {
        Ok(plan) => plan,
        Err(stays) => return (Line::staying(run, stays.to_string()), None),
    };
    let (files, bytes) = (plan.files, plan.bytes);
    match if yes { plan.remove() } else { Ok(()) } {
        Ok(()) => (Line { run, files, bytes, removed: yes, why: None }, None),
        Err(error) => (Line::staying(run, format!("in part, {error}")), Some(error)),
    }
}

fn is_no_run(error: &Error) -> bool {
    matches!(error, Error::Folder(FolderError::NotARun { .. }))
}

impl Line {
    fn staying(run: String, why: String) -> Self {
        Self { run, files: 0, bytes: 0, removed: false, why: Some(why) }
    }

    fn text(&self, done: bool) -> String {
        let Line { run, files, bytes, why, .. } = self;
        let verb = if done { "removed" } else { "would remove" };
        match why {
            Some(why) => format!("{run}: stays, {why}\n"),
            None => format!("{run}: {verb} {files} files, {}\n", bytes_text(*bytes)),
        }
    }

    fn json(&self) -> Json {
        json!({
            "run": self.run, "files": self.files, "bytes": self.bytes, "removed": self.removed,
            "why": self.why,
        })
    }
}

fn conclude(lines: &[Line], done: bool) {
    let bytes: u64 = lines.iter().map(|line| line.bytes).sum();
    show(&format!("{} in all\n", bytes_text(bytes)));
    if !done && bytes > 0 {
        report("nothing is removed yet; the same with --yes does it");
    }
}
