//! `wallaby watch STUDY`.

use super::{LOG, Manner, Outcome, report, show, width};
use crate::cluster::{ClusterArgs, ClusterError, Watching, block_on};
use crate::error::{Code, Error};
use crate::progress::{All, Events, Live, Plain, Progress, Stage, Warnings, event_now};
use crate::ranking;
use clap::Args;
use std::io::{stderr, stdout};
use std::sync::Arc;
use wallaby_core::journal::Conclusion;
use wallaby_core::study::{Phase, Study};

/// Show a study of a cluster while it runs, as `run` does
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby watch digits --cluster my-cluster
  wallaby watch digits --json | jq -c 'select(.event == \"trial_ended\")'

Ctrl-C ends the watching, not the study. Goes on over another node if one dies. Ends with the study:
exit code 0, 9 if no trial has a result, 16 if it was cancelled.")]
pub(super) struct WatchArgs {
    /// The study
    #[arg(value_name = "STUDY")]
    study: String,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    manner: Manner,
}

pub(super) fn watch(args: &WatchArgs) -> Outcome {
    let client = Arc::new(args.cluster.client()?);
    block_on(async {
        let watching = Watching::start(client, &args.study).await?;
        let study = follow(watching, args.manner).await?;
        conclude(&args.study, &study, args.manner)
    })
}

/// Shows the study to its end.
async fn follow(mut watching: Watching, manner: Manner) -> Result<Study, Error> {
    if let Phase::Paused(_) = watching.study().phase {
        report("the study is paused; `wallaby resume` goes on");
    }
    let stage = stage(manner);
    let live =
        stage.clone().map(|stage| Live::start(stage, watching.study(), 0, watching.surroundings()));
    let mut progress = progress(manner, live);
    let warn = |error: &ClusterError| {
        let say = || report(&format!("{error}\ntrying again"));
        match &stage {
            Some(stage) => stage.aside(say),
            None => say(),
        }
    };
    let ended = |phase: &Phase| matches!(phase, Phase::Ended(_));
    watching.follow(&mut progress, ended, warn).await?;
    Ok(watching.study().clone())
}

/// Diagnostics on standard error and a view would write over each other.
fn stage(manner: Manner) -> Option<Stage> {
    let other = manner.plain || manner.quiet || manner.json;
    if other || std::env::var_os(LOG).is_some() { None } else { Stage::of_stdout() }
}

fn progress(manner: Manner, live: Option<Live>) -> All {
    let shown: Box<dyn Progress> = match live {
        Some(live) => Box::new(live),
        None if manner.json => Box::new(Events(stdout())),
        None if manner.quiet => Box::new(Warnings(stderr())),
        None => Box::new(Plain::new(stdout())),
    };
    All(vec![shown])
}

fn conclude(name: &str, study: &Study, manner: Manner) -> Outcome {
    if manner.json {
        let best = study.best().map(|(id, best)| {
            serde_json::json!({"trial": id.0, "epoch": best.epoch.0, "objective": best.value})
        });
        let event = serde_json::json!({"event": "run_finished", "study": name, "phase": "ended",
            "seconds": study.active_millis as f64 / 1000.0, "best": best});
        show(&event_now(event));
    } else if !manner.quiet {
        show(&format!("\n{}\n", ranking::table(study, width())));
        show(&format!("`wallaby fetch {name} DIR` fetches it with its best model\n"));
    }
    end_code(name, study)
}

/// The exit code of a study that has ended.
pub(super) fn end_code(name: &str, study: &Study) -> Outcome {
    if study.phase == Phase::Ended(Conclusion::Cancelled) {
        report(&format!("{name} was cancelled"));
        return Ok(Code::Cancelled);
    }
    match study.best() {
        Some(_) => Ok(Code::Done),
        None => Err(Error::NoResult { run: name.into(), why: String::new() }),
    }
}
