//! `wallaby bench …`: measurements that anybody can repeat.

mod dispatch;
mod schedule;

use super::Outcome;
use clap::{Args, Subcommand};

/// Measure the scheduler
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby bench schedule
  wallaby bench dispatch --json")]
pub(super) struct BenchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Schedule(schedule::ScheduleArgs),
    Dispatch(dispatch::DispatchArgs),
}

pub(super) fn bench(args: &BenchArgs) -> Outcome {
    match &args.what {
        What::Schedule(args) => schedule::schedule(args),
        What::Dispatch(args) => dispatch::dispatch(args),
    }
}
