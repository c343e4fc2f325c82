//! The ranking of a study's trials: as a table for people, as sheets for programs.

use crate::progress::{end_word, number};
use crate::sheet::{Cell, Sheet};
use crate::table::{aligned, fitting};
use std::collections::BTreeSet;
use wallaby_core::study::Study;
use wallaby_core::trial::{EpochResult, Trial};
use wallaby_core::value::Value;

/// The column that tells how a trial ended.
pub(crate) const END: &str = "end";

/// How many trials the table shows.
const ROWS_MAX: usize = 20;

/// The columns that a table always has: those before the parameters.
const COLUMNS_MIN: usize = 5;

/// The best trials, one a line, with the searched parameters; on a terminal of `width` characters
/// as many of them as fit.
pub(crate) fn table(study: &Study, width: Option<usize>) -> String {
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
    let columns = rows[0].len();
    let shown = width.map_or(columns, |width| fitting(&rows, width).max(COLUMNS_MIN));
    rows.iter_mut().for_each(|row| row.truncate(shown));
    let mut text = aligned(&rows);
    if shown < columns {
        text += &format!("… and {} more columns in trials.csv\n", columns - shown);
    }
    if ranking.len() > ROWS_MAX {
        text += &format!("… and {} more trials in trials.csv\n", ranking.len() - ROWS_MAX);
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
pub(crate) fn short(value: &Value) -> String {
    match value {
        Value::Float(value) => number(*value),
        other => other.to_string(),
    }
}

/// Every trial, best first: number, end, epochs, objective and its epoch, the metrics of that
/// epoch, the configuration, the BLAKE3 of the final state. What `trials.csv` holds.
pub(crate) fn trials(study: &Study, metrics: &[&str]) -> Sheet {
    let metrics = with_train_loss(metrics);
    let names: BTreeSet<&String> =
        study.trials.iter().flat_map(|trial| trial.config.keys()).collect();
    let mut columns: Vec<String> =
        ["rank", "trial", END, "epochs", "objective", "best_epoch"].map(str::to_owned).into();
    columns.extend(metrics.iter().cloned());
    columns.extend(names.iter().map(|name| format!("config.{name}")));
    columns.push("state".to_owned());
    let ranking = study.ranking().into_iter().enumerate();
    let rows = ranking.map(|(at, trial)| cells(at + 1, trial, &metrics, &names)).collect();
    Sheet { columns, rows }
}

fn cells(rank: usize, trial: &Trial, metrics: &[String], names: &BTreeSet<&String>) -> Vec<Cell> {
    let best = best_result(trial);
    let mut cells = vec![
        whole(rank),
        whole(trial.id.0),
        Some(Value::Text(end_word(trial.end.as_ref()).to_owned())),
        whole(trial.results.len() as u64),
        trial.best.map(|best| Value::Float(best.value)),
        trial.best.and_then(|best| whole(best.epoch.0)),
    ];
    cells.extend(metrics.iter().map(|name| best.and_then(|result| metric(result, name))));
    cells.extend(names.iter().map(|name| trial.config.get(*name).cloned()));
    cells.push(trial.last_state.map(|state| Value::Text(state.to_string())));
    cells
}

/// Every validated epoch, by trial: the metrics of each. What `metrics.csv` holds.
pub(crate) fn epochs(study: &Study, metrics: &[&str]) -> Sheet {
    let metrics = with_train_loss(metrics);
    let mut columns: Vec<String> = ["trial", "epoch"].map(str::to_owned).into();
    columns.extend(metrics.iter().cloned());
    let results =
        study.trials.iter().flat_map(|trial| trial.results.iter().map(move |r| (trial, r)));
    let row = |(trial, result): (&Trial, &EpochResult)| {
        let mut cells = vec![whole(trial.id.0), whole(result.epoch.0)];
        cells.extend(metrics.iter().map(|name| metric(result, name)));
        cells
    };
    Sheet { columns, rows: results.map(row).collect() }
}

fn with_train_loss(metrics: &[&str]) -> Vec<String> {
    metrics.iter().chain(&["train_loss"]).map(|name| (*name).to_owned()).collect()
}

fn metric(result: &EpochResult, name: &str) -> Cell {
    result.metrics.get(name).copied().map(Value::Float)
}

fn whole(number: impl TryInto<i64>) -> Cell {
    number.try_into().ok().map(Value::Int)
}

/// The result of a trial's best epoch.
pub(crate) fn best_result(trial: &Trial) -> Option<&EpochResult> {
    let best = trial.best?;
    trial.results.iter().find(|result| result.epoch == best.epoch)
}
