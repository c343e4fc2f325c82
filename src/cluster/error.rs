//! Why a cluster does not do what it is asked, in words that say what to do.

use crate::error::Code;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;
use wallaby_links::secret::SecretError;
use wallaby_links::tls::TlsError;

/// Why a cluster does not do what it is asked.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// Nobody said which cluster.
    #[error(
        "no cluster is configured: expected --cluster PATH or the variable WALLABY_CLUSTER, the \
         folder of `wallaby dev --dir` or a configuration file; `wallaby dev` starts a cluster on \
         this machine"
    )]
    NotConfigured,
    /// The secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The cryptography refuses.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Not one node could be reached.
    #[error("no node of the cluster answers:\n{}", list(tried))]
    NoAnswer {
        /// Each address, and what became of it.
        tried: Vec<(String, String)>,
    },
    /// Who answers is of another cluster.
    #[error(
        "{address} has another cluster secret than {secret_file}, expected the same on all nodes \
         and clients",
        secret_file = secret_file.display()
    )]
    OtherSecret {
        /// The node.
        address: String,
        /// The secret of this side.
        secret_file: PathBuf,
    },
    /// Who answers speaks another protocol.
    #[error("{address} {words}")]
    OtherProtocol {
        /// The node.
        address: String,
        /// What it says.
        words: String,
    },
    /// Nodes answer, but none leads.
    #[error(
        "the cluster has had no leader for {} s ({words}): more than half of its voters must run",
        waited.as_secs()
    )]
    NoLeader {
        /// How long it was waited for one.
        waited: Duration,
        /// What the last node said.
        words: String,
    },
    /// A node understood, and refuses.
    #[error("{words}")]
    Refused {
        /// The status of HTTP.
        status: u16,
        /// The node's sentence.
        words: String,
    },
    /// An answer that makes no sense.
    #[error("{address} answered something else than expected: {what}")]
    Garbled {
        /// The node.
        address: String,
        /// What is wrong with it.
        what: String,
    },
    /// A blob that no node has.
    #[error("blob {digest} is on no node of the cluster")]
    NoBlob {
        /// Its name.
        digest: String,
    },
}

impl ClusterError {
    /// The exit code.
    pub fn code(&self) -> Code {
        match self {
            ClusterError::NotConfigured | ClusterError::Secret(_) => Code::Usage,
            ClusterError::NoAnswer { .. } | ClusterError::NoLeader { .. } => Code::Unreachable,
            ClusterError::OtherSecret { .. } | ClusterError::OtherProtocol { .. } => {
                Code::NotAdmitted
            }
            ClusterError::Refused { status: 400..=499, .. } => Code::Usage,
            ClusterError::NoBlob { .. } => Code::Damaged,
            ClusterError::Tls(_) | ClusterError::Refused { .. } | ClusterError::Garbled { .. } => {
                Code::Unexpected
            }
        }
    }

    /// Whether it may be another answer a moment later.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(self, ClusterError::NoAnswer { .. } | ClusterError::NoLeader { .. })
    }
}

fn list(tried: &[(String, String)]) -> String {
    let lines = tried.iter().map(|(address, why)| format!("  {address}: {why}"));
    lines.collect::<Vec<_>>().join("\n")
}
