//! The state of the best model: from the store, or, if it is damaged or gone there, trained again
//! from the journal. Never gives bytes of another digest.

use crate::error::Error;
use crate::launch::Session;
use crate::recorded::Recorded;
use crate::verify::Verifier;
use std::sync::Arc;
use wallaby_actors::blobs::BlobError;
use wallaby_actors::journal_actor::decode_records;
use wallaby_actors::workbench::Workbench;
use wallaby_core::ids::{Seq, TrialId};
use wallaby_core::journal::Entry;
use wallaby_core::study::Study;
use wallaby_core::trial::Best;

/// The state of the best epoch of the best trial; `None` while no epoch is validated. `warn` is
/// told if it has to be trained again.
///
/// # Errors
/// It is in no store and cannot be trained again, for example for want of data.
pub(crate) async fn best_state(
    session: &Session,
    study: &Study,
    warn: impl Fn(&str),
) -> Result<Option<Arc<Vec<u8>>>, Error> {
    let Some((trial, best)) = study.best() else { return Ok(None) };
    let lost = match stored(&session.workbench, best)? {
        Ok(state) => return Ok(Some(state)),
        Err(lost) => lost,
    };
    warn(&format!("{lost}; {trial} is trained again from the journal"));
    let entries = decode_records(session.journal.read(Seq(0)).await?)?;
    train_again(&session.workbench, entries, study, lost).map(Some)
}

/// As [`best_state`], of a run that is not under way, with the trial's number.
///
/// # Errors
/// Also if no trial has a result.
pub(crate) fn recorded_best_state(
    recorded: &Recorded,
    workbench: &Arc<Workbench>,
    warn: impl Fn(&str),
) -> Result<(TrialId, Arc<Vec<u8>>), Error> {
    let (run, why) = (recorded.title().into(), String::new());
    let (trial, best) = recorded.study.best().ok_or(Error::NoResult { run, why })?;
    let lost = match stored(workbench, best)? {
        Ok(state) => return Ok((trial, state)),
        Err(lost) => lost,
    };
    recorded.bring_data()?;
    warn(&format!("{lost}; {trial} is trained again from the journal"));
    let state = train_again(workbench, recorded.entries.clone(), &recorded.study, lost)?;
    Ok((trial, state))
}

/// The state in the store; the inner error says what happened to it.
fn stored(workbench: &Workbench, best: Best) -> Result<Result<Arc<Vec<u8>>, BlobError>, Error> {
    match workbench.blobs.get(&best.state) {
        Err(lost @ (BlobError::Missing { .. } | BlobError::Damaged { .. })) => Ok(Err(lost)),
        state => Ok(Ok(state?)),
    }
}

/// The state of the best trial of `study`, to which `entries` fold, trained and stored again.
fn train_again(
    workbench: &Arc<Workbench>,
    entries: Vec<Entry>,
    study: &Study,
    lost: BlobError,
) -> Result<Arc<Vec<u8>>, Error> {
    let (trial, best) = study.best().expect("what is lost was there");
    let verifier = Verifier::new(entries, study.clone(), Arc::clone(workbench));
    match verifier.state_of(trial, best.state)? {
        Ok(state) => {
            let state = Arc::new(state);
            workbench.blobs.put(Arc::clone(&state), true)?;
            Ok(state)
        }
        Err(why) => Err(Error::BestStateLost { trial, lost, why }),
    }
}
