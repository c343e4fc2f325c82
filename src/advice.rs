//! What a study may say and most likely does not mean: told before it runs, refused never.

use crate::launch::Prepared;
use wallaby_core::spec::Direction;

/// The doubts about a study whose data has been read, a sentence each.
pub(crate) fn doubts(prepared: &Prepared) -> Vec<String> {
    [headless(prepared), backwards(prepared)].into_iter().flatten().collect()
}

/// A file whose first row was taken for its header.
fn headless(prepared: &Prepared) -> Option<String> {
    let (data, problem) = (&prepared.file.data, &prepared.data.problem);
    let mut names = problem.features.iter().chain(&problem.target);
    let headless = data.header && names.all(|name| name.parse::<f64>().is_ok());
    let path = data.source().path;
    headless.then(|| {
        let path = path.display();
        format!("{path}:1: the header holds nothing but numbers; is `header = false` meant?")
    })
}

/// An objective that looks for the worst.
fn backwards(prepared: &Prepared) -> Option<String> {
    let objective = &prepared.creation.spec.objective;
    let better = match objective.metric.as_str() {
        "accuracy" | "r2" => Direction::Maximize,
        "loss" | "mae" | "rmse" => Direction::Minimize,
        _ => return None,
    };
    let word = |direction| match direction {
        Direction::Maximize => "maximize",
        Direction::Minimize => "minimize",
    };
    (objective.direction != better).then(|| {
        let (metric, given, meant) = (&objective.metric, word(objective.direction), word(better));
        format!(
            "objective.direction = \"{given}\": looks for the worst {metric}; is \"{meant}\" meant?"
        )
    })
}
