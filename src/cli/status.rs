//! `wallaby status [STUDY]`.

use super::{Outcome, show};
use crate::cluster::{ClusterArgs, block_on};
use crate::error::Code;
use crate::moment;
use crate::portrait::bytes_text;
use crate::progress::number;
use crate::table::aligned;
use clap::Args;
use serde_json::json;
use wallaby_actors::cluster::api_types::StudyInfo;
use wallaby_core::ids::Moment;

/// Show the studies of a cluster, or one of them: state, trials, best, slots, bytes moved
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby status --cluster my-cluster
  wallaby status digits --json | jq .trials_done")]
pub(super) struct StatusArgs {
    /// Only this study, with everything that is known of it
    #[arg(value_name = "STUDY")]
    study: Option<String>,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// As a JSON array of objects, or one object: name, phase, cause, trials_done, best and more
    #[arg(long)]
    json: bool,
}

pub(super) fn status(args: &StatusArgs) -> Outcome {
    let client = args.cluster.client()?;
    let text = match &args.study {
        Some(name) => {
            let study = block_on(async { Ok(client.study(name).await?) })?;
            if args.json { format!("{:#}\n", json!(study)) } else { facts(&study) }
        }
        None => {
            let studies = block_on(async { Ok(client.studies().await?) })?;
            match studies.as_slice() {
                _ if args.json => format!("{:#}\n", json!(studies)),
                [] => "no studies; `wallaby submit FILE` hands one in\n".to_owned(),
                studies => table(studies),
            }
        }
    };
    show(&text);
    Ok(Code::Done)
}

fn best(study: &StudyInfo) -> String {
    let best = study.best.map(|best| format!("{} (trial {})", number(best.objective), best.trial));
    best.unwrap_or_else(|| "-".to_owned())
}

fn phase(study: &StudyInfo) -> String {
    match &study.cause {
        Some(cause) => format!("{} ({cause})", study.phase),
        None => study.phase.to_string(),
    }
}

fn data(study: &StudyInfo) -> String {
    match study.data_lacking {
        None => "nobody leads, so nobody knows who has it".to_owned(),
        Some(0) => "every part lies on as many nodes as it should".to_owned(),
        Some(copies) => format!("{copies} copies are still to be made"),
    }
}

fn table(studies: &[StudyInfo]) -> String {
    let head =
        ["study", "phase", "trials", "units", "best", "slots", "priority", "hopped", "copied"];
    let row = |study: &StudyInfo| {
        vec![
            study.name.clone(),
            phase(study),
            format!("{}/{}", study.trials_done, study.trials_max),
            study.units_done.to_string(),
            best(study),
            study.slots_in_use.to_string(),
            study.priority.to_string(),
            bytes_text(study.bytes_hopped),
            bytes_text(study.bytes_copied),
        ]
    };
    let head = head.map(str::to_owned).to_vec();
    aligned(&std::iter::once(head).chain(studies.iter().map(row)).collect::<Vec<_>>())
}

fn facts(study: &StudyInfo) -> String {
    let facts = [
        ("study", study.name.clone()),
        ("phase", phase(study)),
        ("trials", format!("{} of {} ended", study.trials_done, study.trials_max)),
        ("units", study.units_done.to_string()),
        ("best", best(study)),
        ("slots", format!("{} in use, priority {}", study.slots_in_use, study.priority)),
        (
            "moved",
            format!(
                "{} with hops, {} for safety",
                bytes_text(study.bytes_hopped),
                bytes_text(study.bytes_copied)
            ),
        ),
        ("data", data(study)),
        ("began", format!("{} (UTC)", moment::minute(Moment(study.created_at)))),
    ];
    aligned(&facts.map(|(name, fact)| vec![name.to_owned(), fact]))
}
