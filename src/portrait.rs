//! Everything worth knowing of one run, in words and as JSON. Tells only what the journal and
//! the folder say; changes nothing.

use crate::error::Error;
use crate::moment;
use crate::overview::{Progress, State};
use crate::progress::{duration, end_word, extent, number};
use crate::recorded::{Facts, Recorded};
use crate::results;
use crate::table::aligned;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::path::Path;
use wallaby_core::space::Domain;
use wallaby_core::spec::PolicyKind;
use wallaby_core::value::Value;
use wallaby_data::Task;

/// A run with its facts.
pub(crate) struct Portrait<'a> {
    recorded: &'a Recorded,
    facts: Facts,
    state: State,
    progress: Progress,
    sizes: Sizes,
}

/// Bytes on disk.
struct Sizes {
    journal: u64,
    blobs: u64,
    blob_count: u64,
    whole: u64,
}

impl<'a> Portrait<'a> {
    /// Of a run that was read.
    ///
    /// # Errors
    /// A journal whose facts make no sense.
    pub(crate) fn of(recorded: &'a Recorded) -> Result<Self, Error> {
        let (facts, state) = (recorded.facts()?, State::of(recorded));
        let progress = Progress::of(recorded);
        let folder = &recorded.folder;
        let (blob_count, blobs) = weigh(&folder.blobs());
        let journal = std::fs::metadata(folder.journal()).map_or(0, |file| file.len());
        let sizes = Sizes { journal, blobs, blob_count, whole: weigh(folder.path()).1 };
        Ok(Self { recorded, facts, state, progress, sizes })
    }

    /// For people: a fact a line.
    pub(crate) fn text(&self) -> String {
        let study = &self.recorded.study;
        let (done, all) = extent(study);
        let best = self.recorded.study.best().map(|(id, best)| {
            format!("{} {} ({id}, {})", self.progress.metric, number(best.value), best.epoch)
        });
        let percent = (100.0 * done / all.max(1.0)).floor();
        let mut facts = vec![
            ("run", self.recorded.title()),
            ("study", format!("{}, seed {}", study.creation.spec.name, study.creation.spec.seed)),
            ("state", self.state_text()),
            ("progress", format!("{percent}%, {} units", study.commits)),
            ("trials", self.trials_text()),
            ("best", best.unwrap_or_else(|| "no trial has a result yet".to_owned())),
            ("data", self.data_text()),
            ("model", self.model_text()),
            ("search", self.search_text()),
        ];
        facts.extend(self.space_lines());
        facts.push(("time", self.time_text()));
        if self.recorded.distant.is_none() {
            facts.push(("size", self.size_text()));
        }
        let rows = facts.into_iter().map(|(name, fact)| vec![name.to_owned(), fact]);
        aligned(&rows.collect::<Vec<_>>())
    }

    fn state_text(&self) -> String {
        match &self.state {
            State::Running(process) if !process.is_empty() => {
                format!("running, process {process}")
            }
            state => state.word().to_owned(),
        }
    }

    /// How many trials there are of each end.
    fn ends(&self) -> BTreeMap<&'static str, u64> {
        let mut ends = BTreeMap::new();
        for trial in &self.recorded.study.trials {
            *ends.entry(end_word(trial.end.as_ref())).or_default() += 1;
        }
        ends
    }

    fn trials_text(&self) -> String {
        let ends = self.ends().into_iter().map(|(word, count)| format!("{count} {word}"));
        let epochs = self.recorded.study.creation.spec.budget.epochs;
        let ends = ends.collect::<Vec<_>>().join(", ");
        format!("{} × {epochs} epochs: {ends}", self.progress.trials)
    }

    fn data_text(&self) -> String {
        let manifest = &self.recorded.study.creation.manifest;
        let rows: u64 = manifest.partitions.iter().map(|partition| partition.rows).sum();
        let task = match &self.facts.problem.task {
            Task::Classification { labels } => format!("{} classes", labels.len()),
            Task::Regression => "regression".to_owned(),
        };
        format!(
            "{rows} training rows in {} partitions, {} validation rows, {} features, {task}",
            manifest.partitions.len(),
            manifest.validation.rows,
            self.facts.problem.inputs(),
        )
    }

    fn model_text(&self) -> String {
        let spec = &self.recorded.study.creation.spec;
        let fixed = spec.model.iter().map(|(name, value)| format!("{name} {value}"));
        let fixed: Vec<String> = fixed.collect();
        if fixed.is_empty() {
            spec.family.clone()
        } else {
            format!("{}: {}", spec.family, fixed.join(", "))
        }
    }

    fn search_text(&self) -> String {
        let spec = &self.recorded.study.creation.spec;
        let policy = match spec.search.policy {
            PolicyKind::None => "none",
            PolicyKind::Median { .. } => "median",
            PolicyKind::Asha { .. } => "asha",
        };
        let sampler = format!("{:?}", spec.search.sampler).to_lowercase();
        let direction = format!("{:?}", spec.objective.direction).to_lowercase();
        format!("{sampler}, policy {policy}, {direction} {}", spec.objective.metric)
    }

    fn space_lines(&self) -> impl Iterator<Item = (&'static str, String)> {
        let space = &self.recorded.study.creation.spec.search.space.0;
        let line = |(name, domain): (&String, &Domain)| format!("{name}: {}", domain_text(domain));
        let heads = std::iter::once("space").chain(std::iter::repeat(""));
        heads.zip(space.iter().map(line))
    }

    fn time_text(&self) -> String {
        let seconds = duration(self.recorded.study.active_millis as f64 / 1000.0);
        let (began, last) =
            (moment::minute(self.progress.began), moment::minute(self.progress.last));
        format!("{seconds} of running, began {began}, last {last} (UTC)")
    }

    fn size_text(&self) -> String {
        let Sizes { journal, blobs, blob_count, whole } = self.sizes;
        let (journal, blobs, whole) = (bytes_text(journal), bytes_text(blobs), bytes_text(whole));
        format!("{whole}: journal {journal}, {blob_count} blobs {blobs}")
    }

    /// For scripts.
    pub(crate) fn json(&self) -> Json {
        let (recorded, study) = (self.recorded, &self.recorded.study);
        let manifest = &study.creation.manifest;
        let document: Json = serde_json::from_str(&study.creation.document).unwrap_or(Json::Null);
        let (done, all) = extent(study);
        let weights = results::weights_digest(&recorded.folder);
        let sizes = recorded.distant.is_none().then(|| {
            json!({
                "journal": self.sizes.journal, "blobs": self.sizes.blobs,
                "blob_count": self.sizes.blob_count, "whole": self.sizes.whole,
            })
        });
        let process = match &self.state {
            State::Running(process) => process.parse::<u32>().ok(),
            _ => None,
        };
        json!({
            "run": recorded.title(),
            "study": study.creation.spec.name,
            "fingerprint": study.creation.fingerprint.to_string(),
            "state": self.state.word(),
            "process": process,
            "done": done / all.max(1.0),
            "units": study.commits,
            "trials": self.progress.trials,
            "trials_by_end": self.ends(),
            "best": recorded.best_json(weights),
            "data": {
                "rows": manifest.partitions.iter().map(|partition| partition.rows).sum::<u64>(),
                "partitions": manifest.partitions.len(),
                "validation_rows": manifest.validation.rows,
                "problem": self.facts.problem,
            },
            "document": document,
            "began": moment::iso(self.progress.began),
            "last": moment::iso(self.progress.last),
            "seconds": study.active_millis as f64 / 1000.0,
            "sizes": sizes,
        })
    }
}

fn domain_text(domain: &Domain) -> String {
    let range = |low: Value, high: Value, log: bool| {
        format!("{low} to {high}{}", if log { ", log" } else { "" })
    };
    match domain {
        Domain::Choice(values) => {
            values.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ")
        }
        Domain::Int { low, high, log, .. } => range((*low).into(), (*high).into(), *log),
        Domain::Float { low, high, log, .. } => range((*low).into(), (*high).into(), *log),
    }
}

/// How many files lie in a folder and below, and their bytes. What vanishes meanwhile is not
/// counted, links are not followed.
pub(crate) fn weigh(path: &Path) -> (u64, u64) {
    let Ok(about) = std::fs::symlink_metadata(path) else { return (0, 0) };
    if !about.is_dir() {
        return (1, about.len());
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.fold((0, 0), |(files, bytes), entry| {
        let (more_files, more_bytes) = weigh(&entry.path());
        (files + more_files, bytes + more_bytes)
    })
}

/// `512 B`, `3.4 MB`.
pub(crate) fn bytes_text(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64 / 1000.0;
    let mut unit = 0;
    while size >= 999.95 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short_and_in_steps_of_a_thousand() {
        let texts = [999, 1000, 999_949, 999_950, 3_400_000_000, u64::MAX].map(bytes_text);
        assert_eq!(texts, ["999 B", "1.0 kB", "999.9 kB", "1.0 MB", "3.4 GB", "18446744.1 TB"]);
    }
}
