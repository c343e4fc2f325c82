//! The weights at the end are those of one undisturbed process, and so is the best trial.

use std::collections::BTreeSet;
use wallaby::wallaby_core::study::{Phase, Study};

pub(super) fn check(
    study: &Study,
    undisturbed: &Study,
    failing: &BTreeSet<u32>,
    wrong: &mut Vec<String>,
) {
    if !matches!(study.phase, Phase::Ended(_)) {
        wrong.push(format!("it has not ended: {:?}", study.phase));
    }
    for (found, expected) in study.trials.iter().zip(&undisturbed.trials) {
        let id = expected.id;
        if failing.contains(&id.0) {
            continue;
        }
        if found.config != expected.config {
            wrong.push(format!("{id} has another configuration than undisturbed"));
        }
        if found.last_state != expected.last_state {
            let (found, expected) = (found.last_state, expected.last_state);
            wrong.push(format!("{id} ends with the weights {found:?}, expected {expected:?}"));
        }
        if found.results != expected.results {
            wrong.push(format!("{id} has other metrics than undisturbed"));
        }
    }
    let best = undisturbed.best();
    let counts = best.is_none_or(|(trial, _)| !failing.contains(&trial.0));
    if counts && study.best() != best {
        wrong.push(format!("the best is {:?}, expected {best:?}", study.best()));
    }
}
