//! Knows every session of this node and who is to be dialled. One task, so that what changes is
//! reported in one order.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::{ActorId, ActorRef};
use ractor_cluster::node::NodeServerSessionInformation;
use ractor_cluster::{NodeEventSubscription, NodeServerMessage, NodeSessionMessage};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use wallaby_links::complaints::Complaints;
use wallaby_links::peers::Peers;
use wallaby_links::port::ActorStream;

use super::SessionChange;
use super::dialler::Dialler;
use super::line::{Cut, Lines};

/// How long a node is left alone when another one answered at its address: a boot does not come
/// back, so this is soon followed by [`super::Sessions::drop`].
const OTHER_NODE_PAUSE: Duration = Duration::from_secs(30);

/// How long a connection that was accepted may take to become a session.
const READY_MAX: Duration = Duration::from_secs(10);

/// How many such connections there may be. Each may hold a frame in memory.
const UNREADY_MAX: usize = 32;

/// What the owner of the sessions wants.
pub(super) enum Command {
    Keep { name: String, address: String },
    Drop { name: String },
    Observe(mpsc::UnboundedSender<SessionChange>),
}

/// What happened to a line or its session.
pub(super) enum Note {
    /// A line was dialled for a node; its session follows.
    Dialled {
        label: String,
        expected: String,
        cut: Cut,
    },
    /// The session of a line that was dialled did not become ready in time.
    GivenUp {
        label: String,
    },
    /// So long ago a line was accepted: if it has no session yet, it is cut.
    Overdue {
        label: String,
    },
    Opened(NodeServerSessionInformation),
    Authenticated(NodeServerSessionInformation),
    Ready(NodeServerSessionInformation),
    Ended(NodeServerSessionInformation),
}

/// Passes on what the actors' node reports.
pub(super) struct Subscription(mpsc::UnboundedSender<Note>);

impl Subscription {
    pub(super) fn new(notes: mpsc::UnboundedSender<Note>) -> Self {
        Self(notes)
    }
}

impl NodeEventSubscription for Subscription {
    fn node_session_opened(&self, session: NodeServerSessionInformation) {
        let _ = self.0.send(Note::Opened(session));
    }

    fn node_session_authenticated(&self, session: NodeServerSessionInformation) {
        let _ = self.0.send(Note::Authenticated(session));
    }

    fn node_session_ready(&self, session: NodeServerSessionInformation) {
        let _ = self.0.send(Note::Ready(session));
    }

    fn node_session_disconnected(&self, session: NodeServerSessionInformation) {
        let _ = self.0.send(Note::Ended(session));
    }
}

/// All that is known of sessions.
pub(super) struct Manager {
    me: String,
    node: ActorRef<NodeServerMessage>,
    peers: Peers,
    lines: Lines,
    notes: mpsc::UnboundedSender<Note>,
    observers: Vec<mpsc::UnboundedSender<SessionChange>>,
    kept: BTreeMap<String, Kept>,
    /// The lines that are not over, by their labels.
    held: HashMap<String, Held>,
    /// What was accepted and is no session yet, by label, with whoever dialled.
    unready: BTreeMap<String, IpAddr>,
    complaints: Complaints<IpAddr>,
    sessions: HashMap<ActorId, Session>,
    /// The nodes whose sessions are ready.
    up: BTreeSet<String>,
}

/// A node that is to be dialled, by a task that ends with this.
struct Kept {
    address: String,
    up: watch::Sender<bool>,
    dialler: AbortHandle,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.dialler.abort();
    }
}

/// A line, and the node that it was dialled for.
struct Held {
    cut: Cut,
    expected: Option<String>,
}

struct Session {
    actor: ActorRef<NodeSessionMessage>,
    label: String,
    name: Option<String>,
    ready: bool,
}

impl Manager {
    pub(super) fn new(
        me: String,
        node: ActorRef<NodeServerMessage>,
        peers: Peers,
        notes: mpsc::UnboundedSender<Note>,
    ) -> Self {
        Self {
            me,
            node,
            peers,
            lines: Arc::default(),
            notes,
            observers: Vec::new(),
            kept: BTreeMap::new(),
            held: HashMap::new(),
            unready: BTreeMap::new(),
            complaints: Complaints::default(),
            sessions: HashMap::new(),
            up: BTreeSet::new(),
        }
    }

    pub(super) async fn run(
        mut self,
        mut commands: mpsc::UnboundedReceiver<Command>,
        mut notes: mpsc::UnboundedReceiver<Note>,
        mut streams: mpsc::Receiver<ActorStream>,
    ) {
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.command(command),
                    None => return,
                },
                Some(note) = notes.recv() => self.note(note),
                Some(stream) = streams.recv() => self.accept(stream),
            }
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Keep { name, address } => self.keep(name, address),
            Command::Drop { name } => self.drop_node(&name),
            Command::Observe(observer) => {
                let told = self
                    .up
                    .iter()
                    .all(|name| observer.send(SessionChange::Up(name.clone())).is_ok());
                if told {
                    self.observers.push(observer);
                }
            }
        }
    }

    fn note(&mut self, note: Note) {
        match note {
            Note::Dialled { label, expected, cut } => self.hold(label, Some(expected), cut),
            Note::GivenUp { label } => self.cut(&label),
            Note::Overdue { label } => self.overdue(&label),
            Note::Opened(session) => self.opened(session),
            Note::Authenticated(session) => self.authenticated(&session),
            Note::Ready(session) => self.ready(&session),
            Note::Ended(session) => self.ended(&session),
        }
    }

    fn keep(&mut self, name: String, address: String) {
        let known = self.kept.get(&name).is_some_and(|kept| kept.address == address);
        // Of two nodes one dials.
        if !known && self.me < name {
            self.dial(name, address, Duration::ZERO);
        }
    }

    /// Dials a node from now on, in place of an earlier dialler.
    fn dial(&mut self, name: String, address: String, pause: Duration) {
        let (up, is_up) = watch::channel(self.up.contains(&name));
        let dialler = Dialler {
            name: name.clone(),
            address: address.clone(),
            node: self.node.clone(),
            peers: self.peers.clone(),
            lines: Arc::clone(&self.lines),
            notes: self.notes.clone(),
        };
        let dialler = tokio::spawn(dialler.run(is_up, pause)).abort_handle();
        self.kept.insert(name, Kept { address, up, dialler });
    }

    fn drop_node(&mut self, name: &str) {
        self.kept.remove(name);
        self.held.retain(|_, held| held.expected.as_deref() != Some(name));
        let mut labels = Vec::new();
        for session in self.sessions.values_mut() {
            if session.name.as_deref() == Some(name) {
                session.ready = false;
                session.actor.stop(Some("dropped".to_owned()));
                labels.push(session.label.clone());
            }
        }
        for label in labels {
            self.cut(&label);
        }
        self.settle(name);
    }

    fn accept(&mut self, stream: ActorStream) {
        let peer = stream.peer.ip();
        if self.unready.len() >= UNREADY_MAX {
            return self.complain(peer, "there are too many that are no sessions yet");
        }
        let (line, cut) = super::line::open(&self.lines, stream.stream);
        let label = line.label().to_owned();
        self.unready.insert(label.clone(), peer);
        self.hold(label.clone(), None, cut);
        let notes = self.notes.clone();
        tokio::spawn(async move {
            tokio::time::sleep(READY_MAX).await;
            let _ = notes.send(Note::Overdue { label });
        });
        let stream = Box::new(line);
        let _ =
            self.node.cast(NodeServerMessage::ConnectionOpenedExternal { stream, is_server: true });
    }

    fn hold(&mut self, label: String, expected: Option<String>, cut: Cut) {
        self.held.retain(|_, held| !held.cut.is_over());
        self.held.insert(label, Held { cut, expected });
    }

    fn cut(&mut self, label: &str) {
        self.held.remove(label);
    }

    fn overdue(&mut self, label: &str) {
        if let Some(peer) = self.unready.remove(label) {
            self.cut(label);
            self.complain(peer, "it has not become a session in time");
        }
    }

    fn complain(&mut self, peer: IpAddr, why: &str) {
        let Some(due) = self.complaints.note(Instant::now(), peer) else { return };
        let from = due.about.map_or_else(|| "many".to_owned(), |peer| peer.to_string());
        tracing::warn!(times = due.times, "ended a connection for letters from {from}: {why}");
    }

    fn opened(&mut self, session: NodeServerSessionInformation) {
        let (actor, label) = (session.actor, session.peer_addr);
        let id = actor.get_id();
        self.sessions.insert(id, Session { actor, label, name: None, ready: false });
    }

    fn authenticated(&mut self, report: &NodeServerSessionInformation) {
        let Some(session) = self.sessions.get_mut(&report.actor.get_id()) else { return };
        let Some(name) = name_of(report) else { return };
        session.name = Some(name.clone());
        let Some(held) = self.held.get_mut(&session.label) else { return };
        let Some(expected) = held.expected.take_if(|expected| *expected != name) else { return };
        // The session is as good as one that the other node dialled.
        tracing::info!("{name} answers where {expected} was expected");
        if let Some(address) = self.kept.get(&expected).map(|kept| kept.address.clone()) {
            self.dial(expected, address, OTHER_NODE_PAUSE);
        }
    }

    fn ready(&mut self, report: &NodeServerSessionInformation) {
        let Some(name) = name_of(report) else { return };
        let Some(session) = self.sessions.get_mut(&report.actor.get_id()) else { return };
        self.unready.remove(&session.label);
        // One that was ended meanwhile is held no more.
        session.ready = self.held.contains_key(&session.label);
        session.name = Some(name.clone());
        self.settle(&name);
    }

    fn ended(&mut self, report: &NodeServerSessionInformation) {
        let Some(session) = self.sessions.remove(&report.actor.get_id()) else { return };
        self.cut(&session.label);
        let unready = self.unready.remove(&session.label);
        match (session.name, unready) {
            (Some(name), _) => self.settle(&name),
            // It never said who it is.
            (None, Some(peer)) => self.complain(peer, "it speaks no protocol of sessions"),
            (None, None) => {}
        }
    }

    /// Says it if the node came up or went down.
    fn settle(&mut self, name: &str) {
        let up = self
            .sessions
            .values()
            .any(|session| session.ready && session.name.as_deref() == Some(name));
        let change = match (self.up.contains(name), up) {
            (false, true) => {
                self.up.insert(name.to_owned());
                SessionChange::Up(name.to_owned())
            }
            (true, false) => {
                self.up.remove(name);
                SessionChange::Down(name.to_owned())
            }
            _ => return,
        };
        tracing::info!(?change, "session");
        if let Some(kept) = self.kept.get(name) {
            kept.up.send_replace(up);
        }
        self.observers.retain(|observer| observer.send(change.clone()).is_ok());
    }
}

/// The peer's `NAME#BOOT`, which a session has before `@` and its host name.
fn name_of(session: &NodeServerSessionInformation) -> Option<String> {
    let full = &session.peer_name.as_ref()?.name;
    Some(full.rsplit_once('@').map_or(full.as_str(), |(name, _)| name).to_owned())
}
