//! `wallaby simulate`.

use super::{Outcome, show};
use crate::error::{Code, Error};
use clap::Args;
use std::panic::catch_unwind;
use wallaby_core::simulation::{Outcome as History, simulate as simulate_seed};

/// Run the real scheduler through simulated clusters with kills, delays and losses
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby simulate --seeds 1000
  wallaby simulate --seeds 1 --first-seed 42")]
pub(super) struct SimulateArgs {
    /// How many histories to run, one a seed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The first seed
    #[arg(long, value_name = "S", default_value_t = 0)]
    first_seed: u64,
}

pub(super) fn simulate(args: &SimulateArgs) -> Outcome {
    let began = std::time::Instant::now();
    let (mut total, mut failed) = (History::default(), 0u64);
    for seed in (args.first_seed..=u64::MAX).take(usize::try_from(args.seeds).unwrap_or(usize::MAX))
    {
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
    if failed > 0 {
        return Err(Error::CheckFailed(format!(
            "{failed} of {} seeds broke a promise",
            args.seeds
        )));
    }
    Ok(Code::Done)
}

fn add(total: &mut History, history: &History) {
    total.steps += history.steps;
    total.commits += history.commits;
    total.faults += history.faults;
    total.duplicates += history.duplicates;
    total.rollbacks += history.rollbacks;
    total.elections += history.elections;
}
