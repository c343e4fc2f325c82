//! What a run leaves in its folder: the ranking, the metrics, the best model.

use crate::error::Error;
use crate::json;
use crate::progress::metrics_csv;
use crate::ranking::{best_result, trials};
use crate::recorded::Facts;
use crate::report;
use crate::run_folder::RunFolder;
use serde_json::{Value as Json, json};
use wallaby_core::ids::Digest;
use wallaby_core::journal::Entry;
use wallaby_core::study::Study;
use wallaby_train::weights_only;

/// The best model's files.
const WEIGHTS: &str = "best/model.safetensors";
const CONFIG: &str = "best/config.json";

/// Writes `trials.csv` and `metrics.csv`.
pub(crate) fn write_tables(folder: &RunFolder, study: &Study, facts: &Facts) -> Result<(), Error> {
    let metrics = facts.problem.metrics();
    folder.write("trials.csv", &trials(study, metrics).to_csv())?;
    Ok(folder.write("metrics.csv", metrics_csv(study, metrics).as_bytes())?)
}

/// Writes `report.html`; `entries` is the whole journal.
pub(crate) fn write_report(
    folder: &RunFolder,
    entries: &[Entry],
    study: &Study,
    facts: &Facts,
) -> Result<(), Error> {
    Ok(folder.write(report::FILE, report::html(entries, study, facts).as_bytes())?)
}

/// Writes `best/` from the state of the best epoch.
pub(crate) fn write_best(
    folder: &RunFolder,
    study: &Study,
    facts: &Facts,
    state: &[u8],
) -> Result<(), Error> {
    let weights = weights_only(state)
        .map_err(|error| Error::Unexpected(format!("the state of the best model: {error}")))?;
    folder.write(WEIGHTS, &weights)?;
    if let Some(description) = best_json(folder, study, Some(Digest::of(&weights)), Some(facts)) {
        let text = serde_json::to_string_pretty(&description).expect("texts and numbers are JSON");
        folder.write(CONFIG, (text + "\n").as_bytes())?;
    }
    Ok(())
}

/// The best trial for scripts. With `facts`, also what is needed to use the weights elsewhere.
pub(crate) fn best_json(
    folder: &RunFolder,
    study: &Study,
    weights: Option<Digest>,
    facts: Option<&Facts>,
) -> Option<Json> {
    let (id, best) = study.best()?;
    let trial = study.trial(id)?;
    let spec = &study.creation.spec;
    let mut object = json!({
        "study": spec.name,
        "trial": id.0,
        "epoch": best.epoch.0,
        "objective": best.value,
        "metric": spec.objective.metric,
        "direction": format!("{:?}", spec.objective.direction).to_lowercase(),
        "metrics": best_result(trial).map(|result| json::metrics(&result.metrics)),
        "family": spec.family,
        "config": json::config(&trial.config),
        "weights": folder.join(WEIGHTS).display().to_string(),
        "weights_blake3": weights.map(|digest| digest.to_string()),
        "state_blake3": best.state.to_string(),
    });
    if let (Some(facts), Some(fields)) = (facts, object.as_object_mut()) {
        fields.insert("weights".to_owned(), json!("model.safetensors"));
        fields.insert("problem".to_owned(), json!(facts.problem));
        fields.insert("scaling".to_owned(), json!(facts.scaling));
    }
    Some(object)
}

/// The digest of the weights file that lies in the folder, if there is one.
pub(crate) fn weights_digest(folder: &RunFolder) -> Option<Digest> {
    std::fs::read(folder.join(WEIGHTS)).ok().map(|bytes| Digest::of(&bytes))
}
