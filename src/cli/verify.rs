//! `wallaby verify RUN`.

use super::{Outcome, RunPath, read_run, report, show};
use crate::error::{Code, Error};
use crate::verify::{Verdict, Verifier};
use clap::Args;
use wallaby_core::ids::TrialId;
use wallaby_train::Registry;

/// Do trials again from their journaled visits and compare every state bit by bit
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby verify runs/digits-1 --trial 3")]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    path: RunPath,
    /// Only this trial
    #[arg(long, value_name = "N")]
    trial: Option<u32>,
}

pub(super) fn verify(args: &VerifyArgs, registry: &Registry) -> Outcome {
    let recorded = read_run(&args.path)?;
    let verifier = Verifier::of_run(recorded, registry)?;
    let same_numerics = verifier.same_numerics()?;
    if !same_numerics {
        report("this machine is of another numerics class than the one that recorded this run");
    }
    let all = verifier.trials();
    let trials = match args.trial.map(TrialId) {
        None => all,
        Some(trial) if all.contains(&trial) => vec![trial],
        Some(trial) => {
            let known = all.len().saturating_sub(1);
            return Err(Error::Usage(format!("--trial {}: expected 0 to {known}", trial.0)));
        }
    };
    if trials.is_empty() {
        show("no trial yet: nothing to verify\n");
    }
    let mut different = 0;
    for trial in &trials {
        match verifier.verify(*trial)? {
            Verdict::Equal(units) => show(&format!("{trial}: {units} units, every bit equal\n")),
            Verdict::Different(what) => {
                different += 1;
                show(&format!("{trial}: DIFFERENT, {what}\n"));
            }
        }
    }
    match (different, same_numerics) {
        (0, _) => Ok(Code::Done),
        (n, true) => Err(Error::CheckFailed(format!("{n} of {} trials differ", trials.len()))),
        (n, false) => Err(Error::OtherNumerics(format!(
            "{n} of {} trials differ, as they may on another numerics class",
            trials.len()
        ))),
    }
}
