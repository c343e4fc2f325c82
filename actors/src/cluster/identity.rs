//! Who a node is: a number that it keeps in its data folder for as long as it keeps its data.
//!
//! A voter that has lost its disk has lost votes and acknowledgements that others count on, and
//! must not come back under its number. So a founding voter takes its number only while nobody
//! has founded the cluster yet; afterwards an empty folder means a wiped one, which may join only
//! under a new number.

use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;
use wallaby_core::ids::NodeId;

/// The version of the file that this build writes, and the newest it reads.
const FORMAT: u32 = 1;

/// The file's name in the data folder.
const FILE: &str = "node.json";

/// Numbers below are those of founding voters.
const FIRST_OF_OTHERS: u64 = 1_000;

/// Why a node is nobody.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// The file is not what was written.
    #[error("{path} is damaged: {why}; if the folder's data is lost, empty it and use --rejoin", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A newer Wallaby wrote it.
    #[error("{path} has format {found}, expected at most {FORMAT}: use the newer wallaby that wrote it", path = path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// It is another node's folder.
    #[error("{path} belongs to node {found:?}, expected {expected:?}: each node needs a data folder of its own", path = path.display())]
    OtherNode {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Who we are.
        expected: String,
    },
    /// It is of another cluster.
    #[error("{path} belongs to another cluster ({found}), expected {expected}: the secret has changed, or the folder is of another cluster", path = path.display())]
    OtherCluster {
        /// The file.
        path: PathBuf,
        /// Its cluster.
        found: String,
        /// Ours.
        expected: String,
    },
    /// The node votes, and its journal is gone.
    #[error("{path} is gone, and node {name:?} votes: it may not come back under its number, because others count on what it had stored; start it with --rejoin, and it joins under a new one", path = path.display())]
    JournalLost {
        /// The journal.
        path: PathBuf,
        /// The node.
        name: String,
    },
    /// The node is to give up a number that is as good as ever.
    #[error("{path} is there, and --rejoin is for a node that has lost its disk: start {name:?} without it; to give the disk up, empty the data folder first", path = path.display())]
    NothingLost {
        /// The journal.
        path: PathBuf,
        /// The node.
        name: String,
    },
    /// The system refuses.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// A node's identity, as its file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    format: u32,
    /// Its number.
    pub(crate) id: u64,
    /// Its name.
    pub(crate) name: String,
    /// Which of those that had the name; 0 is the first.
    pub(crate) incarnation: u64,
    /// The cluster's id.
    pub(crate) cluster: String,
    /// Whether it has had a journal, without which it may not come back.
    pub(crate) votes: bool,
}

impl Identity {
    /// The founding voter at this place in the list of voters.
    pub(crate) fn of_founder(place: usize, name: &str, cluster: &str) -> Self {
        Self::new(place as u64 + 1, name, 0, cluster, true)
    }

    /// A node that did not found the cluster.
    pub(crate) fn of_other(name: &str, incarnation: u64, cluster: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&incarnation.to_le_bytes()).update(name.as_bytes());
        let [a, b, c, d, ..] = *hasher.finalize().as_bytes();
        let id = FIRST_OF_OTHERS + u64::from(u32::from_le_bytes([a, b, c, d]));
        Self::new(id, name, incarnation, cluster, false)
    }

    fn new(id: u64, name: &str, incarnation: u64, cluster: &str, votes: bool) -> Self {
        let (name, cluster) = (name.to_owned(), cluster.to_owned());
        Self { format: FORMAT, id, name, incarnation, cluster, votes }
    }

    /// Its number.
    pub(crate) fn node(&self) -> NodeId {
        NodeId(self.id)
    }

    /// What the data folder says; `None` if it says nothing. What a node without a vote has left
    /// is anybody's: a container made anew has another name and the old volume, whose blobs are
    /// as good as ever.
    pub(crate) fn read(
        folder: &Path,
        name: &str,
        cluster: &str,
    ) -> Result<Option<Self>, IdentityError> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|source| IdentityError::File { path: path.clone(), source })?,
        };
        let identity: Result<Self, _> = serde_json::from_str(&text);
        let identity = match identity {
            Err(error) => return Err(IdentityError::Damaged { path, why: error.to_string() }),
            Ok(identity) => identity,
        };
        let expected = |text: &str| text.to_owned();
        if identity.format > FORMAT {
            return Err(IdentityError::Newer { path, found: identity.format });
        }
        if identity.cluster != cluster {
            let (found, expected) = (identity.cluster, expected(cluster));
            return Err(IdentityError::OtherCluster { path, found, expected });
        }
        if identity.name != name && !identity.votes {
            return Ok(None);
        }
        if identity.name != name {
            let (found, expected) = (identity.name, expected(name));
            return Err(IdentityError::OtherNode { path, found, expected });
        }
        Ok(Some(identity))
    }

    /// Writes the file: aside, then renamed, durable once this returns.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), IdentityError> {
        let (path, aside) = (folder.join(FILE), folder.join(format!("{FILE}.new")));
        let text = serde_json::to_string_pretty(self).expect("texts and numbers are JSON");
        let write = || -> io::Result<()> {
            fs::create_dir_all(folder)?;
            let mut file = File::create(&aside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&aside, &path)?;
            File::open(folder)?.sync_all()
        };
        write().map_err(|source| IdentityError::File { path: path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_kept_and_nobody_elses_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Identity::read(folder.path(), "a", "c").unwrap(), None);
        let identity = Identity::of_founder(1, "a", "c");
        identity.write(folder.path()).unwrap();
        assert_eq!(Identity::read(folder.path(), "a", "c").unwrap(), Some(identity));
        let other = Identity::read(folder.path(), "b", "c").unwrap_err().to_string();
        assert!(other.contains("belongs to node \"a\", expected \"b\""), "{other}");
        let other = Identity::read(folder.path(), "a", "d").unwrap_err().to_string();
        assert!(other.contains("another cluster"), "{other}");
        fs::write(folder.path().join(FILE), "{}").unwrap();
        let damaged = Identity::read(folder.path(), "a", "c").unwrap_err().to_string();
        assert!(damaged.contains("is damaged"), "{damaged}");
    }

    #[test]
    fn the_folder_of_a_node_without_a_vote_is_taken_over_by_one_of_another_name() {
        let folder = tempfile::tempdir().unwrap();
        Identity::of_other("a", 0, "c").write(folder.path()).unwrap();
        assert_eq!(Identity::read(folder.path(), "b", "c").unwrap(), None);
        assert!(Identity::read(folder.path(), "a", "c").unwrap().is_some());
        assert!(Identity::read(folder.path(), "b", "d").is_err());
    }

    #[test]
    fn numbers_of_others_are_not_those_of_founders_and_change_with_the_incarnation() {
        let (one, two) = (Identity::of_other("t", 0, "c"), Identity::of_other("t", 1, "c"));
        assert!(one.id >= FIRST_OF_OTHERS && two.id >= FIRST_OF_OTHERS);
        assert_ne!(one.id, two.id);
    }
}
