//! How a cluster begins, and how a node finds out who it is in one that exists.

use super::directory::{Directory, Listing, Presence, keys};
use super::identity::{Identity, IdentityError};
use crate::journal::{Journal, JournalError};
use std::time::{Duration, Instant};
use thiserror::Error;
use wallaby_core::ids::NodeId;

/// How often the others are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// How often it is said what is waited for.
const SAY: Duration = Duration::from_secs(10);

/// Why a node cannot take part.
#[derive(Debug, Error)]
pub enum FoundingError {
    /// Its disk is empty, and the cluster exists.
    #[error(
        "node {name:?} is a voter of a cluster that exists (node {witness:?} says so), and its \
         data folder is empty: it may not come back under its number, because others count on \
         what it had stored; start it with --rejoin, and it joins under a new one"
    )]
    Wiped {
        /// The node.
        name: String,
        /// Who knows better.
        witness: String,
    },
    /// The file that says who it is.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Finds out who a node with an empty folder is. A voter waits until all voters are there and
/// none has founded the cluster.
pub(super) async fn become_somebody(
    name: &str,
    voters: &[String],
    cluster: &str,
    rejoin: Option<u64>,
    directory: &Directory,
) -> Result<Identity, FoundingError> {
    let Some(place) = voters.iter().position(|voter| voter == name) else {
        return Ok(Identity::of_other(name, 0, cluster));
    };
    if let Some(incarnation) = rejoin {
        return Ok(Identity::of_other(name, incarnation, cluster));
    }
    let mut waiting = Waiting::new();
    loop {
        let others = others(voters, name, directory);
        let founded = |listing: &&Listing| listing.value(keys::FOUNDED) == Some("yes");
        if let Some(witness) = others.iter().flatten().find(founded) {
            let (name, witness) = (name.to_owned(), witness.member.name.clone());
            return Err(FoundingError::Wiped { name, witness });
        }
        let says_no = |listing: &Option<Listing>| {
            listing.as_ref().is_some_and(|l| l.value(keys::FOUNDED) == Some("no"))
        };
        if others.iter().all(says_no) {
            return Ok(Identity::of_founder(place, name, cluster));
        }
        waiting.pause(voters, directory).await;
    }
}

/// Makes the cluster exist, if this is the first of its voters and all others are there with an
/// identity and none has founded it yet; returns when it exists as far as this node knows.
pub(super) async fn found(
    journal: &Journal,
    me: &Identity,
    voters: &[String],
    directory: &Directory,
) -> Result<(), FoundingError> {
    let mut waiting = Waiting::new();
    let members: Vec<NodeId> = (1..=voters.len() as u64).map(NodeId).collect();
    while !journal.is_founded() {
        let others = others(voters, &me.name, directory);
        let ready = |listing: &Option<Listing>| {
            let listing = listing.as_ref();
            listing.is_some_and(|l| l.id().is_some() && l.value(keys::FOUNDED) == Some("no"))
        };
        if me.id == 1 && others.iter().all(ready) {
            journal.found(&members).await?;
            tracing::info!(voters = voters.join(", "), "the cluster is founded");
            return Ok(());
        }
        waiting.pause(voters, directory).await;
    }
    Ok(())
}

/// The other voters, as far as they are there.
fn others(voters: &[String], me: &str, directory: &Directory) -> Vec<Option<Listing>> {
    let others = voters.iter().filter(|voter| *voter != me);
    let there = |voter: &String| directory.named(voter).filter(|l| l.presence == Presence::Alive);
    others.map(there).collect()
}

/// Waits for voters, and says from time to time for whom.
struct Waiting {
    said: Instant,
}

impl Waiting {
    fn new() -> Self {
        Self { said: Instant::now() }
    }

    async fn pause(&mut self, voters: &[String], directory: &Directory) {
        if self.said.elapsed() > SAY {
            self.said = Instant::now();
            let missing = voters.iter().filter(|voter| {
                directory.named(voter).is_none_or(|l| l.presence != Presence::Alive)
            });
            let missing: Vec<&str> = missing.map(String::as_str).collect();
            tracing::warn!(
                missing = missing.join(", "),
                "waiting for all voters to found the cluster"
            );
        }
        tokio::time::sleep(LOOK).await;
    }
}
