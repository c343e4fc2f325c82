//! `wallaby best RUN`.

use super::{Outcome, RunPath, look_at_run, report, show};
use crate::error::{Code, Error};
use crate::recorded::Recorded;
use crate::results::{weights_digest, write_best};
use clap::Args;
use serde_json::Value as Json;
use wallaby_actors::blobs::BlobStore;
use wallaby_core::ids::Digest;
use wallaby_train::weights_only;

/// Show the best trial of a run
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby best runs/digits-1
  wallaby best runs/digits-1 --json | jq .config

Also of a run that is under way; its weights are written when it comes to rest.")]
pub(super) struct BestArgs {
    #[command(flatten)]
    path: RunPath,
    /// As a JSON object: trial, objective, metrics, config, weights, weights_blake3 and more
    #[arg(long)]
    json: bool,
}

pub(super) fn best(args: &BestArgs) -> Outcome {
    let recorded = look_at_run(&args.path)?;
    refresh_weights(&recorded)?;
    let none = || Error::NoResult { run: recorded.title().into(), why: String::new() };
    // The weights of a run that is under way are those of its last rest.
    let weights = weights_digest(&recorded.folder).filter(|_| recorded.in_use.is_none());
    let best = recorded.best_json(weights).ok_or_else(none)?;
    show(&if args.json { format!("{best:#}\n") } else { lines(&best) });
    Ok(Code::Done)
}

/// Weights that are not there, or not those of the best state, are written again from it.
fn refresh_weights(recorded: &Recorded) -> Result<(), Error> {
    let (folder, study) = (&recorded.folder, &recorded.study);
    let ours = recorded.lock.is_some() || recorded.distant.is_some();
    let Some((_, best)) = study.best().filter(|_| ours) else { return Ok(()) };
    recorded.bring_best()?;
    let state = BlobStore::open(&folder.blobs()).and_then(|blobs| blobs.get(&best.state));
    match state {
        Ok(state) => {
            let expected = weights_only(&state).ok().map(|weights| Digest::of(&weights));
            if expected != weights_digest(folder) {
                write_best(folder, study, &recorded.facts()?, &state)?;
            }
        }
        Err(error) if weights_digest(folder).is_none() => {
            let make = match recorded.distant {
                Some(_) => "`wallaby fetch` makes them again".to_owned(),
                None => format!("`wallaby resume {}` makes them", folder.path().display()),
            };
            report(&format!("the weights are not there: {error}; {make}"));
        }
        // The state went with `clean`; the weights are what is left of it.
        Err(_) => {}
    }
    Ok(())
}

/// One field a line; the fields of `metrics` and `config` indented below them.
fn lines(best: &Json) -> String {
    let plain = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut text = String::new();
    for (name, value) in best.as_object().into_iter().flatten() {
        match value.as_object() {
            None => text += &format!("{name:<15} {}\n", plain(value)),
            Some(fields) => {
                text += &format!("{name}\n");
                for (name, value) in fields {
                    text += &format!("  {name:<13} {}\n", plain(value));
                }
            }
        }
    }
    text
}
