//! `wallaby bench …`: measurements that anybody can repeat.

mod cluster;
mod dispatch;
mod schedule;

use super::Outcome;
use clap::{Args, Subcommand};
use wallaby_train::Registry;

/// Measure the scheduler and a cluster
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby bench schedule
  wallaby bench dispatch --json
  wallaby bench cluster")]
pub(super) struct BenchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Schedule(schedule::ScheduleArgs),
    Dispatch(dispatch::DispatchArgs),
    Cluster(cluster::ClusterBenchArgs),
}

pub(super) fn bench(args: &BenchArgs, registry: &Registry) -> Outcome {
    match &args.what {
        What::Schedule(args) => schedule::schedule(args),
        What::Dispatch(args) => dispatch::dispatch(args),
        What::Cluster(args) => cluster::cluster(args, registry),
    }
}
