//! `wallaby trials RUN`.

use super::{Outcome, RunPath, look_at_run, report, show};
use crate::error::{Code, Error};
use crate::filter::Filter;
use crate::ranking::{self, short};
use crate::sheet::{Cell, Sheet};
use crate::table::aligned;
use clap::Args;

/// Show the trials of a run, sorted and chosen by their columns
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby trials runs/digits-1
  wallaby trials runs/digits-1 --sort config.learning_rate --descending
  wallaby trials runs/digits-1 --where 'accuracy > 0.95 and not config.optimizer == sgd'

The columns are those of trials.csv. An expression compares columns with ==, !=, <, <=, >, >= to
numbers, words, \"texts\", [lists] or none (no value), and joins comparisons by and, or, not and
parentheses; what no trial could satisfy is refused. Also of a run that is under way.")]
pub(super) struct TrialsArgs {
    #[command(flatten)]
    path: RunPath,
    /// Sort by this column, the smallest first; without it the best trial is first
    #[arg(long, value_name = "COLUMN")]
    sort: Option<String>,
    /// The largest first
    #[arg(long, requires = "sort")]
    descending: bool,
    /// Only the trials for which this holds
    #[arg(long = "where", value_name = "EXPR")]
    condition: Option<String>,
    /// As a JSON array of objects with a field for each column
    #[arg(long)]
    json: bool,
}

pub(super) fn trials(args: &TrialsArgs) -> Outcome {
    let recorded = look_at_run(&args.path)?;
    let facts = recorded.facts()?;
    let mut sheet = ranking::trials(&recorded.study, facts.problem.metrics());
    if let Some(text) = &args.condition {
        let filter = Filter::parse(text, &sheet).map_err(|e| Error::Usage(e.to_string()))?;
        let all = sheet.rows.len();
        sheet.rows.retain(|row| filter.accepts(row));
        if sheet.rows.is_empty() {
            report(&format!("--where: 0 of {all} trials are like that"));
        }
    }
    if let Some(name) = &args.sort {
        let column = sheet.require(name).map_err(|e| Error::Usage(format!("--sort: {e}")))?;
        sheet.sort(column, args.descending);
    }
    show(&if args.json { sheet.to_json() } else { table(&sheet) });
    Ok(Code::Done)
}

/// All columns but the digest of the state, which is for programs.
fn table(sheet: &Sheet) -> String {
    let shown = sheet.columns.len().saturating_sub(1);
    let text = |cell: &Cell| cell.as_ref().map_or_else(|| "-".to_owned(), short);
    let name = |name: &String| name.strip_prefix("config.").unwrap_or(name).to_owned();
    let mut rows: Vec<Vec<String>> = vec![sheet.columns[..shown].iter().map(name).collect()];
    rows.extend(sheet.rows.iter().map(|row| row[..shown].iter().map(text).collect()));
    aligned(&rows)
}
