//! `[objective]`: what is best. The defaults depend on the task, which may be known only once
//! the data has been read, so they are settled later.

use super::field::Words;
use super::node::{Origin, Table};
use super::report::Report;
use super::section::Section;
use wallaby_core::spec::{Direction, Objective};
use wallaby_data::{Problem, Task, TaskKind};

/// The words for directions.
pub(super) const DIRECTIONS: &Words<Direction> =
    &[("maximize", Direction::Maximize), ("minimize", Direction::Minimize)];

/// All metrics of all tasks.
const METRICS: &Words<&str> =
    &[("accuracy", "accuracy"), ("loss", "loss"), ("mae", "mae"), ("rmse", "rmse"), ("r2", "r2")];

/// The objective as far as the file states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectiveSection {
    /// A validation metric; `None` for the task's own.
    pub metric: Option<String>,
    /// Which way is better; `None` for the metric's own.
    pub direction: Option<Direction>,
    /// Where the metric stands, for a mistake found after the data has been read.
    pub(super) metric_origin: Origin,
}

impl ObjectiveSection {
    /// The objective for `problem`: by default accuracy for classification and loss for
    /// regression; accuracy and r2 are maximized, errors minimized.
    pub(super) fn settle(&self, problem: &Problem, report: &mut Report) -> Objective {
        let own = match problem.task {
            Task::Classification { .. } => "accuracy",
            Task::Regression => "loss",
        };
        let metric = self.metric.as_deref().unwrap_or(own);
        let direction = self.direction.unwrap_or(match metric {
            "accuracy" | "r2" => Direction::Maximize,
            _ => Direction::Minimize,
        });
        if !problem.metrics().contains(&metric) {
            let what = match problem.task {
                Task::Classification { .. } => "classification",
                Task::Regression => "regression",
            };
            let expected = problem.metrics().join(", ");
            report.add(
                self.metric_origin,
                "objective.metric",
                Some(format!("{metric:?}")),
                format!("expected one of {expected} for {what}"),
                None,
            );
        }
        Objective { metric: metric.to_owned(), direction }
    }
}

/// The section; a metric that `task` does not have is reported if the file states the task.
pub(super) fn check(root: &Table, task: Option<TaskKind>, report: &mut Report) -> ObjectiveSection {
    let section = Section::of(root, "objective", report);
    section.refuse_unknown(report);
    let metric = section.get("metric");
    let direction = section.get("direction");
    let objective = ObjectiveSection {
        metric_origin: metric.as_ref().map_or(Origin::File, |field| field.node.origin),
        metric: metric.and_then(|field| field.word(METRICS, report)).map(str::to_owned),
        direction: direction.and_then(|field| field.word(DIRECTIONS, report)),
    };
    if let Some(kind) = task {
        let task = match kind {
            TaskKind::Classification => Task::Classification { labels: Vec::new() },
            TaskKind::Regression => Task::Regression,
        };
        objective.settle(&Problem::new(Vec::new(), task), report);
    }
    objective
}
