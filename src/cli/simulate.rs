//! `wallaby simulate`.

use super::{Outcome, show};
use crate::error::{Code, Error};
use clap::Args;
use std::panic::{AssertUnwindSafe, catch_unwind};
use wallaby_core::cluster::simulation as clusters;
use wallaby_core::simulation::{Failed, Outcome as History, simulate as simulate_seed};

/// Run the real scheduler through simulated clusters with kills, delays and losses
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby simulate --seeds 1000
  wallaby simulate --seeds 1 --first-seed 42
  wallaby simulate --cluster --seeds 1000")]
pub(super) struct SimulateArgs {
    /// How many histories to run, one a seed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The first seed
    #[arg(long, alias = "seed", value_name = "S", default_value_t = 0)]
    first_seed: u64,
    /// Simulate whole clusters: several studies, nodes with disks, leaders that are deposed
    #[arg(long)]
    cluster: bool,
}

impl SimulateArgs {
    fn all_seeds(&self) -> impl Iterator<Item = u64> {
        (self.first_seed..=u64::MAX).take(usize::try_from(self.seeds).unwrap_or(usize::MAX))
    }
}

pub(super) fn simulate(args: &SimulateArgs) -> Outcome {
    if args.cluster {
        return simulate_clusters(args);
    }
    let began = std::time::Instant::now();
    let (mut total, mut failed) = (History::default(), 0u64);
    for seed in args.all_seeds() {
        match catch_unwind(|| simulate_seed(seed)) {
            Ok(Ok(history)) => add(&mut total, &history),
            broken => {
                failed += 1;
                let what = match broken {
                    Ok(Err(what)) => what.to_string(),
                    _ => format!("seed {seed}: the scheduler panicked"),
                };
                show(&format!(
                    "{what}\n  replay: wallaby simulate --seeds 1 --first-seed {seed}\n"
                ));
            }
        }
    }
    show(&format!(
        "{} histories: {} steps, {} units committed, {} faults, {} doubled messages, \
         {} roll-backs, {} changes of leader in {:.1} s; {failed} broke a promise\n",
        args.seeds,
        total.steps,
        total.commits,
        total.faults,
        total.duplicates,
        total.rollbacks,
        total.elections,
        began.elapsed().as_secs_f64(),
    ));
    judge(failed, args.seeds)
}

fn judge(failed: u64, seeds: u64) -> Outcome {
    if failed > 0 {
        return Err(Error::CheckFailed(format!("{failed} of {seeds} seeds broke a promise")));
    }
    Ok(Code::Done)
}

fn simulate_clusters(args: &SimulateArgs) -> Outcome {
    let began = std::time::Instant::now();
    let (mut total, mut failed) = (clusters::Outcome::default(), 0u64);
    for seed in args.all_seeds() {
        match catch_unwind(|| clusters::simulate(seed)) {
            Ok(Ok(history)) => total += history,
            broken => {
                failed += 1;
                show_broken_cluster(seed, broken.ok().and_then(Result::err));
            }
        }
    }
    show(&format!(
        "{} clusters: {} studies and {} of them deleted, {} steps, {} units committed, {} faults, \
         {} letters lost and {} doubled, {} blobs moved and {} removed, {} roll-backs, {} changes \
         of leader, {} h of virtual time in {:.1} s; {failed} broke a promise\n",
        args.seeds,
        total.studies,
        total.deleted,
        total.steps,
        total.commits,
        total.faults,
        total.lost,
        total.duplicates,
        total.moved,
        total.released,
        total.rollbacks,
        total.elections,
        total.millis / 3_600_000,
        began.elapsed().as_secs_f64(),
    ));
    judge(failed, args.seeds)
}

/// Runs a failing history once more, to tell its last steps.
fn show_broken_cluster(seed: u64, failed: Option<Failed>) {
    let mut trace = clusters::Trace::default();
    // What went wrong is known already.
    let _ = catch_unwind(AssertUnwindSafe(|| clusters::retrace(seed, &mut trace)));
    let what = failed.map_or_else(|| format!("seed {seed}: it panicked"), |f| f.to_string());
    let steps: String = trace.lines().map(|line| format!("  {line}\n")).collect();
    show(&format!("{steps}{what}\n  replay: wallaby simulate --cluster --seeds 1 --seed {seed}\n"));
}

fn add(total: &mut History, history: &History) {
    total.steps += history.steps;
    total.commits += history.commits;
    total.faults += history.faults;
    total.duplicates += history.duplicates;
    total.rollbacks += history.rollbacks;
    total.elections += history.elections;
}
