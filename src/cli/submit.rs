//! `wallaby submit FILE`.

use super::{Outcome, Overrides, report, show};
use crate::advice::doubts;
use crate::cluster::{Client, ClusterArgs, ClusterError, Submission, Upload, block_on};
use crate::error::Code;
use crate::launch::{prepare, read_study};
use crate::portrait::bytes_text;
use clap::Args;
use console::Term;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wallaby_train::Registry;

/// For how long the nodes of a cluster that is being started may not answer yet.
const STARTING: Duration = Duration::from_secs(3);

/// Between two looks whether they do.
const LOOK: Duration = Duration::from_millis(100);

/// Hand a study to a cluster: its data is cut here and brought to the nodes
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby submit examples/digits.toml --cluster my-cluster
  wallaby submit examples/digits.toml --name digits-2 --priority 40 --set budget.trials=64

A study that is there already, with the same file, seed and data, is left as it is: an interrupted
submit can be repeated. The nodes' slots and devices count, not those of the study file.")]
pub(super) struct SubmitArgs {
    /// The study file (TOML, or JSON if it ends in .json)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The study's name in the cluster; without it that of the file
    #[arg(long, value_name = "STUDY", value_parser = study_name)]
    name: Option<String>,
    /// Its share of the slots is proportional to this, from 1 to 100; without it 10
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    priority: Option<u32>,
    #[command(flatten)]
    overrides: Overrides,
    #[command(flatten)]
    cluster: ClusterArgs,
    /// As a JSON object: study, id, blobs, bytes, data_lacking
    #[arg(long)]
    json: bool,
}

/// As in a study file.
fn study_name(text: &str) -> Result<String, String> {
    let usable = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if text.is_empty() || text.len() > 64 || !text.chars().all(usable) {
        return Err("expected a name of at most 64 letters, digits, - and _".to_owned());
    }
    Ok(text.to_owned())
}

pub(super) fn submit(args: &SubmitArgs, registry: &Registry) -> Outcome {
    // Before the data is read: that takes longer than to see that there is no cluster.
    let client = Arc::new(args.cluster.client()?);
    let file = read_study(&args.file, &args.overrides.to_list(), registry)?;
    block_on(async { Ok(answers(&client).await?) })?;
    let prepared = prepare(file)?;
    doubts(&prepared).iter().for_each(|doubt| report(doubt));
    let submission = Submission::new(prepared, args.name.clone(), args.priority);
    let client = Arc::new(args.cluster.client()?);
    let line = Line::new();
    let submitted = block_on(async {
        let sent = submission.send(&client, |upload| line.show(upload)).await;
        line.erase();
        sent
    })?;
    let (study, upload) = (submitted.study, submitted.upload);
    if submitted.lacking != Some(0) {
        let copies = submitted.lacking.map_or("some".to_owned(), |copies| copies.to_string());
        report(&format!(
            "{copies} copies of its data are still to be made: until then the loss of one node can \
             pause it; `wallaby nodes` shows who has room"
        ));
    }
    if args.json {
        let told = json!({"study": study.name, "id": study.id, "blobs": upload.blobs, "bytes": upload.bytes, "data_lacking": submitted.lacking});
        show(&format!("{told:#}\n"));
    } else {
        let (name, bytes) = (&study.name, bytes_text(upload.bytes));
        show(&format!("{name}: {} blobs, {bytes} sent\n", upload.blobs));
        report(&format!("`wallaby watch {name}` shows it, `wallaby fetch {name} DIR` fetches it"));
    }
    Ok(Code::Done)
}

/// Waits a moment for a cluster that is just being started.
async fn answers(client: &Client) -> Result<(), ClusterError> {
    let began = Instant::now();
    loop {
        match client.nodes().await {
            Err(error) if error.is_outage() && began.elapsed() < STARTING => {}
            answered => return answered.map(drop),
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// How far the data is, on one line of a terminal; nowhere else.
struct Line(Option<Term>);

impl Line {
    fn new() -> Self {
        let term = Term::stderr();
        Self(term.is_term().then_some(term))
    }

    fn show(&self, upload: Upload) {
        let Some(term) = &self.0 else { return };
        let (bytes, all) = (bytes_text(upload.bytes), bytes_text(upload.bytes_max));
        let text = format!("{} of {} blobs, {bytes} of {all}", upload.blobs, upload.blobs_max);
        // Progress that cannot be shown is no reason to stop.
        let _ = term.clear_line().and_then(|()| term.write_str(&text));
    }

    fn erase(&self) {
        if let Some(term) = &self.0 {
            let _ = term.clear_line();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_study_of_a_cluster_is_named_as_one_of_a_file() {
        assert_eq!(study_name("digits-2_b").as_deref(), Ok("digits-2_b"));
        for name in ["", "a b", "a/b", "é", &"x".repeat(65)] {
            assert!(study_name(name).is_err(), "{name}");
        }
    }
}
