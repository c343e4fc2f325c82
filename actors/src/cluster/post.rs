//! The post: carries letters between nodes over the actors' sessions. It never waits: what
//! cannot be sent now is an error now. What a peer has not yet taken is bounded, since the sessions
//! themselves would pile it up for a peer that is frozen.

mod ledger;
mod windows;

use std::collections::BTreeSet;
use std::sync::Arc;

use ractor::message::{BoxedDowncastErr, SerializedMessage};
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SpawnErr, pg};
use tokio::sync::mpsc;

use super::envelope::{Envelope, SENDER_BYTES_MAX};
use ledger::Ledger;
use windows::Windows;

/// How large a letter may be, in bytes. Larger things go over HTTP.
pub const LETTER_BYTES_MAX: usize = 1024 * 1024;
/// How many bytes of letters to one peer may be under way, that is, not yet taken from its inbox.
pub const WINDOW_BYTES: u64 = 4 * 1024 * 1024;

/// What a letter counts beside its bytes, so that empty ones are bounded too.
const LETTER_OVERHEAD_BYTES: u64 = 64;
/// After how many bytes taken from its letters a sender is told. What is not told yet narrows its
/// window by as much; seldom letters need no answer at all.
const CREDIT_BYTES: u64 = 256 * 1024;
/// How many bytes of one sender may wait here: a window, and another one after a new session. What
/// comes beyond that is dropped.
const QUEUE_BYTES_MAX: u64 = 2 * WINDOW_BYTES;
/// Of how many peers accounts are kept before those of peers that are gone are removed.
const PEERS_MAX: usize = 256;
/// About how many senders complaints are remembered.
const COMPLAINTS_MAX: usize = 64;

/// Why a letter was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// There is no session with the peer (or, for a letter to oneself, nobody reads the inbox).
    #[error("there is no session with the peer")]
    NoSession,
    /// The letter is larger than [`LETTER_BYTES_MAX`].
    #[error("a letter has at most {LETTER_BYTES_MAX} bytes, this one {bytes}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The peer has not yet taken the letters before it.
    #[error("the peer has {WINDOW_BYTES} bytes of letters still to take")]
    Backlogged,
}

/// A node's post office. Clones are the same one; it closes with the last of them.
#[derive(Clone, Debug)]
pub struct Post(Arc<Office>);

#[derive(Debug)]
struct Office {
    me: String,
    actor: ActorRef<Wire>,
    windows: Arc<Windows>,
}

impl Drop for Office {
    fn drop(&mut self) {
        self.actor.stop(None);
    }
}

impl Post {
    /// Opens the post of the node `me` (`NAME#BOOT`). Letters arrive in `inbox` with their sender;
    /// while it is full, letters wait, and their senders are held back.
    ///
    /// # Errors
    /// The actor cannot be started.
    pub async fn start(me: &str, inbox: mpsc::Sender<(String, Vec<u8>)>) -> Result<Self, SpawnErr> {
        debug_assert!(me.len() <= SENDER_BYTES_MAX);
        let windows = Arc::new(Windows::default());
        let ledger = Arc::new(Ledger::new(me, Arc::clone(&windows)));
        let (sender, letters) = mpsc::unbounded_channel();
        let clerk = Clerk {
            windows: Arc::clone(&windows),
            ledger: Arc::clone(&ledger),
            letters: sender,
            complaints: Complaints::default(),
        };
        let (actor, _) = Actor::spawn(None, PostActor, clerk).await?;
        tokio::spawn(carry(ledger, letters, inbox));
        pg::join(group(me), vec![actor.get_cell()]);
        Ok(Self(Arc::new(Office { me: me.to_owned(), actor, windows })))
    }

    /// Whether there is a session with `to` (`NAME#BOOT`).
    pub fn reaches(&self, to: &str) -> bool {
        member(to).is_some()
    }

    /// Sends a letter to `to` (`NAME#BOOT`). It arrives once or, if the session ends, not at all;
    /// letters to one peer arrive in order. Never blocks.
    ///
    /// # Errors
    /// It was not sent; see [`PostError`].
    pub fn send(&self, to: &str, bytes: Vec<u8>) -> Result<(), PostError> {
        if bytes.len() > LETTER_BYTES_MAX {
            return Err(PostError::TooLarge { bytes: bytes.len() });
        }
        let office = &*self.0;
        let member = member(to).ok_or(PostError::NoSession)?;
        let cost = cost(&bytes);
        if !office.windows.take(to, member.get_id(), cost) {
            return Err(PostError::Backlogged);
        }
        let wire = Wire(Envelope::Letter(bytes).encode(&office.me));
        member.send_message(wire).map_err(|_| {
            office.windows.forget(to);
            PostError::NoSession
        })
    }
}

fn group(node: &str) -> String {
    format!("wallaby-post/{node}")
}

fn cost(letter: &[u8]) -> u64 {
    letter.len() as u64 + LETTER_OVERHEAD_BYTES
}

/// The post of a node as it is reached now: here, or over the newest session.
fn member(node: &str) -> Option<ActorCell> {
    pg::get_members(&group(node)).into_iter().max_by_key(|cell| match cell.get_id() {
        ActorId::Local(_) => (1, 0),
        ActorId::Remote { node_id, .. } => (0, node_id),
    })
}

/// What one post sends another: the bytes of an [`Envelope`]. The implementation is by hand because
/// a derived one refuses what it does not know with an error of its own or a panic; here everything
/// becomes bytes, and what they are is judged in the handler.
pub(super) struct Wire(pub(super) Vec<u8>);

impl ractor::Message for Wire {
    fn serializable() -> bool {
        true
    }

    fn serialize(self) -> Result<SerializedMessage, BoxedDowncastErr> {
        Ok(SerializedMessage::Cast { variant: String::new(), args: self.0, metadata: None })
    }

    fn deserialize(message: SerializedMessage) -> Result<Self, BoxedDowncastErr> {
        Ok(Self(match message {
            SerializedMessage::Cast { args, .. }
            | SerializedMessage::Call { args, .. }
            | SerializedMessage::CallReply(_, args) => args,
        }))
    }
}

/// A letter on its way from the actor to the inbox.
struct Arrived {
    from: String,
    body: Vec<u8>,
}

/// What the actor works with.
struct Clerk {
    windows: Arc<Windows>,
    ledger: Arc<Ledger>,
    letters: mpsc::UnboundedSender<Arrived>,
    complaints: Complaints,
}

struct PostActor;

impl Actor for PostActor {
    type Msg = Wire;
    type State = Clerk;
    type Arguments = Clerk;

    async fn pre_start(
        &self,
        _: ActorRef<Wire>,
        clerk: Clerk,
    ) -> Result<Clerk, ActorProcessingErr> {
        Ok(clerk)
    }

    async fn handle(
        &self,
        _: ActorRef<Wire>,
        Wire(bytes): Wire,
        clerk: &mut Clerk,
    ) -> Result<(), ActorProcessingErr> {
        clerk.receive(&bytes);
        Ok(())
    }
}

impl Clerk {
    fn receive(&mut self, bytes: &[u8]) {
        match Envelope::decode(bytes) {
            (Some(from), Ok(Envelope::Letter(body))) => self.queue(from, body),
            (Some(from), Ok(Envelope::Credit(credited))) => self.windows.credit(&from, credited),
            (from, Err(error)) => self.complaints.complain(from.as_deref(), &error),
            (None, Ok(_)) => {}
        }
    }

    fn queue(&mut self, from: String, body: Vec<u8>) {
        if !self.ledger.arrived(&from, cost(&body)) {
            return self.complaints.complain(Some(&from), &"it sends more than it may");
        }
        // Without a carrier nobody reads the inbox any more: the node is ending.
        let _ = self.letters.send(Arrived { from, body });
    }
}

/// Brings letters to the inbox until nobody reads it any more.
async fn carry(
    ledger: Arc<Ledger>,
    mut letters: mpsc::UnboundedReceiver<Arrived>,
    inbox: mpsc::Sender<(String, Vec<u8>)>,
) {
    while let Some(Arrived { from, body }) = letters.recv().await {
        let cost = cost(&body);
        if inbox.send((from.clone(), body)).await.is_err() {
            return;
        }
        ledger.taken(&from, cost);
    }
}

/// What was said about which sender.
#[derive(Debug, Default)]
struct Complaints(BTreeSet<Option<String>>);

impl Complaints {
    /// Says once for each sender that something of it was dropped.
    fn complain(&mut self, from: Option<&str>, why: &dyn std::fmt::Display) {
        let from = from.map(ToOwned::to_owned);
        if self.0.len() >= COMPLAINTS_MAX || self.0.contains(&from) {
            return;
        }
        // As a field it is quoted: a name is whatever somebody sends.
        let from_whom = from.as_deref().unwrap_or("nobody who has a name");
        tracing::warn!(
            from = from_whom,
            "dropped a letter: {why}; further ones are dropped without a word"
        );
        self.0.insert(from);
    }
}

#[cfg(test)]
#[path = "post_tests.rs"]
mod tests;
