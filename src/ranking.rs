//! The ranking of a study's trials: as a table for people, as `trials.csv` for programs.

use crate::progress::{end_word, number};
use std::collections::BTreeSet;
use wallaby_core::study::Study;
use wallaby_core::trial::{EpochResult, Trial};
use wallaby_core::value::Value;

/// How many trials the table shows.
const ROWS_MAX: usize = 20;

/// The best trials, one a line, with the searched parameters.
pub(crate) fn table(study: &Study) -> String {
    let objective = &study.creation.spec.objective;
    let searched: Vec<&str> =
        study.creation.spec.search.space.0.keys().map(String::as_str).collect();
    let mut head = vec!["rank", "trial", objective.metric.as_str(), "epoch", "end"];
    head.extend(&searched);
    let ranking = study.ranking();
    let mut rows = vec![head.into_iter().map(str::to_owned).collect::<Vec<String>>()];
    for (rank, trial) in ranking.iter().take(ROWS_MAX).enumerate() {
        rows.push(row(rank + 1, trial, &searched));
    }
    let mut text = aligned(&rows);
    if ranking.len() > ROWS_MAX {
        text += &format!("… and {} more in trials.csv\n", ranking.len() - ROWS_MAX);
    }
    text
}

fn row(rank: usize, trial: &Trial, searched: &[&str]) -> Vec<String> {
    let dash = || "-".to_owned();
    let mut row = vec![
        rank.to_string(),
        trial.id.0.to_string(),
        trial.best.map_or_else(dash, |best| number(best.value)),
        trial.best.map_or_else(dash, |best| best.epoch.0.to_string()),
        end_word(trial.end.as_ref()).to_owned(),
    ];
    row.extend(searched.iter().map(|name| trial.config.get(*name).map_or_else(dash, short)));
    row
}

/// A value short enough for a table.
fn short(value: &Value) -> String {
    match value {
        Value::Float(value) => number(*value),
        other => other.to_string(),
    }
}

/// Columns of equal width, numbers to the left like everything else.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// Every trial, best first: number, end, epochs, objective and its epoch, the metrics of that
/// epoch, the configuration, the BLAKE3 of the final state.
pub(crate) fn trials_csv(study: &Study, metrics: &[&str]) -> String {
    let metrics: Vec<&str> = metrics.iter().copied().chain(["train_loss"]).collect();
    let names: BTreeSet<&String> =
        study.trials.iter().flat_map(|trial| trial.config.keys()).collect();
    let mut head: Vec<String> =
        ["rank", "trial", "end", "epochs", "objective", "best_epoch"].map(str::to_owned).into();
    head.extend(metrics.iter().map(|name| (*name).to_owned()));
    head.extend(names.iter().map(|name| format!("config.{name}")));
    head.push("state".to_owned());
    let mut text = head.join(",") + "\n";
    for (rank, trial) in study.ranking().into_iter().enumerate() {
        text += &csv_line(rank + 1, trial, &metrics, &names);
    }
    text
}

fn csv_line(rank: usize, trial: &Trial, metrics: &[&str], names: &BTreeSet<&String>) -> String {
    let best = best_result(trial);
    let mut cells = vec![
        rank.to_string(),
        trial.id.0.to_string(),
        end_word(trial.end.as_ref()).to_owned(),
        trial.results.len().to_string(),
        trial.best.map(|best| best.value.to_string()).unwrap_or_default(),
        trial.best.map(|best| best.epoch.0.to_string()).unwrap_or_default(),
    ];
    let metric = |name: &&str| best.and_then(|result| result.metrics.get(*name));
    cells.extend(metrics.iter().map(|name| metric(name).map(f64::to_string).unwrap_or_default()));
    let value = |name: &&String| trial.config.get(*name).map(Value::to_string);
    cells.extend(names.iter().map(|name| value(name).map(|v| quoted(&v)).unwrap_or_default()));
    cells.push(trial.last_state.map(|state| state.to_string()).unwrap_or_default());
    cells.join(",") + "\n"
}

/// The result of a trial's best epoch.
pub(crate) fn best_result(trial: &Trial) -> Option<&EpochResult> {
    let best = trial.best?;
    trial.results.iter().find(|result| result.epoch == best.epoch)
}

/// As CSV wants it: in quotes where a comma or a quote is inside.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
