//! `wallaby check FILE`.

use super::{Outcome, Overrides, report, show};
use crate::advice::doubts;
use crate::error::Code;
use crate::launch::{Prepared, open_device, prepare, read_study};
use clap::Args;
use std::path::PathBuf;
use wallaby_data::Task;
use wallaby_train::Registry;

/// Check a study file and its data without running anything
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  wallaby check examples/digits.toml")]
pub(super) struct CheckArgs {
    /// The study file (TOML, or JSON if it ends in .json)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    overrides: Overrides,
}

pub(super) fn check(args: &CheckArgs, registry: &Registry) -> Outcome {
    let file = read_study(&args.file, &args.overrides.to_list(), registry)?;
    open_device(&file)?;
    let prepared = prepare(file)?;
    doubts(&prepared).iter().for_each(|doubt| report(doubt));
    show(&format!("{}: no mistakes\n{}", args.file.display(), describe(&prepared)));
    Ok(Code::Done)
}

fn describe(prepared: &Prepared) -> String {
    let (data, spec) = (&prepared.data, &prepared.creation.spec);
    let task = match &data.problem.task {
        Task::Classification { labels } => format!("{} classes", labels.len()),
        Task::Regression => "regression".to_owned(),
    };
    let rows: Vec<usize> = data.train.iter().map(|partition| partition.rows()).collect();
    let (least, most) = (rows.iter().min(), rows.iter().max());
    let sampler = format!("{:?}", spec.search.sampler).to_lowercase();
    let direction = format!("{:?}", spec.objective.direction).to_lowercase();
    format!(
        "  data    {} training rows in {} partitions of {} to {}, {} validation rows, {} features, {task}\n\
         \x20 search  {} trials ({sampler}) × {} epochs, {} parameters\n\
         \x20 goal    {direction} {}\n",
        data.training_rows(),
        rows.len(),
        least.unwrap_or(&0),
        most.unwrap_or(&0),
        data.validation.rows(),
        data.problem.inputs(),
        spec.trials_max(),
        spec.budget.epochs,
        spec.search.space.0.len(),
        spec.objective.metric,
    )
}
