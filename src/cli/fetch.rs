//! `wallaby fetch STUDY DIR`.

use super::{Outcome, report, show};
use crate::cluster::{ClusterArgs, block_on, fetch as fetch_study};
use crate::error::Code;
use crate::portrait::bytes_text;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use wallaby_train::Registry;

/// Fetch a study of a cluster as a run folder: journal, best model, tables, report, data
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby fetch digits runs/digits
  wallaby verify runs/digits

Everything that reads run folders works on it, without the cluster. Of a study that still runs it is
what there is so far; fetching again into the same folder brings the rest.")]
pub(super) struct FetchArgs {
    /// The study
    #[arg(value_name = "STUDY")]
    study: String,
    /// The run folder: a new one, or one that the study was fetched into before
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// Without the data: `verify` then reads it from its source
    #[arg(long)]
    no_data: bool,
    /// As a JSON object: study, run, records, bytes, ended
    #[arg(long)]
    json: bool,
}

pub(super) fn fetch(args: &FetchArgs, registry: &Registry) -> Outcome {
    let client = Arc::new(args.cluster.client()?);
    let fetching = fetch_study(&client, &args.study, &args.dir, !args.no_data, registry, report);
    let fetched = block_on(fetching)?;
    let dir = args.dir.display();
    if args.json {
        let told = json!({"study": args.study, "run": dir.to_string(), "records": fetched.records,
            "bytes": fetched.bytes, "ended": fetched.ended});
        show(&format!("{told:#}\n"));
    } else {
        let (records, bytes) = (fetched.records, bytes_text(fetched.bytes));
        show(&format!("{} in {dir}: {records} records, {bytes}\n", args.study));
        if !fetched.ended {
            report("the study has not ended: the same command brings the rest later");
        }
    }
    Ok(Code::Done)
}
