//! `wallaby wait STUDY`.

use super::{Outcome, report, watch};
use crate::cluster::{ClusterArgs, ClusterError, Watching, block_on};
use crate::error::{Code, Error};
use crate::progress::{All, pause_words};
use clap::Args;
use std::sync::Arc;
use std::time::Duration;
use wallaby_core::journal::Pause;
use wallaby_core::study::Phase;

/// Wait until a study of a cluster ends
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby submit examples/digits.toml && wallaby wait digits && wallaby fetch digits runs/digits

Exit codes: 0 the study has ended, 9 it has ended without a result, 12 it was paused by request, 8 or
7 it is paused for want of space or data, 13 the cluster was out of reach for more than a minute, 15
the time is over, 16 it was cancelled.")]
pub(super) struct WaitArgs {
    /// The study
    #[arg(value_name = "STUDY")]
    study: String,
    /// How many seconds to wait at most; without it as long as it takes
    #[arg(long, value_name = "S")]
    timeout: Option<u64>,
    #[command(flatten)]
    cluster: ClusterArgs,
}

pub(super) fn wait(args: &WaitArgs) -> Outcome {
    let client = Arc::new(args.cluster.client()?);
    let name = &args.study;
    let waited = async {
        let mut watching = Watching::start(client, name).await?;
        let rests = |phase: &Phase| *phase != Phase::Running;
        let warn = |error: &ClusterError| report(&format!("{error}\ntrying again"));
        watching.follow(&mut All(Vec::new()), rests, warn).await?;
        match &watching.study().phase {
            Phase::Paused(cause) => paused(name, cause),
            _ => watch::end_code(name, watching.study()),
        }
    };
    block_on(async {
        let Some(seconds) = args.timeout else { return waited.await };
        let over = || Error::TimedOut(format!("{name} has not ended within {seconds} s"));
        let limit = tokio::time::timeout(Duration::from_secs(seconds), waited);
        limit.await.unwrap_or_else(|_| Err(over()))
    })
}

fn paused(name: &str, cause: &Pause) -> Outcome {
    let words = pause_words(cause);
    report(&format!("{name} is paused ({words}); `wallaby resume {name}` goes on"));
    Ok(match cause {
        Pause::Requested => Code::Paused,
        Pause::StorageFull(_) => Code::StorageFull,
        Pause::DataLost(_) => Code::Damaged,
        Pause::StorageBroken(_) => Code::Unexpected,
    })
}
