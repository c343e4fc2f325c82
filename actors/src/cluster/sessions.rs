//! The actors' sessions with other nodes: who is connected, who dials whom, and what ends a
//! connection that no longer works. Streams come authenticated from the port and from the client;
//! nothing else listens.

mod dialler;
mod line;
mod manager;

use std::fmt;

use ractor::{Actor, ActorRef, SpawnErr};
use ractor_cluster::node::NodeConnectionMode;
use ractor_cluster::{NodeServer, NodeServerMessage};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle};
use wallaby_links::peers::Peers;
use wallaby_links::port::ActorStream;

use super::post::LETTER_BYTES_MAX;
use manager::{Command, Manager, Subscription};

/// How large a frame of a session may be, in bytes: a letter and what describes it.
const FRAME_BYTES_MAX: u64 = 2 * LETTER_BYTES_MAX as u64;

/// What sessions are made from.
#[derive(Debug)]
pub struct SessionsArgs {
    /// This node's name and boot, `NAME#BOOT`.
    pub name: String,
    /// What tells this node from all others beside its name.
    pub hostname: String,
    /// What all nodes of the cluster know (beside the certificate, which they must show first).
    pub cookie: String,
    /// The client that dials.
    pub peers: Peers,
    /// The connections that others dialled.
    pub streams: mpsc::Receiver<ActorStream>,
}

/// Why there are no sessions.
#[derive(Debug, thiserror::Error)]
pub enum SessionsError {
    /// A name cannot be told from others on the wire.
    #[error("{field} is {value:?}, expected a name that is not empty and has no @")]
    Name {
        /// Which.
        field: &'static str,
        /// What it is.
        value: String,
    },
    /// The actors' node cannot be started.
    #[error("cannot start the actors' node: {0}")]
    Start(#[from] SpawnErr),
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionChange {
    /// Letters to this node (`NAME#BOOT`) arrive from now on.
    Up(String),
    /// There is no session with this node any more.
    Down(String),
}

/// All sessions of this node. Ends them when dropped.
pub struct Sessions {
    commands: mpsc::UnboundedSender<Command>,
    _end: End,
}

/// Ends the manager and the actors' node.
struct End {
    manager: AbortHandle,
    node: ActorRef<NodeServerMessage>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.manager.abort();
        self.node.stop(None);
    }
}

impl Sessions {
    /// Starts the actors' node: takes what others dialled from `streams`, and dials whom
    /// [`Sessions::keep`] names.
    ///
    /// # Errors
    /// A name does not serve, or the actors' node cannot be started.
    pub async fn start(args: SessionsArgs) -> Result<Self, SessionsError> {
        let SessionsArgs { name, hostname, cookie, peers, streams } = args;
        for (field, value) in [("the node's name", &name), ("its host name", &hostname)] {
            if value.is_empty() || value.contains('@') {
                return Err(SessionsError::Name { field, value: value.clone() });
            }
        }
        let (node, ended) = start_node(&name, hostname, cookie).await?;
        let (notes, noted) = mpsc::unbounded_channel();
        let subscription = Box::new(Subscription::new(notes.clone()));
        let id = "wallaby-sessions".to_owned();
        // The node has only just started: it takes messages.
        let _ = node.cast(NodeServerMessage::SubscribeToEvents { id, subscription });
        let (commands, commanded) = mpsc::unbounded_channel();
        let manager = Manager::new(name, node.clone(), peers, notes);
        let manager = tokio::spawn(async move {
            tokio::select! {
                () = manager.run(commanded, noted, streams) => {}
                _ = ended => tracing::error!("the actors' node has ended"),
            }
        });
        let manager = manager.abort_handle();
        Ok(Self { commands, _end: End { manager, node } })
    }

    /// Keeps a session with the node `name` (`NAME#BOOT`) at `address` (`host:port`) until
    /// [`Sessions::drop`]: dials again and again, every 100 to 200 ms at first and every 2 s at
    /// last. Of two nodes that one dials whose name is the smaller, so there are no two sessions.
    pub fn keep(&self, name: impl Into<String>, address: impl Into<String>) {
        let _ = self.commands.send(Command::Keep { name: name.into(), address: address.into() });
    }

    /// Ends the session with the node `name` (`NAME#BOOT`) at once, and dials it no more. The node
    /// itself may still dial.
    pub fn drop(&self, name: &str) {
        let _ = self.commands.send(Command::Drop { name: name.to_owned() });
    }

    /// What changes from now on, beginning with an [`SessionChange::Up`] for every session that
    /// there is. They end if the actors' node does, and with it every session.
    #[must_use]
    pub fn events(&self) -> mpsc::UnboundedReceiver<SessionChange> {
        let (observer, events) = mpsc::unbounded_channel();
        let _ = self.commands.send(Command::Observe(observer));
        events
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sessions").finish_non_exhaustive()
    }
}

/// The actors' node without its own listener, which would accept anybody on this machine.
async fn start_node(
    name: &str,
    hostname: String,
    cookie: String,
) -> Result<(ActorRef<NodeServerMessage>, JoinHandle<()>), SpawnErr> {
    let mode = Some(NodeConnectionMode::Isolated);
    let server = NodeServer::new(0, cookie, name.to_owned(), hostname, None, mode)
        .with_listen_addr(std::net::Ipv4Addr::LOCALHOST.into())
        .with_max_inbound_frame_size(FRAME_BYTES_MAX);
    let (node, ended) = Actor::spawn(None, server, ()).await?;
    // It restarts a listener that ends, unless it no longer supervises it.
    for listener in node.get_cell().get_children() {
        listener.unlink(node.get_cell());
        listener.kill();
    }
    Ok((node, ended))
}

#[cfg(test)]
#[path = "sessions_tests.rs"]
mod tests;
