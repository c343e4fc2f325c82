//! The cluster as its journal tells it: a fold over records and nothing else.

use super::placement::Placement;
use super::record::{ClusterRecord, PRIORITY, StudyId, Wanted};
use crate::ids::{Moment, NodeId};
use crate::journal::Record;
use crate::study::{Contradiction, Study};
use std::collections::BTreeMap;
use thiserror::Error;

/// A study of the cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The study as its records tell it.
    pub study: Study,
    /// When it was created.
    pub created: Moment,
    /// Number of its records.
    pub records: u64,
    /// Its share of the slots is proportional to this.
    pub priority: u32,
    /// What users want of it.
    pub wanted: Wanted,
    /// Which nodes hold its partitions.
    pub placement: Placement,
    /// It was removed: only its number is left of it.
    pub removed: bool,
}

/// Everything the journal of a cluster tells.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalog {
    studies: BTreeMap<StudyId, Listed>,
    names: BTreeMap<NodeId, String>,
}

/// A record that cannot follow the records before it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CatalogError {
    /// The record does not fit its study.
    #[error("{study}: {contradiction}")]
    Study {
        /// Which study.
        study: StudyId,
        /// What is wrong.
        contradiction: Contradiction,
    },
    /// Studies are numbered without gaps, and begin with their creation.
    #[error("a record of {0}, which does not exist")]
    Unknown(StudyId),
}

impl Catalog {
    /// Takes in the next record.
    ///
    /// # Errors
    /// A record that contradicts those before it; nothing is changed then.
    pub fn apply(&mut self, record: &ClusterRecord) -> Result<(), CatalogError> {
        match record {
            ClusterRecord::NodeNamed { node, name } => {
                self.names.insert(*node, name.clone());
            }
            ClusterRecord::Study { study: id, entry } => match (&entry.record, self.next_study()) {
                (Record::StudyCreated(creation), next) if *id == next => {
                    let study = Study::new((**creation).clone());
                    let placement = Placement::new();
                    let (created, records, priority) = (entry.at, 1, PRIORITY);
                    let (wanted, removed) = (Wanted::Running, false);
                    let listed =
                        Listed { study, created, records, priority, wanted, placement, removed };
                    self.studies.insert(*id, listed);
                }
                _ => {
                    let listed = self.listed(*id)?;
                    let applied = listed.study.apply(entry);
                    applied.map_err(|contradiction| CatalogError::Study {
                        study: *id,
                        contradiction,
                    })?;
                    listed.records += 1;
                }
            },
            ClusterRecord::Placed { study, placement } => {
                self.listed(*study)?.placement.clone_from(placement);
            }
            ClusterRecord::Prioritised { study, priority } => {
                self.listed(*study)?.priority = *priority;
            }
            ClusterRecord::Wanted { study, wanted } => self.listed(*study)?.wanted = *wanted,
            ClusterRecord::Removed { study } => {
                let listed = self.listed(*study)?;
                listed.removed = true;
                listed.study.trials.clear();
                listed.placement.clear();
            }
        }
        Ok(())
    }

    fn listed(&mut self, id: StudyId) -> Result<&mut Listed, CatalogError> {
        self.studies.get_mut(&id).ok_or(CatalogError::Unknown(id))
    }

    /// The number of the next study.
    pub fn next_study(&self) -> StudyId {
        StudyId(self.studies.len() as u32)
    }

    /// All studies, by number, those that were removed too.
    pub fn studies(&self) -> impl Iterator<Item = (StudyId, &Listed)> {
        self.studies.iter().map(|(id, listed)| (*id, listed))
    }

    /// The study of this number.
    pub fn study(&self, id: StudyId) -> Option<&Listed> {
        self.studies.get(&id)
    }

    /// The study of this name.
    pub fn named(&self, name: &str) -> Option<(StudyId, &Listed)> {
        let mut there = self.studies().filter(|(_, listed)| !listed.removed);
        there.find(|(_, listed)| listed.study.creation.spec.name == name)
    }

    /// The name of a node, as far as the journal knows it.
    pub fn node_name(&self, node: NodeId) -> Option<&str> {
        self.names.get(&node).map(String::as_str)
    }

    /// All nodes that were ever named.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &str)> {
        self.names.iter().map(|(id, name)| (*id, name.as_str()))
    }
}
