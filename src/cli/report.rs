//! `wallaby report RUN`.

use super::{Outcome, RunPath, read_run, show};
use crate::error::{Code, Error};
use crate::report;
use clap::Args;
use std::fs;
use std::path::PathBuf;

/// Write a run as one HTML page: ranking, learning curves, parameters, hop timeline
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby report runs/digits-1
  wallaby report runs/digits-1 --out /tmp/digits.html

The page holds everything it needs; open it in any browser. A run that comes to rest leaves one.")]
pub(super) struct ReportArgs {
    #[command(flatten)]
    path: RunPath,
    /// Where to; without it RUN/report.html
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn report(args: &ReportArgs) -> Outcome {
    let recorded = read_run(&args.path)?;
    let page = report::html(&recorded.entries, &recorded.study, &recorded.facts()?);
    let path = match &args.out {
        Some(path) => {
            fs::write(path, page).map_err(|error| Error::file(path, error))?;
            path.clone()
        }
        None => {
            recorded.folder.write(report::FILE, page.as_bytes())?;
            recorded.folder.join(report::FILE)
        }
    };
    show(&format!("{}\n", path.display()));
    Ok(Code::Done)
}
