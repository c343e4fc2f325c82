//! `wallaby predict RUN`.

use super::{Outcome, RunPath, read_run, report, show_bytes};
use crate::error::{Code, Error};
use crate::predict::predict as answers_for;
use crate::whole_file::write_out;
use clap::Args;
use std::path::PathBuf;
use wallaby_train::Registry;

/// Let the best model of a run answer for the rows of a CSV file
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby predict runs/digits-1 --data new.csv > answers.csv
  wallaby predict runs/digits-1 --data new.csv.gz --out answers.csv

The file is read as the study's data: the same delimiter, a header or none. Its target column may
be there or not. Features are found by name if there is a header, and are scaled as in training.
Answers are CSV: class and probability_LABEL for each label, or value.")]
pub(super) struct PredictArgs {
    #[command(flatten)]
    path: RunPath,
    /// The rows to answer for
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Where to write the answers; without it to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn predict(args: &PredictArgs, registry: &Registry) -> Outcome {
    refuse_the_rows_themselves(args)?;
    let recorded = read_run(&args.path)?;
    let answers = answers_for(&recorded, registry, &args.data, report)?;
    match &args.out {
        None => show_bytes(&answers.to_csv()),
        Some(path) => {
            write_out(path, &answers.to_csv())?;
            report(&format!("{} rows answered in {}", answers.rows(), path.display()));
        }
    }
    Ok(Code::Done)
}

/// The answers must not take the place of the rows that they are for.
fn refuse_the_rows_themselves(args: &PredictArgs) -> Result<(), Error> {
    let Some(out) = &args.out else { return Ok(()) };
    match (args.data.canonicalize(), out.canonicalize()) {
        (Ok(data), Ok(out_file)) if data == out_file && data.is_file() => {
            let out = out.display();
            let why = "is the file of --data and would be lost, expected another file";
            Err(Error::Usage(format!("--out {out}: {why}")))
        }
        _ => Ok(()),
    }
}
