//! `wallaby export RUN`.

use super::{Outcome, RunPath, look_at_run, show};
use crate::error::{Code, Error};
use crate::ranking;
use crate::sheet::Sheet;
use crate::whole_file::write_out;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::PathBuf;

/// Write the trials and the epochs of a run as tables for other programs
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby export runs/digits-1 --format parquet
  wallaby export runs/digits-1 --format json --out /tmp/tables

Writes trials (a row for each trial, best first, the columns of trials.csv) and epochs (a row for
each validated epoch). Also of a run that is under way. Files of these names are replaced.")]
pub(super) struct ExportArgs {
    #[command(flatten)]
    path: RunPath,
    /// How the tables are written
    #[arg(long, value_enum)]
    format: Format,
    /// The folder for the tables; without it export/ in the run folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Name the tables as a JSON array of objects: table, path, rows, bytes
    #[arg(long)]
    json: bool,
}

/// The formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// With a header
    Csv,
    /// Typed columns
    Parquet,
    /// An array of objects
    Json,
}

impl Format {
    fn extension(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Parquet => "parquet",
            Format::Json => "json",
        }
    }

    fn bytes(self, name: &str, sheet: &Sheet) -> Result<Vec<u8>, Error> {
        match self {
            Format::Csv => Ok(sheet.to_csv()),
            Format::Json => Ok(sheet.to_json().into_bytes()),
            Format::Parquet => sheet.to_parquet(name).map_err(Error::Unexpected),
        }
    }
}

pub(super) fn export(args: &ExportArgs) -> Outcome {
    let recorded = look_at_run(&args.path)?;
    let (facts, study) = (recorded.facts()?, &recorded.study);
    let metrics = facts.problem.metrics();
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None if recorded.distant.is_some() => {
            let why = "expected --out DIR for a study of a cluster, which has no folder here";
            return Err(Error::Usage(why.to_owned()));
        }
        None => recorded.folder.join("export"),
    };
    let made = std::fs::create_dir_all(&folder);
    made.map_err(|source| Error::out(&folder, "a folder for the tables", source))?;
    let tables =
        [("trials", ranking::trials(study, metrics)), ("epochs", ranking::epochs(study, metrics))];
    let mut written = Vec::new();
    for (name, sheet) in &tables {
        let path = folder.join(format!("{name}.{}", args.format.extension()));
        let bytes = args.format.bytes(name, sheet)?;
        write_out(&path, &bytes)?;
        let rows = sheet.rows.len();
        if !args.json {
            show(&format!("{}: {rows} rows\n", path.display()));
        }
        let path = path.to_string_lossy().into_owned();
        written.push(json!({"table": name, "path": path, "rows": rows, "bytes": bytes.len()}));
    }
    if args.json {
        show(&format!("{:#}\n", json!(written)));
    }
    Ok(Code::Done)
}
