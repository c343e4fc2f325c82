//! What the handlers of a node's HTTP interface work with.

use super::super::directory::{Directory, Listing};
use super::super::leader::{LeaderMsg, Question};
use super::super::library::Library;
use super::answers::Refusal;
use crate::blobs::BlobStore;
use crate::exchange::Meter;
use crate::journal::{Journal, Leadership};
use ractor::ActorRef;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use wallaby_core::ids::NodeId;
use wallaby_links::peers::Peers;

/// How long a leader may take to answer.
const ANSWER: Duration = Duration::from_secs(12);

/// How often it is looked for a leader.
const LOOK: Duration = Duration::from_millis(50);

type Led = watch::Receiver<Option<ActorRef<LeaderMsg>>>;

/// The journal's side of a voter.
pub(crate) struct Desk {
    pub(crate) journal: Journal,
    pub(crate) library: Library,
    led: Led,
}

struct Inner {
    name: String,
    boot: u64,
    version: String,
    peers: Peers,
    directory: Directory,
    blobs: Arc<BlobStore>,
    meter: Arc<Meter>,
    id: OnceLock<NodeId>,
    desk: OnceLock<Desk>,
}

/// The office; clones are the same one.
#[derive(Clone)]
pub(crate) struct Office(Arc<Inner>);

impl Office {
    /// An office of a node that is nobody yet.
    pub(crate) fn new(
        name: String,
        boot: u64,
        version: String,
        (peers, directory, blobs, meter): (Peers, Directory, Arc<BlobStore>, Arc<Meter>),
    ) -> Self {
        let (id, desk) = (OnceLock::new(), OnceLock::new());
        Self(Arc::new(Inner { name, boot, version, peers, directory, blobs, meter, id, desk }))
    }

    /// The node has a number and keeps the journal.
    pub(crate) fn open(&self, id: NodeId, journal: Journal, library: Library, led: Led) {
        // Set once, at the start.
        let _ = self.0.id.set(id);
        let _ = self.0.desk.set(Desk { journal, library, led });
    }

    /// The node has a number and keeps no journal.
    pub(crate) fn enter(&self, id: NodeId) {
        let _ = self.0.id.set(id);
    }

    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn boot(&self) -> u64 {
        self.0.boot
    }

    pub(crate) fn version(&self) -> &str {
        &self.0.version
    }

    pub(crate) fn id(&self) -> Option<NodeId> {
        self.0.id.get().copied()
    }

    pub(crate) fn peers(&self) -> &Peers {
        &self.0.peers
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.0.directory
    }

    pub(crate) fn blobs(&self) -> Arc<BlobStore> {
        Arc::clone(&self.0.blobs)
    }

    pub(crate) fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.0.meter)
    }

    pub(crate) fn desk(&self) -> Option<&Desk> {
        self.0.desk.get()
    }

    pub(crate) fn journal(&self) -> Option<&Journal> {
        self.desk().map(|desk| &desk.journal)
    }

    pub(crate) fn leadership(&self) -> Option<Leadership> {
        self.journal().map(|journal| journal.leadership().borrow().clone())
    }

    /// The leader, if it is here.
    pub(crate) fn leader(&self) -> Option<ActorRef<LeaderMsg>> {
        self.desk().and_then(|desk| desk.led.borrow().clone())
    }

    /// Who leads, as far as this node knows.
    pub(crate) fn leader_listing(&self) -> Option<Listing> {
        let told = self.leadership().and_then(|now| now.leader);
        let told = told.and_then(|leader| self.directory().numbered(leader));
        told.or_else(|| self.directory().leader())
    }

    /// The name of a node, or its number if the name is not known.
    pub(crate) fn name_of(&self, id: NodeId) -> String {
        let gossiped = self.directory().numbered(id).map(|listing| listing.member.name);
        let recorded = || {
            let desk = self.desk()?;
            desk.library.read(|catalog| catalog.node_name(id).map(str::to_owned))
        };
        gossiped.or_else(recorded).unwrap_or_else(|| id.0.to_string())
    }

    /// Asks the leader, which is here.
    pub(crate) async fn ask<T>(
        &self,
        question: impl FnOnce(oneshot::Sender<T>) -> Question,
    ) -> Result<T, Refusal> {
        let leader = self.leader().ok_or_else(|| Refusal::no_leader("this node does not lead"))?;
        let (answer, answered) = oneshot::channel();
        let gone = || Refusal::no_leader("the leader has just stepped down; ask again");
        leader.cast(LeaderMsg::Asked(question(answer))).map_err(|_| gone())?;
        match tokio::time::timeout(ANSWER, answered).await {
            Ok(answered) => answered.map_err(|_| gone()),
            Err(_) => Err(Refusal::no_leader("the leader does not get an answer from the voters")),
        }
    }

    /// As [`Office::ask`], of what changes the journal: whoever has the answer finds the change in
    /// this node's library.
    pub(crate) async fn change<T>(
        &self,
        question: impl FnOnce(oneshot::Sender<T>) -> Question,
    ) -> Result<T, Refusal> {
        let answer = self.ask(question).await?;
        if let Some(desk) = self.desk() {
            let applied = *desk.journal.applied().borrow();
            // A library that ends ends the node.
            desk.library.reach(applied).await;
        }
        Ok(answer)
    }

    /// Waits until somebody leads.
    pub(crate) async fn wait_for_leader(&self) {
        while self.leader().is_none() && self.directory().leader().is_none() {
            tokio::time::sleep(LOOK).await;
        }
    }
}
