//! A node as the rest of the program sees it: started, watched, asked to pause, ended.

use crate::black_box::BlackBox;
use crate::journal::{Journal, JournalError};
use crate::running::Running;
use crate::supervisor::{Supervisor, SupervisorArgs, SupervisorMsg};
use crate::workbench::Workbench;
use ractor::{Actor, ActorRef};
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use wallaby_core::engine::Event;
use wallaby_core::ids::{Digest, NodeId};

/// What a node is started from.
pub struct NodeArgs {
    /// Which node of its cluster it is.
    pub node: NodeId,
    /// Number of slots: trainers that work at the same time.
    pub slots: u32,
    /// Its numerics class.
    pub numerics: Digest,
    /// The journal of the study, open; its first record is the study's creation.
    pub journal: Journal,
    /// What its trainers work with.
    pub workbench: Arc<Workbench>,
    /// The folder in which trainers note what they run.
    pub running_folder: PathBuf,
}

/// Why a node ended before its study did.
#[derive(Debug, Error)]
pub enum NodeError {
    /// The journal takes no more records.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// An actor died and could not be replaced.
    #[error("an actor died and could not be replaced: {0}")]
    ActorDied(String),
    /// The actors could not be started.
    #[error("the node could not be started: {0}")]
    Start(String),
}

/// A running node.
pub struct Node {
    supervisor: ActorRef<SupervisorMsg>,
    handle: JoinHandle<()>,
    ended: oneshot::Receiver<Result<(), NodeError>>,
    durable: watch::Receiver<u64>,
    running: watch::Receiver<Vec<Running>>,
}

impl Node {
    /// Starts the actors of a node; a paused study goes on.
    ///
    /// # Errors
    /// [`NodeError::Start`], for example for a journal that contradicts itself.
    pub async fn start(args: NodeArgs) -> Result<Self, NodeError> {
        let (durable_sender, durable) = watch::channel(0);
        let (running_sender, running) = watch::channel(Vec::new());
        let (ended_sender, ended) = oneshot::channel();
        let black_box = BlackBox::open(&args.running_folder);
        let black_box = black_box.map_err(|error| {
            NodeError::Start(format!("{}: {error}", args.running_folder.display()))
        })?;
        let args = SupervisorArgs {
            black_box,
            node: args.node,
            slots: args.slots,
            numerics: args.numerics,
            journal: args.journal,
            workbench: args.workbench,
            resume: true,
            durable: durable_sender,
            running: running_sender,
            ended: ended_sender,
        };
        let spawned = Actor::spawn(None, Supervisor, args).await;
        let (supervisor, handle) = spawned.map_err(|error| NodeError::Start(error.to_string()))?;
        Ok(Self { supervisor, handle, ended, durable, running })
    }

    /// How many records are durable; changes with every commit, closed when the node has ended.
    pub fn durable(&self) -> watch::Receiver<u64> {
        self.durable.clone()
    }

    /// What the slots run, ordered by slot; changes with every unit that starts or ends.
    pub fn running(&self) -> watch::Receiver<Vec<Running>> {
        self.running.clone()
    }

    /// Asks for a pause: the units under way are finished, then the node ends.
    pub fn pauser(&self) -> impl Fn() + Send + Sync + 'static {
        let supervisor = self.supervisor.clone();
        move || {
            // A node that has ended needs no pause.
            let _ = supervisor.cast(SupervisorMsg::Tell(Event::PauseRequested));
        }
    }

    /// Waits until the study has ended or is paused, with everything durable.
    ///
    /// # Errors
    /// Why the node had to give up. The study goes on from its journal at the next start.
    pub async fn ended(self) -> Result<(), NodeError> {
        let silent = || Err(NodeError::ActorDied("the supervisor died".to_owned()));
        let how = self.ended.await.unwrap_or_else(|_| silent());
        let _ = self.handle.await;
        how
    }
}
