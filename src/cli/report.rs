//! `wallaby report RUN`.

use super::{Outcome, RunPath, lock_run, look_at_run, show};
use crate::error::{Code, Error};
use crate::recorded::Recorded;
use crate::report;
use crate::whole_file::write_out;
use clap::Args;
use std::path::PathBuf;

/// Write a run as one HTML page: ranking, learning curves, parameters, hop timeline
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby report runs/digits-1
  wallaby report runs/digits-1 --out /tmp/digits.html

The page holds everything it needs; open it in any browser. A run that comes to rest leaves one
in its folder; with --out, a run that is under way is shown as it was a moment ago.")]
pub(super) struct ReportArgs {
    #[command(flatten)]
    path: RunPath,
    /// Where to, also while the run is under way; without it RUN/report.html
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn report(args: &ReportArgs) -> Outcome {
    let path = match &args.out {
        Some(path) => {
            write_out(path, page(&look_at_run(&args.path)?)?.as_bytes())?;
            path.clone()
        }
        None if args.path.is_remote()? => {
            let why = "expected --out FILE for a study of a cluster, which has no folder here";
            return Err(Error::Usage(why.to_owned()));
        }
        None => {
            let (recorded, _lock) = lock_run(&args.path)?;
            recorded.folder.write(report::FILE, page(&recorded)?.as_bytes())?;
            recorded.folder.join(report::FILE)
        }
    };
    show(&format!("{}\n", path.display()));
    Ok(Code::Done)
}

fn page(recorded: &Recorded) -> Result<String, Error> {
    Ok(report::html(&recorded.entries, &recorded.study, &recorded.facts()?))
}
