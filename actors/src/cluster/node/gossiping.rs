//! Gossip at work: keeps the directory, the sessions and the leader up to date, and tells others
//! what this node does.

use super::super::agent::Activity;
use super::super::api_types::PROTOCOL;
use super::super::directory::{Directory, keys, session_name};
use super::super::leader::LeaderMsg;
use super::super::sessions::{SessionChange, Sessions};
use super::super::workshop::Workshop;
use crate::blobs::BlobStore;
use ractor::ActorRef;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::MissedTickBehavior;
use wallaby_links::gossip::{Change, Gossip, Member};
use wallaby_links::peers::{LinkError, Peers};

/// How long a node whose session has ended may take to answer before gossip is to decide.
const PROBE: Duration = Duration::from_millis(500);

/// How often what costs some reading is told anew.
const STOCKTAKING: Duration = Duration::from_secs(5);

/// What this node tells others; clones tell for the same node.
#[derive(Clone)]
pub(crate) struct Values(mpsc::UnboundedSender<Saying>);

enum Saying {
    Set(&'static str, String),
    Leave(oneshot::Sender<()>),
}

impl Values {
    /// Tells others a value.
    pub(crate) fn set(&self, key: &'static str, value: String) {
        // Gossip ends only with the node.
        let _ = self.0.send(Saying::Set(key, value));
    }
}

/// The node's gossip.
pub(super) struct Gossiping(Values);

type Led = watch::Receiver<Option<ActorRef<LeaderMsg>>>;

impl Gossiping {
    /// Takes over gossip; `me` is this node's session.
    pub(super) fn start(
        mut gossip: Gossip,
        directory: Directory,
        sessions: Arc<Sessions>,
        (me, peers, led): (String, Peers, Led),
    ) -> Self {
        let changes = gossip.changes();
        let ups = sessions.events();
        let (values, sayings) = mpsc::unbounded_channel();
        tokio::spawn(say(gossip, sayings));
        tokio::spawn(follow(changes, directory.clone(), sessions, me, led.clone()));
        tokio::spawn(probe(ups, directory, peers, led));
        Self(Values(values))
    }

    pub(super) fn set(&self, key: &'static str, value: String) {
        self.0.set(key, value);
    }

    pub(super) fn values(&self) -> Values {
        self.0.clone()
    }

    /// Tells others what the node does, from now on.
    pub(super) fn tell_of(
        &self,
        mut activity: watch::Receiver<Activity>,
        workshop: Workshop,
        blobs: Arc<BlobStore>,
    ) {
        let (values, more) = (self.0.clone(), self.0.clone());
        tokio::spawn(async move {
            loop {
                let now = activity.borrow_and_update().clone();
                values.set(keys::RUNNING, now.running.to_string());
                let standing = match (now.draining, now.full) {
                    (true, _) => "draining",
                    (false, true) => "full",
                    (false, false) => "",
                };
                values.set(keys::STANDING, standing.to_owned());
                if activity.changed().await.is_err() {
                    return;
                }
            }
        });
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(STOCKTAKING);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !more.0.is_closed() {
                tick.tick().await;
                let (workshop, blobs) = (workshop.clone(), Arc::clone(&blobs));
                let counted = tokio::task::spawn_blocking(move || {
                    (workshop.partitions(), blobs.bytes_used().unwrap_or_default())
                });
                let Ok((partitions, bytes)) = counted.await else { return };
                more.set(keys::PARTITIONS, partitions.to_string());
                more.set(keys::BYTES, bytes.to_string());
            }
        });
    }

    /// Says goodbye.
    pub(super) async fn leave(&self) {
        let (done, gone) = oneshot::channel();
        if self.0.0.send(Saying::Leave(done)).is_ok() {
            let _ = gone.await;
        }
    }
}

/// Owns gossip, and says what it is given to say.
async fn say(gossip: Gossip, mut sayings: mpsc::UnboundedReceiver<Saying>) {
    while let Some(saying) = sayings.recv().await {
        match saying {
            Saying::Set(key, value) => gossip.set(key, value),
            Saying::Leave(done) => {
                gossip.leave().await;
                let _ = done.send(());
                return;
            }
        }
    }
}

/// Keeps the directory and the sessions as gossip says, and lets the leader look.
async fn follow(
    mut changes: mpsc::UnboundedReceiver<Change>,
    directory: Directory,
    sessions: Arc<Sessions>,
    me: String,
    led: Led,
) {
    while let Some(change) = changes.recv().await {
        if let Change::Joined(member) = &change
            && let Some(protocol) = other_protocol(member)
        {
            let (node, address) = (&member.name, &member.address);
            tracing::warn!(
                node,
                address,
                "refused a node: it speaks protocol {protocol}, expected {PROTOCOL}"
            );
            continue;
        }
        directory.note(&change);
        match &change {
            Change::Joined(member) => {
                let session = session_name(&member.name, member.boot);
                if session != me {
                    tracing::info!(node = member.name, address = member.address, "a node is here");
                    sessions.keep(session, member.address.clone());
                }
            }
            Change::Updated(_) | Change::Trusted { .. } => {}
            Change::Suspected { name, .. } => tracing::warn!(node = name, "a node is silent"),
            Change::Left { name, boot } => {
                tracing::warn!(node = name, "a node is gone");
                Sessions::drop(&sessions, &session_name(name, *boot));
            }
        }
        if let Some(leader) = &*led.borrow() {
            let _ = leader.cast(LeaderMsg::Gossip);
        }
    }
}

/// The protocol of a node, if it is not ours.
fn other_protocol(member: &Member) -> Option<&str> {
    let protocol = member.values.get(keys::PROTOCOL)?;
    (protocol.parse() != Ok(PROTOCOL)).then_some(protocol)
}

/// A session that ends may mean that the process is dead: whoever refuses connections is.
async fn probe(
    mut changes: mpsc::UnboundedReceiver<SessionChange>,
    directory: Directory,
    peers: Peers,
    led: Led,
) {
    while let Some(change) = changes.recv().await {
        let session = match change {
            SessionChange::Up(_) => {
                // Letters arrive from now on: whoever has not reported can be asked.
                if let Some(leader) = &*led.borrow() {
                    let _ = leader.cast(LeaderMsg::Gossip);
                }
                continue;
            }
            SessionChange::Down(session) => session,
        };
        let Some(listing) = directory.by_session(&session) else { continue };
        let (peers, led) = (peers.clone(), led.clone());
        tokio::spawn(async move {
            let member = listing.member;
            let hello = peers.request(
                &member.address,
                http::Method::GET,
                "/v1/hello",
                Default::default(),
                PROBE,
            );
            if let Err(LinkError::Unreachable { .. }) = hello.await
                && let Some(leader) = &*led.borrow()
            {
                let (name, boot) = (member.name, member.boot);
                let _ = leader.cast(LeaderMsg::Gone { name, boot });
            }
        });
    }
}
