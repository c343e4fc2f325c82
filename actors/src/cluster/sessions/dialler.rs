//! Dials one node again and again until there is a session with it, and again when that ends.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use ractor::ActorRef;
use ractor_cluster::NodeServerMessage;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use wallaby_links::peers::{LinkError, Peers};

use super::line::{self, Lines};
use super::manager::Note;

/// How long a connection may take, and its session after that.
const CONNECT_MAX: Duration = Duration::from_secs(3);
const READY_MAX: Duration = Duration::from_secs(5);
/// The first and the longest pause before dialling again; up to as much is added by chance, so
/// that nodes which lost each other do not dial in step.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Who is dialled, and what that takes.
pub(super) struct Dialler {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) node: ActorRef<NodeServerMessage>,
    pub(super) peers: Peers,
    pub(super) lines: Lines,
    pub(super) notes: mpsc::UnboundedSender<Note>,
}

impl Dialler {
    /// Dials whenever the node is not up, for the first time after `first`. Ends with the manager.
    pub(super) async fn run(self, mut up: watch::Receiver<bool>, first: Duration) {
        let mut wait = first;
        let mut pause = PAUSE_FIRST;
        let mut complained = false;
        while up.wait_for(|up| !up).await.is_ok() {
            sleep(wait).await;
            if *up.borrow() {
                continue;
            }
            match self.dial().await {
                Ok(label) => {
                    if timeout(READY_MAX, up.wait_for(|up| *up)).await.is_ok() {
                        pause = PAUSE_FIRST;
                    } else {
                        tracing::debug!("no session with {} within {READY_MAX:?}", self.name);
                        let _ = self.notes.send(Note::GivenUp { label });
                    }
                }
                Err(error) => self.complain(&error, &mut complained),
            }
            wait = pause + by_chance(pause);
            pause = (2 * pause).min(PAUSE_MAX);
        }
    }

    async fn dial(&self) -> Result<String, LinkError> {
        let stream = self.peers.dial_actors(&self.address, CONNECT_MAX).await?;
        let (line, cut) = line::open(&self.lines, stream);
        let label = line.label().to_owned();
        let expected = self.name.clone();
        let _ = self.notes.send(Note::Dialled { label: label.clone(), expected, cut });
        let stream = Box::new(line);
        let _ = self
            .node
            .cast(NodeServerMessage::ConnectionOpenedExternal { stream, is_server: false });
        Ok(label)
    }

    /// What does not pass by itself is said once.
    fn complain(&self, error: &LinkError, complained: &mut bool) {
        let lasting =
            matches!(error, LinkError::OtherSecret { .. } | LinkError::OtherProtocol { .. });
        if lasting && !*complained {
            *complained = true;
            tracing::warn!("no session with {}: {error}", self.name);
        } else {
            tracing::debug!("no session with {}: {error}", self.name);
        }
    }
}

/// Something between nothing and `most`.
fn by_chance(most: Duration) -> Duration {
    let share = RandomState::new().hash_one(0) % 1000;
    most.mul_f64(share as f64 / 1000.0)
}
