//! How a run that has come to rest is presented, and the exit code it gives. Writes no files.

use super::{Manner, Outcome, report, show, width};
use crate::error::{Code, Error};
use crate::launch::Session;
use crate::progress::{duration, event_now, pause_words};
use crate::run_folder::{RunFolder, resume_command};
use crate::{ranking, results};
use wallaby_core::journal::{Conclusion, End, Pause};
use wallaby_core::study::{Phase, Study};

/// Says what came of it.
pub(super) fn conclude(session: &Session, study: &Study, manner: Manner) -> Outcome {
    present(&session.folder, study, manner);
    match &study.phase {
        Phase::Ended(_) if study.best().is_none() => Err(no_result(&session.folder, study)),
        Phase::Ended(_) => Ok(Code::Done),
        Phase::Paused(Pause::StorageBroken(why)) => {
            Err(Error::StoodStill { why: why.clone(), code: Code::Unexpected })
        }
        Phase::Paused(Pause::StorageFull(why)) => {
            Err(Error::StoodStill { why: why.clone(), code: Code::StorageFull })
        }
        Phase::Paused(Pause::DataLost(why)) => {
            Err(Error::StoodStill { why: data_lost(session, why), code: Code::Damaged })
        }
        Phase::Paused(cause @ Pause::Requested) => {
            let (words, resume) = (pause_words(cause), resume_command(session.folder.path()));
            report(&format!("paused ({words}); `{resume}` goes on"));
            Ok(Code::Paused)
        }
        Phase::Running => Ok(Code::Paused),
    }
}

fn present(folder: &RunFolder, study: &Study, manner: Manner) {
    let path = folder.path();
    if manner.quiet {
        show(&format!("{}\n", path.display()));
    } else if manner.json {
        let best = results::best_json(folder, study, results::weights_digest(folder), None);
        let phase = if matches!(study.phase, Phase::Ended(_)) { "ended" } else { "paused" };
        let event = serde_json::json!({"event": "run_finished", "run": path.to_string_lossy(),
            "phase": phase, "seconds": study.active_millis as f64 / 1000.0, "best": best});
        show(&event_now(event));
    } else {
        show(&format!("\n{}\n", ranking::table(study, width())));
        show(&summary(folder, study));
    }
}

fn summary(folder: &RunFolder, study: &Study) -> String {
    let seconds = study.active_millis as f64 / 1000.0;
    let took = if seconds < 60.0 { format!("{seconds:.1}s") } else { duration(seconds) };
    let metric = &study.creation.spec.objective.metric;
    let best = match study.best() {
        Some((id, best)) => format!("best: {id}, {metric} {:.4} at {}", best.value, best.epoch),
        None => "no trial has a result yet".to_owned(),
    };
    let path = folder.path().display();
    let model = if study.best().is_some() { "best/, " } else { "" };
    format!(
        "{best}; {} units in {took}\nresults in {path}: {model}report.html, trials.csv, metrics.csv\n",
        study.commits
    )
}

fn data_lost(session: &Session, why: &str) -> String {
    let (source, resume) = (session.file.data.source().path, resume_command(session.folder.path()));
    format!(
        "{why}, and {} is not the data that the study began with; once it is back, \
         `{resume}` goes on",
        source.display()
    )
}

fn no_result(folder: &RunFolder, study: &Study) -> Error {
    let failed = study.trials.iter().find_map(|trial| match &trial.end {
        Some(End::Failed(failure)) => Some(format!(": {} {failure}", trial.id)),
        _ => None,
    });
    let late = ": the wall-clock budget was spent before an epoch was validated";
    let late = (study.phase == Phase::Ended(Conclusion::WallClockSpent)).then(|| late.to_owned());
    let why = failed.or(late).unwrap_or_default();
    Error::NoResult { run: folder.path().to_owned(), why }
}
