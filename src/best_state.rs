//! The state of the best model: from the store, or, if it is damaged or gone there, trained again
//! from the journal. Never gives bytes of another digest.

use crate::error::Error;
use crate::launch::Session;
use crate::verify::Verifier;
use std::sync::Arc;
use wallaby_actors::blobs::BlobError;
use wallaby_actors::journal_actor::decode_records;
use wallaby_core::ids::Seq;
use wallaby_core::study::Study;

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
    let lost = match session.workbench.blobs.get(&best.state) {
        Err(lost @ (BlobError::Missing { .. } | BlobError::Damaged { .. })) => lost,
        state => return Ok(Some(state?)),
    };
    warn(&format!("{lost}; {trial} is trained again from the journal"));
    let entries = decode_records(session.journal.read(Seq(0)).await?)?;
    let verifier = Verifier::new(entries, study.clone(), Arc::clone(&session.workbench));
    match verifier.state_of(trial, best.state)? {
        Ok(state) => {
            let state = Arc::new(state);
            session.workbench.blobs.put(Arc::clone(&state), true)?;
            Ok(Some(state))
        }
        Err(why) => Err(Error::BestStateLost { trial, lost, why }),
    }
}
