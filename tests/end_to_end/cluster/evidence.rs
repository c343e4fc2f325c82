//! Brings a cluster of local processes to its end and hands what is left of it to the checker.

use super::api::Api;
use super::checker::{Checked, Evidence, Expected, check, check_blobs};
use super::harness::Cluster;
use super::node::Node;
use super::reference::Plot;
use super::waiting::{DEADLINE, await_some};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use wallaby::wallaby_core::ids::Digest;
use wallaby::wallaby_core::study::Study;
use wallaby_actors::cluster::api_types::StudyPhase;
use wallaby_actors::journal::read_journal;

/// How long a study may take to its end.
const END: Duration = Duration::from_secs(120);

/// What is left by units at hand when nodes died, and by copies that come when their state has been
/// released, stays for a minute, in case that it is needed.
const GARBAGE_OF_A_KILL: usize = 24;

/// How long copies and removals may take that are due at once.
const TIDYING: Duration = Duration::from_secs(20);

/// What may be different from an undisturbed run.
#[derive(Debug, Clone)]
pub(crate) struct Allowed {
    /// Trials that may have failed.
    pub(crate) failing: BTreeSet<u32>,
    /// Blobs that may be left over.
    pub(crate) garbage_max: usize,
    /// How long tidying up may take.
    pub(crate) tidying: Duration,
    /// How many nodes must have the data at the end, if not as many as the cluster is to keep.
    /// The data of a study that has ended is not brought to other nodes when its holders die.
    pub(crate) copies: Option<usize>,
}

impl Default for Allowed {
    /// What a kill may leave.
    fn default() -> Self {
        let (failing, garbage_max) = (BTreeSet::new(), GARBAGE_OF_A_KILL);
        Self { failing, garbage_max, tidying: TIDYING, copies: None }
    }
}

impl Cluster {
    /// Waits for the end of a study, ends the cluster, and checks everything.
    #[track_caller]
    pub(crate) fn conclude(&mut self, plot: &Plot) -> Checked {
        self.conclude_allowing(&[plot], &Allowed::default())
    }

    /// As [`Cluster::conclude`], of several studies that are all there were.
    #[track_caller]
    pub(crate) fn conclude_allowing(&mut self, plots: &[&Plot], allowed: &Allowed) -> Checked {
        let undisturbed: BTreeMap<String, Arc<Study>> =
            plots.iter().map(|plot| (plot.name.to_owned(), plot.undisturbed())).collect();
        let gone = self.nodes().iter().filter(|node| !node.is_there()).count();
        let expected = Expected {
            undisturbed: undisturbed.iter().map(|(name, s)| (name.clone(), &**s)).collect(),
            failing: allowed.failing.clone(),
            copies: allowed.copies.unwrap_or(self.replicas.saturating_sub(gone).max(1)),
            garbage_max: allowed.garbage_max,
        };
        let mut evidence = Evidence {
            studies: BTreeMap::new(),
            journals: BTreeMap::new(),
            reigns: Vec::new(),
            blobs: BTreeMap::new(),
        };
        for plot in plots {
            self.await_phase(plot.name, StudyPhase::Ended, END);
            let entries = self.told_by_all(plot.name);
            evidence.studies.insert(plot.name.to_owned(), entries);
        }
        await_some("the blobs come right", allowed.tidying, || {
            let there = self.nodes().iter().filter(|node| node.is_there());
            evidence.blobs = there.map(|node| (node.name.clone(), blobs_of(node))).collect();
            check_blobs(&evidence, &expected).map_err(|wrong| wrong.join("\n"))
        });
        self.stop_all();
        for node in self.nodes() {
            evidence.journals.extend(journal_of(node).map(|records| (node.name.clone(), records)));
            evidence.reigns.extend(reigns_of(node));
        }
        match check(&evidence, &expected) {
            Ok(checked) => checked,
            Err(wrong) => panic!("the cluster broke its promises:\n{}", wrong.join("\n")),
        }
    }

    /// The records of a study that has ended, as soon as every node that is there gives out the
    /// same.
    #[track_caller]
    fn told_by_all(&self, study: &str) -> Vec<wallaby::wallaby_core::journal::Entry> {
        await_some(&format!("all nodes tell the same of {study}"), DEADLINE, || {
            let mut told: Option<(String, Vec<_>)> = None;
            for node in self.nodes().iter().filter(|node| node.is_there()) {
                let entries = Api::records(&self.api, node.address, study)
                    .map_err(|error| format!("{}: {error}", node.name))?;
                if let Some((first, known)) = &told
                    && *known != entries
                {
                    let (first, second) = (known.len(), (first, &node.name, entries.len()));
                    return Err(format!("{first} records, and others: {second:?}"));
                }
                told = Some((node.name.clone(), entries));
            }
            told.map(|(_, entries)| entries).ok_or_else(|| "no node is there".to_owned())
        })
    }
}

/// What lies in the blob store of a node, which may be running.
pub(crate) fn blobs_of(node: &Node) -> BTreeSet<Digest> {
    let names = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter_map(|e| e.file_name().into_string().ok()).collect::<Vec<_>>()
    };
    let store = node.data().join("blobs");
    let all = names(&store).into_iter().filter(|folder| folder.len() == 2).flat_map(|first| {
        let rest = names(&store.join(&first));
        rest.into_iter().filter_map(move |rest| Digest::from_hex(&format!("{first}{rest}")))
    });
    all.collect()
}

/// The records of a node's journal, if it has one; the node must have ended.
fn journal_of(node: &Node) -> Option<Vec<Vec<u8>>> {
    let path = node.data().join("journal.redb");
    if !path.exists() {
        return None;
    }
    let (records, _) = read_journal(&path).unwrap_or_else(|error| panic!("{}: {error}", node.name));
    Some(records.into_iter().map(|(_, bytes)| bytes).collect())
}

/// The terms in which a node said that it leads, in all of its lives.
fn reigns_of(node: &Node) -> Vec<(String, u64)> {
    let log = node.log();
    let lines = log.lines().filter(|line| line.contains("this node leads term="));
    let term = |line: &str| line.rsplit_once("term=")?.1.trim().parse().ok();
    lines.filter_map(term).map(|term| (node.name.clone(), term)).collect()
}
