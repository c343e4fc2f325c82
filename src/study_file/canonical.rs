//! The effective study as JSON: overrides applied, defaults filled in, keys in a fixed order.
//! Reading it again gives the same study; its digest names what determines the result.

use super::domains::SCALES;
use super::field::word_for;
use super::objective_section::DIRECTIONS;
use super::run_section::{DEVICES, ORDERS};
use super::search_section::SAMPLERS;
use super::{StudyFile, data_section};
use serde::Serialize;
use std::collections::BTreeMap;
use wallaby_core::ids::Digest;
use wallaby_core::space::Domain;
use wallaby_core::spec::PolicyKind;
use wallaby_core::value::Value;
use wallaby_data::ColumnRef;

impl StudyFile {
    /// The whole effective study as JSON, for the journal. [`StudyFile::parse`] of it gives the
    /// same study; `data.folder` keeps the path of the data valid wherever the text is read.
    pub fn canonical(&self) -> String {
        in_json(&Study::of(self))
    }

    /// Digest of everything the file says that determines the result: all but the folder of the
    /// data, `run.slots` and `run.device`.
    pub fn fingerprint(&self) -> Digest {
        let mut study = Study::of(self);
        study.data.folder = None;
        study.run.slots = None;
        study.run.device = None;
        Digest::of(in_json(&study).as_bytes())
    }
}

fn in_json(study: &Study<'_>) -> String {
    serde_json::to_string_pretty(study).expect("keys are texts and numbers are finite")
}

#[derive(Serialize)]
struct Study<'a> {
    study: Name<'a>,
    data: Data<'a>,
    model: Model<'a>,
    search: Search<'a>,
    #[serde(skip_serializing_if = "Objective::is_empty")]
    objective: Objective<'a>,
    budget: Budget,
    run: Run,
}

#[derive(Serialize)]
struct Name<'a> {
    name: &'a str,
    seed: u64,
}

#[derive(Serialize)]
struct Data<'a> {
    format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    folder: Option<&'a str>,
    path: &'a str,
    header: bool,
    target: &'a ColumnRef,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<&'static str>,
    validation: f64,
    partitions: u32,
    standardize: bool,
    delimiter: char,
}

#[derive(Serialize)]
struct Model<'a> {
    family: &'a str,
    #[serde(flatten)]
    parameters: BTreeMap<&'a str, Plain<'a>>,
}

#[derive(Serialize)]
struct Search<'a> {
    sampler: &'static str,
    policy: Policy,
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrency: Option<u32>,
    space: BTreeMap<&'a str, Range<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "name", rename_all = "lowercase")]
enum Policy {
    None,
    Median { grace_epochs: u32, min_trials: u32 },
    Asha { min_epochs: u32, eta: u32 },
}

#[derive(Serialize)]
#[serde(untagged)]
enum Range<'a> {
    Choice(Vec<Plain<'a>>),
    Between {
        low: Plain<'a>,
        high: Plain<'a>,
        scale: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        points: Option<u32>,
    },
}

#[derive(Serialize)]
#[serde(untagged)]
enum Plain<'a> {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
    List(Vec<Plain<'a>>),
}

#[derive(Serialize)]
struct Objective<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<&'static str>,
}

#[derive(Serialize)]
struct Budget {
    #[serde(skip_serializing_if = "Option::is_none")]
    trials: Option<u32>,
    epochs: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    wall_clock: Option<String>,
}

#[derive(Serialize)]
struct Run {
    #[serde(skip_serializing_if = "Option::is_none")]
    slots: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'static str>,
    order: &'static str,
}

impl<'a> Study<'a> {
    fn of(file: &'a StudyFile) -> Self {
        let parameters = file.model.iter().map(|(name, value)| (name.as_str(), Plain::of(value)));
        let wall_clock = file.budget.wall_clock_seconds.map(|seconds| format!("{seconds}s"));
        Self {
            study: Name { name: &file.name, seed: file.seed },
            data: Data::of(&file.data),
            model: Model { family: &file.family, parameters: parameters.collect() },
            search: Search::of(&file.search),
            objective: Objective {
                metric: file.objective.metric.as_deref(),
                direction: file.objective.direction.map(|way| word_for(DIRECTIONS, &way)),
            },
            budget: Budget { trials: file.budget.trials, epochs: file.budget.epochs, wall_clock },
            run: Run {
                slots: file.run.slots,
                device: Some(word_for(DEVICES, &file.run.device)),
                order: word_for(ORDERS, &file.run.order),
            },
        }
    }
}

impl<'a> Data<'a> {
    fn of(data: &'a super::DataSection) -> Self {
        Self {
            format: "csv",
            folder: Some(data.folder.as_str()).filter(|folder| !folder.is_empty()),
            path: &data.path,
            header: data.header,
            target: &data.target,
            task: data.task.map(|task| word_for(&data_section::TASKS, &task)),
            validation: data.validation,
            partitions: data.partitions,
            standardize: data.standardize,
            delimiter: data.delimiter,
        }
    }
}

impl<'a> Search<'a> {
    fn of(search: &'a wallaby_core::spec::Search) -> Self {
        let domains = search.space.0.iter();
        Self {
            sampler: word_for(SAMPLERS, &search.sampler),
            policy: Policy::of(search.policy),
            concurrency: search.concurrency,
            space: domains.map(|(name, domain)| (name.as_str(), Range::of(domain))).collect(),
        }
    }
}

impl Policy {
    fn of(policy: PolicyKind) -> Self {
        match policy {
            PolicyKind::None => Self::None,
            PolicyKind::Median { grace_epochs, min_trials } => {
                Self::Median { grace_epochs, min_trials }
            }
            PolicyKind::Asha { min_epochs, eta } => Self::Asha { min_epochs, eta },
        }
    }
}

impl Objective<'_> {
    fn is_empty(&self) -> bool {
        self.metric.is_none() && self.direction.is_none()
    }
}

impl<'a> Range<'a> {
    fn of(domain: &'a Domain) -> Self {
        match domain {
            Domain::Choice(values) => Self::Choice(values.iter().map(Plain::of).collect()),
            Domain::Int { low, high, log, points } => {
                Self::between(Plain::Int(*low), Plain::Int(*high), *log, *points)
            }
            Domain::Float { low, high, log, points } => {
                Self::between(Plain::Float(*low), Plain::Float(*high), *log, *points)
            }
        }
    }

    fn between(low: Plain<'a>, high: Plain<'a>, log: bool, points: Option<u32>) -> Self {
        Self::Between { low, high, scale: word_for(SCALES, &log), points }
    }
}

impl<'a> Plain<'a> {
    fn of(value: &'a Value) -> Self {
        match value {
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Int(number) => Self::Int(*number),
            Value::Float(number) => Self::Float(*number),
            Value::Text(text) => Self::Text(text),
            Value::List(items) => Self::List(items.iter().map(Self::of).collect()),
        }
    }
}
