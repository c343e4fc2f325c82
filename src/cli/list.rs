//! `wallaby list`.

use super::{Outcome, show};
use crate::cluster::{ClusterArgs, block_on};
use crate::error::{Code, Error};
use crate::moment;
use crate::overview::{Overview, State};
use crate::progress::number;
use crate::table::aligned;
use clap::Args;
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use wallaby_actors::cluster::api_types::StudyInfo;
use wallaby_core::ids::Moment;

/// Show the runs in a folder: study, state, trials, best, when
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby list
  wallaby list --dir /data/runs --json | jq '.[] | select(.state == \"interrupted\").run'

With --cluster the studies of the cluster, as `wallaby status` has them; with WALLABY_CLUSTER set and
no --dir, both. A run is running, ended, paused, interrupted (it was killed: `wallaby resume` goes on) or
unreadable. Runs of other processes are only looked at.")]
pub(super) struct ListArgs {
    /// The folder of the runs; without it runs
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// As a JSON array of objects: run, study, cluster, state, process, why, trials_ended, trials,
    /// best (trial, objective, metric), began, last
    #[arg(long)]
    json: bool,
}

pub(super) fn list(args: &ListArgs) -> Outcome {
    let dir = args.dir.clone().unwrap_or_else(|| "runs".into());
    let only_cluster = args.dir.is_none() && args.cluster.is_named();
    let runs = if only_cluster { Vec::new() } else { Overview::all_in(&dir)? };
    let studies = studies(args);
    let none = Vec::new();
    let known = studies.as_ref().unwrap_or(&none);
    if args.json {
        let runs = runs.iter().map(Overview::json).chain(known.iter().map(study_json));
        show(&format!("{:#}\n", Json::Array(runs.collect())));
    } else if runs.is_empty() && known.is_empty() {
        let place = if only_cluster { "the cluster".to_owned() } else { dir.display().to_string() };
        let maker = if only_cluster { "submit" } else { "run" };
        show(&format!("no runs in {place}; `wallaby {maker} FILE` makes one\n"));
    } else {
        let head = ["run", "study", "state", "trials", "best", "trial", "last"];
        let head = head.map(str::to_owned).to_vec();
        let rows = runs.iter().map(row).chain(known.iter().map(study_row));
        show(&aligned(&std::iter::once(head).chain(rows).collect::<Vec<_>>()));
        runs.iter().for_each(explain);
    }
    // What there is here was shown all the same.
    studies.map(|_| Code::Done)
}

/// The studies of the cluster, if one is meant.
fn studies(args: &ListArgs) -> Result<Vec<StudyInfo>, Error> {
    if args.dir.is_some() && !args.cluster.is_named() {
        return Ok(Vec::new());
    }
    match args.cluster.client_if_any()? {
        Some(client) => block_on(async { Ok(client.studies().await?) }),
        None => Ok(Vec::new()),
    }
}

/// With the fields of a run; `null` where the cluster does not tell.
fn study_json(study: &StudyInfo) -> Json {
    let best = study.best.map(
        |best| json!({"trial": best.trial, "objective": best.objective, "metric": study.metric}),
    );
    json!({
        "run": study.name, "study": study.name, "cluster": true, "state": study.phase,
        "process": null, "why": study.cause, "trials_ended": study.trials_done,
        "trials": study.trials_max, "best": best,
        "began": moment::iso(Moment(study.created_at)), "last": null,
    })
}

fn study_row(study: &StudyInfo) -> Vec<String> {
    let dash = || "-".to_owned();
    vec![
        study.name.clone(),
        "in the cluster".to_owned(),
        study.phase.to_string(),
        format!("{}/{}", study.trials_done, study.trials_max),
        study.best.map_or_else(dash, |best| {
            format!("{} {}", study.metric, number(best.objective)).trim_start().to_owned()
        }),
        study.best.map_or_else(dash, |best| best.trial.to_string()),
        dash(),
    ]
}

fn row(run: &Overview) -> Vec<String> {
    let dash = || "-".to_owned();
    let progress = run.progress.as_ref();
    let best = progress.and_then(|progress| progress.best.map(|best| (&progress.metric, best)));
    vec![
        run.folder.path().display().to_string(),
        if run.study.is_empty() { dash() } else { run.study.clone() },
        run.state.word().to_owned(),
        progress.map_or_else(dash, |progress| format!("{}/{}", progress.ended, progress.trials)),
        best.map_or_else(dash, |(metric, (_, value))| format!("{metric} {}", number(value))),
        best.map_or_else(dash, |(_, (trial, _))| trial.to_string()),
        progress.map_or_else(dash, |progress| moment::minute(progress.last)),
    ]
}

/// A word in the table is not enough where something is wrong.
fn explain(run: &Overview) {
    if let State::Unreadable(why) = &run.state {
        super::report(why);
    }
}
