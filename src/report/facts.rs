//! What there is to say about a study in words: how it was set up, how far it came, what is best.

use super::numbers::short;
use crate::progress::{duration, end_word, pause_words};
use crate::ranking::best_result;
use crate::recorded::Facts;
use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use wallaby_core::journal::Conclusion;
use wallaby_core::spec::Spec;
use wallaby_core::study::{Phase, Study};
use wallaby_core::trial::Trial;
use wallaby_data::Task;

/// A label and a text.
pub(super) type Fact = (&'static str, String);

/// The best trial.
#[derive(Debug, Serialize)]
pub(super) struct Best {
    trial: u32,
    epoch: u32,
    value: Option<f64>,
    metrics: BTreeMap<String, Option<f64>>,
    /// Complete; what is searched is marked in the page.
    config: BTreeMap<String, String>,
}

/// The best trial at its best epoch; `None` while no epoch is validated.
pub(super) fn best(study: &Study) -> Option<Best> {
    let (id, best) = study.best()?;
    let trial = study.trial(id)?;
    let metrics = best_result(trial).map(|result| result.metrics.clone()).unwrap_or_default();
    Some(Best {
        trial: id.0,
        epoch: best.epoch.0,
        value: short(best.value),
        metrics: metrics.into_iter().map(|(name, value)| (name, short(value))).collect(),
        config: trial.config.iter().map(|(name, v)| (name.clone(), v.to_string())).collect(),
    })
}

/// The facts about a study, those first that are asked for first.
pub(super) fn facts(study: &Study, data: &Facts, slots: usize) -> Vec<Fact> {
    let mut facts = progress(study, slots);
    facts.extend(set_up(study, data));
    facts.push(("fingerprint", study.creation.fingerprint.to_string().chars().take(16).collect()));
    facts
}

fn progress(study: &Study, slots: usize) -> Vec<Fact> {
    let seconds = study.active_millis as f64 / 1000.0;
    let took = if seconds < 60.0 { format!("{seconds:.1}s") } else { duration(seconds) };
    vec![
        ("state", state(&study.phase)),
        ("trials", trials(&study.trials)),
        ("units", study.commits.to_string()),
        ("running time", took),
        ("slots", slots.to_string()),
    ]
}

fn state(phase: &Phase) -> String {
    match phase {
        Phase::Running => "running".to_owned(),
        Phase::Paused(cause) => format!("paused ({})", pause_words(cause)),
        Phase::Ended(Conclusion::TrialsSpent) => "finished".to_owned(),
        Phase::Ended(Conclusion::WallClockSpent) => "ended by the wall-clock budget".to_owned(),
        Phase::Ended(Conclusion::Cancelled) => "cancelled".to_owned(),
    }
}

/// "16: 12 completed, 4 stopped".
fn trials(trials: &[Trial]) -> String {
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    for trial in trials {
        *ends.entry(end_word(trial.end.as_ref())).or_default() += 1;
    }
    let ends = ends.iter().map(|(end, count)| format!("{count} {}", end.replace('_', " ")));
    let ends: Vec<String> = ends.collect();
    if ends.is_empty() { "0".to_owned() } else { format!("{}: {}", trials.len(), ends.join(", ")) }
}

fn set_up(study: &Study, data: &Facts) -> Vec<Fact> {
    let Spec { seed, family, search, budget, .. } = &study.creation.spec;
    let manifest = &study.creation.manifest;
    let rows: u64 = manifest.partitions.iter().map(|blob| blob.rows).sum();
    vec![
        ("epochs of a trial", budget.epochs.to_string()),
        ("partitions", manifest.partitions.len().to_string()),
        ("rows", format!("{rows} to train on, {} to validate", manifest.validation.rows)),
        ("task", task(data)),
        ("model", family.clone()),
        ("searched", format!("{} parameters", search.space.0.len())),
        ("sampler", written(study, "/search/sampler")),
        ("policy", policy(study)),
        ("order", written(study, "/run/order")),
        ("seed", seed.to_string()),
    ]
}

fn task(data: &Facts) -> String {
    let features = data.problem.features.len();
    match &data.problem.task {
        Task::Classification { labels } => {
            format!("classification: {features} features, {} classes", labels.len())
        }
        Task::Regression => format!("regression: {features} features"),
    }
}

/// What the study file says at a place, in its own words.
fn written(study: &Study, place: &str) -> String {
    document(study).pointer(place).map_or_else(|| "-".to_owned(), plain)
}

fn policy(study: &Study) -> String {
    let document = document(study);
    let Some(policy) = document.pointer("/search/policy").and_then(Json::as_object) else {
        return written(study, "/search/policy");
    };
    let settings = policy.iter().filter(|(name, _)| *name != "name");
    let settings = settings.map(|(name, value)| format!("{name} {}", plain(value)));
    let settings = settings.collect::<Vec<_>>().join(", ");
    let name = policy.get("name").map(plain).unwrap_or_default();
    if settings.is_empty() { name } else { format!("{name} ({settings})") }
}

fn document(study: &Study) -> Json {
    serde_json::from_str(&study.creation.document).unwrap_or(Json::Null)
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
