//! The study file: what a user asks for, checked as a whole before anything runs.
//!
//! TOML, or the same as JSON. Every mistake is reported at once, each with its line, its key,
//! its value, what was expected and, for a misspelling, what was likely meant. Reads text only:
//! never opens a file, never looks at data.
//!
//! # The format
//! Each key shows its default, or an example if it has none.
//! ```toml
//! [study]
//! name = "digits"            # required: letters, digits, - and _
//! seed = 0                   # the root of all randomness
//!
//! [data]
//! format = "csv"             # the only one so far
//! path = "digits.csv.gz"     # required; relative to the study file, or to `folder`
//! header = true              # whether the first line names the columns
//! target = "label"           # required: a name, or a number from 0; -1 is the last column
//! task = "classification"    # or "regression"; if absent, seen from the target
//! validation = 0.2           # the share of the rows held back
//! partitions = 8             # 1 to 65536
//! standardize = true         # features, and values to predict, to mean 0 and deviation 1
//! delimiter = ","
//!
//! [model]
//! family = "mlp"
//! hidden = [64]              # any parameter of the family, fixed ...
//!
//! [search]
//! sampler = "random"         # grid, random, sobol
//! policy = "none"            # none, median, asha, or a table with settings:
//!                            # { name = "asha", min_epochs = 1, eta = 3 }
//!                            # { name = "median", grace_epochs = 1, min_trials = 5 }
//! concurrency = 8            # trials under way at once; if absent, twice the slots
//!
//! [search.space]             # ... or searched
//! learning_rate = { low = 1e-4, high = 1e-1, scale = "log", points = 4 }
//! optimizer = ["adam", "sgd"]
//!
//! [objective]
//! metric = "accuracy"        # of the task's; default: accuracy, or loss for regression
//! direction = "maximize"     # default: maximize for accuracy and r2, else minimize
//!
//! [budget]
//! trials = 16                # required unless the sampler is grid: then the whole grid
//! epochs = 5                 # required
//! wall_clock = "1h30m"       # if absent, no limit
//!
//! [run]
//! slots = 4                  # units at once; if absent, the number of cores
//! device = "cpu"             # cpu, wgpu, cuda
//! order = "rotation"         # rotation, free
//! ```
//! A range is whole numbers if the parameter takes whole numbers. `scale` is `linear` (default)
//! or `log`; `points` cuts a range for a grid, which a continuous range needs. A list is a choice.

mod budget_section;
mod canonical;
mod data_section;
mod domains;
pub(crate) mod field;
mod json_tree;
mod line_index;
mod mistake;
mod model_section;
mod nearest;
pub(crate) mod node;
mod objective_section;
mod overrides;
pub(crate) mod report;
pub(crate) mod run_section;
mod search_section;
pub(crate) mod section;
mod study_section;
mod syntax;
pub(crate) mod toml_tree;

pub use data_section::DataSection;
pub use mistake::{Mistake, Mistakes};
pub use model_section::Families;
pub(crate) use nearest::nearest;
pub use objective_section::ObjectiveSection;
pub use run_section::{Device, RunSection};

use model_section::ModelSection;
use node::{Content, Origin, Table};
use report::Report;
use section::{SECTIONS, Section};
use std::path::Path;
use wallaby_core::parameter::complete;
use wallaby_core::space::Space;
use wallaby_core::spec::{Budget, Search, Spec};
use wallaby_core::value::Config;
use wallaby_data::{DataError, Problem};

/// A study as its file describes it, without mistakes and with defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyFile {
    /// The study's name.
    pub name: String,
    /// The root of its randomness.
    pub seed: u64,
    /// Where the data lies and how it is cut.
    pub data: DataSection,
    /// The model family.
    pub family: String,
    /// Every parameter of the family that is not searched, given or by default.
    pub model: Config,
    /// What is searched and how.
    pub search: Search,
    /// What is best, as far as stated.
    pub objective: ObjectiveSection,
    /// When to stop.
    pub budget: Budget,
    /// How this machine runs the study.
    pub run: RunSection,
    /// The name of the file, for mistakes found after the data has been read.
    file: String,
    /// Where the keys of the data stand in it, for the same.
    places: data_section::Places,
}

impl StudyFile {
    /// Reads the `text` of the file `name`: JSON if the name ends in `.json`, else TOML. Each of
    /// `overrides`, `KEY=VALUE` with a dotted key and a TOML value or a bare text, replaces what
    /// the file says; one that fixes a parameter replaces its search, and the other way round.
    /// The folder of the data is that of `name`.
    ///
    /// # Errors
    /// Every mistake in the file and the overrides; of a syntax error only the first.
    pub fn parse(
        text: &str,
        name: &str,
        overrides: &[String],
        families: Families<'_>,
    ) -> Result<Self, Mistakes> {
        let mut report = Report::new(name, SECTIONS);
        let Some(mut root) = read_tree(text, name, &mut report) else {
            return Err(report.into_mistakes());
        };
        overrides::apply(&mut root, overrides, &mut report);
        let study = check(&root, name, families, &mut report);
        report.finish(study)
    }

    /// What a data error is about in the file, for its front: `study.toml:7: data.path: `; empty
    /// if it is about the data itself, which it names.
    pub fn blame(&self, error: &DataError) -> String {
        let Some(key) = data_section::key_of(error) else { return String::new() };
        let place = self.places.get(key).copied().unwrap_or(Origin::File);
        match place {
            Origin::File => format!("{}: data.{key}: ", self.file),
            Origin::Line(line) => format!("{}:{line}: data.{key}: ", self.file),
            Origin::Override => format!("--set data.{key}: "),
            Origin::Flag(name) | Origin::Variable(name) => format!("{name}: data.{key}: "),
        }
    }

    /// The specification for core, once the data is known: settles the objective.
    ///
    /// # Errors
    /// A metric that a model of `problem` does not report.
    pub fn spec(&self, problem: &Problem) -> Result<Spec, Mistakes> {
        let mut report = Report::new(&self.file, SECTIONS);
        let objective = self.objective.settle(problem, &mut report);
        report.finish(Spec {
            name: self.name.clone(),
            seed: self.seed,
            family: self.family.clone(),
            model: self.model.clone(),
            search: self.search.clone(),
            objective,
            budget: self.budget,
            order: self.run.order,
        })
    }
}

fn read_tree(text: &str, name: &str, report: &mut Report) -> Option<Table> {
    let json = Path::new(name).extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
    match if json { json_tree::parse(text) } else { toml_tree::parse(text) } {
        Ok(node::Node { content: Content::Table(root), .. }) => Some(root),
        Ok(node) => {
            report.add(node.origin, "", None, "expected a table", None);
            None
        }
        Err((origin, problem)) => {
            report.add(origin, "", None, problem, None);
            None
        }
    }
}

/// Checks all sections. Where a mistake leaves a gap, something stands in for it: the report
/// makes sure that nobody sees it.
fn check(root: &Table, file: &str, families: Families<'_>, report: &mut Report) -> StudyFile {
    section::refuse_other_sections(root, report);
    let (name, seed) = study_section::check(root, report);
    let folder = Path::new(file).parent().and_then(Path::to_str).unwrap_or("");
    let data = data_section::check(root, folder, report);
    let model = model_section::check(root, families, report);
    let search = Section::of(root, "search", report);
    let sampler = search_section::sampler(&search, report);
    let budget = budget_section::check(root, sampler, report);
    let search = search_section::check(&search, sampler, &model, budget.epochs, report);
    StudyFile {
        name,
        seed,
        objective: objective_section::check(root, data.task, report),
        data,
        family: model.family.to_owned(),
        model: unsearched(&model, &search.space),
        search,
        budget,
        run: run_section::check(root, report),
        file: file.to_owned(),
        places: data_section::places(root),
    }
}

/// The fixed settings with all defaults, without the parameters that trials bring themselves.
fn unsearched(model: &ModelSection<'_>, space: &Space) -> Config {
    let mut settings = complete(model.parameters.unwrap_or_default(), &model.fixed);
    settings.retain(|name, _| !space.0.contains_key(name));
    settings
}

#[cfg(test)]
mod tests;
