//! A node of a cluster as the rest of the program sees it: started, watched, drained, ended.

mod census;
mod delivering;
mod gossiping;
mod knocking;
mod reign;

use super::agent::{Activity, Agent, AgentArgs, AgentMsg, Mail};
use super::api::{self, Office};
use super::api_types::PROTOCOL;
use super::directory::{Directory, keys, session_name};
use super::founding::{self, FoundingError};
use super::identity::{Identity, IdentityError};
use super::leader::LeaderMsg;
use super::letter::Letter;
use super::library::Library;
use super::post::Post;
use super::sessions::{Sessions, SessionsArgs, SessionsError};
use super::transport::RaftLinks;
use super::workshop::{MakeBench, Workshop};
use crate::black_box::BlackBox;
use crate::blobs::{BlobError, BlobStore};
use crate::exchange::{Exchange, Meter};
use crate::journal::{Journal, JournalError};
use gossiping::Gossiping;
use ractor::{Actor, ActorRef};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use wallaby_core::ids::{Digest, NodeId};
use wallaby_links::gossip::{Gossip, GossipArgs, GossipError};
use wallaby_links::peers::Peers;
use wallaby_links::port::{Port, PortError};
use wallaby_links::secret::Secret;
use wallaby_links::tls::{self, TlsError};

/// How many letters may wait for their actor.
const INBOX_MAX: usize = 1_024;

/// How many authenticated connections may wait for their session.
const STREAMS_MAX: usize = 64;

/// How many reasons to end may wait to be told; one is enough.
const FAILURES_MAX: usize = 4;

/// How long a node that leaves waits for its last words to arrive.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// What a node is started from.
pub struct ClusterNodeArgs {
    /// Its name, unique in the cluster.
    pub name: String,
    /// The folder of its journal, blobs and identity.
    pub data: PathBuf,
    /// Where it listens, TCP and UDP.
    pub listen: std::net::SocketAddr,
    /// How others reach it, `host:port`.
    pub advertise: String,
    /// Where to look for others, `host:port`.
    pub seeds: Vec<String>,
    /// The names of the nodes that vote: 1, 3 or 5, the same on all nodes.
    pub voters: Vec<String>,
    /// How many nodes hold each partition.
    pub replicas: u32,
    /// Units that run here at the same time.
    pub slots: u32,
    /// The class of its arithmetic.
    pub numerics: Digest,
    /// The cluster's secret.
    pub secret: Secret,
    /// Take a new number, after the old disk was lost.
    pub rejoin: bool,
    /// The program's version.
    pub version: String,
    /// Makes what the units of a study work with.
    pub make_bench: Arc<MakeBench>,
}

/// Why a node cannot start, or ended.
#[derive(Debug, Error)]
pub enum ClusterNodeError {
    /// It cannot take part.
    #[error(transparent)]
    Founding(#[from] FoundingError),
    /// It is nobody.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The journal cannot be opened, or takes no more records.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The blobs cannot be used.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// Its certificate cannot be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// It cannot listen.
    #[error(transparent)]
    Port(#[from] PortError),
    /// It cannot gossip.
    #[error(transparent)]
    Gossip(#[from] GossipError),
    /// A seed refuses this node, and will go on refusing it.
    #[error("{0}")]
    Refused(String),
    /// It cannot have sessions with others.
    #[error(transparent)]
    Sessions(#[from] SessionsError),
    /// The data folder cannot be used.
    #[error("{path}: {source}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another process uses the data folder.
    #[error("{path} is in use by another process, expected a data folder of this node's own", path = path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// Part of the node died.
    #[error("the node cannot go on: {0}")]
    Died(String),
}

/// A running node of a cluster.
pub struct ClusterNode {
    id: NodeId,
    agent: ActorRef<AgentMsg>,
    activity: watch::Receiver<Activity>,
    office: Office,
    failed: mpsc::Receiver<ClusterNodeError>,
    gossiping: Gossiping,
    journal: Option<Journal>,
    port: Port,
    _sessions: Arc<Sessions>,
    _lock: std::fs::File,
}

/// Letters over the post.
struct Letters(Post);

impl Mail for Letters {
    fn send(&self, to: &str, letter: &Letter) -> bool {
        let sent = self.0.send(to, letter.encode());
        if let Err(error) = &sent {
            tracing::debug!(to, %error, "a letter was not sent");
        }
        sent.is_ok()
    }

    fn reaches(&self, to: &str) -> bool {
        self.0.reaches(to)
    }
}

impl ClusterNode {
    /// Starts a node. Returns when it takes part: it has a number, and a voter's cluster has been
    /// founded as far as it knows. That may take until all voters are there.
    ///
    /// # Errors
    /// [`ClusterNodeError`], for what waiting does not mend.
    pub async fn start(args: ClusterNodeArgs) -> Result<Self, ClusterNodeError> {
        let (fail, mut failed) = mpsc::channel(FAILURES_MAX);
        let mut node = tokio::select! {
            node = Self::begin(args, fail) => node?,
            Some(error) = failed.recv() => return Err(error),
        };
        node.failed = failed;
        Ok(node)
    }

    async fn begin(
        args: ClusterNodeArgs,
        fail: mpsc::Sender<ClusterNodeError>,
    ) -> Result<Self, ClusterNodeError> {
        let lock = lock(&args.data)?;
        let boot = boot();
        let cluster = args.secret.cluster_id();
        let known = Identity::read(&args.data, &args.name, &cluster)?;
        let journal_path = args.data.join("journal.redb");
        let known = if args.rejoin { given_up(known, &journal_path)? } else { known };
        if let Some(known) = known.as_ref().filter(|known| known.votes)
            && !journal_path.exists()
        {
            let (path, name) = (journal_path, known.name.clone());
            return Err(IdentityError::JournalLost { path, name }.into());
        }

        // The port first: its address may be chosen by the system, and others must be told.
        let identity = Arc::new(tls::Identity::new(&args.secret)?);
        let peers = Peers::new(Arc::clone(&identity));
        let directory = Directory::default();
        let blobs = Arc::new(BlobStore::open(&args.data.join("blobs"))?);
        let meter = Arc::new(Meter::default());
        let office = Office::new(args.name.clone(), boot, args.version.clone(), {
            (peers.clone(), directory.clone(), Arc::clone(&blobs), Arc::clone(&meter))
        });
        let (streams, streamed) = mpsc::channel(STREAMS_MAX);
        let port = Port::bind(args.listen, identity, api::router(office.clone()), streams)?;
        let listen = port.local_addr();
        let advertise = match args.advertise.strip_suffix(":0") {
            Some(host) => format!("{host}:{}", listen.port()),
            None => args.advertise.clone(),
        };
        let knocking =
            knocking::knock(peers.clone(), advertise.clone(), args.seeds.clone(), fail.clone());
        tokio::spawn(knocking);
        let mut values = std::collections::BTreeMap::from([
            (keys::PID.to_owned(), std::process::id().to_string()),
            (keys::SLOTS.to_owned(), args.slots.to_string()),
            (keys::VERSION.to_owned(), args.version.clone()),
            (keys::PROTOCOL.to_owned(), PROTOCOL.to_string()),
            (keys::NUMERICS.to_owned(), args.numerics.to_string()),
        ]);
        match &known {
            Some(known) => drop(values.insert(keys::ID.to_owned(), known.id.to_string())),
            // One that has a number says whether there is a cluster when it has read its journal.
            None => drop(values.insert(keys::FOUNDED.to_owned(), "no".to_owned())),
        }
        let gossip = Gossip::start(GossipArgs {
            name: args.name.clone(),
            boot,
            listen,
            advertise,
            seeds: args.seeds.clone(),
            key: args.secret.derive("gossip"),
            cluster_id: cluster.clone(),
            values,
        })
        .await?;
        let me = session_name(&args.name, boot);
        let sessions = Sessions::start(SessionsArgs {
            name: me.clone(),
            hostname: me.clone(),
            cookie: hex(&args.secret.derive("actors")),
            peers: peers.clone(),
            streams: streamed,
        })
        .await?;
        let sessions = Arc::new(sessions);
        let (inbox, letters) = mpsc::channel(INBOX_MAX);
        let post = Post::start(&me, inbox).await.map_err(died)?;
        let (lead, led) = watch::channel(None::<ActorRef<LeaderMsg>>);
        let gossiping = Gossiping::start(gossip, directory.clone(), Arc::clone(&sessions), {
            (me, peers.clone(), led.clone())
        });

        let somebody = match known {
            Some(known) => known,
            None => {
                let rejoin = args.rejoin.then_some(boot);
                let somebody = founding::become_somebody(
                    &args.name,
                    &args.voters,
                    &cluster,
                    rejoin,
                    &directory,
                );
                let mut somebody = somebody.await?;
                somebody.votes = args.voters.contains(&args.name);
                // The journal first: a number without a journal means that it was lost.
                if !somebody.votes {
                    somebody.write(&args.data)?;
                }
                somebody
            }
        };
        let id = somebody.node();
        let mail: Arc<dyn Mail> = Arc::new(Letters(post));
        let mut journal = None;
        if somebody.votes {
            let transport = RaftLinks { peers: peers.clone(), directory: directory.clone() };
            let (opened, recovery) = Journal::join(&journal_path, id, Arc::new(transport)).await?;
            if let Some(torn) = recovery.torn {
                tracing::warn!(torn, "the journal was not closed in order");
            }
            somebody.write(&args.data)?;
            let founded = if opened.is_founded() { "yes" } else { "no" };
            gossiping.set(keys::FOUNDED, founded.to_owned());
            let told = fail.clone();
            let library = Library::follow(opened.clone(), move |error| {
                let _ = told.try_send(ClusterNodeError::Died(error.to_string()));
            });
            office.open(id, opened.clone(), library.clone(), led.clone());
            journal = Some((opened, library));
        } else {
            office.enter(id);
        }
        if somebody.votes {
            gossiping.set(keys::ROLE, "voter".to_owned());
        }
        gossiping.set(keys::ID, id.0.to_string());

        let exchange = Exchange::new(Arc::clone(&blobs), peers.clone(), meter);
        let workshop = Workshop::new(
            Arc::clone(&args.make_bench),
            Arc::clone(&blobs),
            exchange.clone(),
            peers,
            directory.clone(),
        );
        let running = args.data.join("running");
        let black_box = BlackBox::open(&running)
            .map_err(|source| ClusterNodeError::Folder { path: running, source })?;
        let (activity, active) = watch::channel(Activity::default());
        let agent_args = AgentArgs {
            node: id,
            boot,
            name: args.name.clone(),
            slots: args.slots,
            numerics: args.numerics,
            mail: Arc::clone(&mail),
            directory: directory.clone(),
            blobs: Arc::clone(&blobs),
            exchange,
            workshop: workshop.clone(),
            black_box,
            activity,
        };
        let (agent, _) = Actor::spawn(None, Agent, agent_args).await.map_err(died)?;
        tokio::spawn(delivering::deliver(letters, agent.clone(), Arc::clone(&mail), led));
        gossiping.tell_of(active.clone(), workshop, blobs);
        if let Some((journal, library)) = &journal {
            let reign = reign::Reign {
                journal: journal.clone(),
                library: library.clone(),
                numerics: args.numerics,
                replicas: args.replicas,
                mail,
                directory: directory.clone(),
                gossip: gossiping.values(),
                lead,
                voters: args.voters.clone(),
                name: args.name.clone(),
            };
            // A voter under a new number is brought in by the others; it founds nothing.
            if somebody.incarnation == 0 {
                founding::found(journal, &somebody, &args.voters, &directory).await?;
            }
            tokio::spawn(reign.keep(fail));
        }
        let journal = journal.map(|(journal, _)| journal);
        Ok(Self {
            id,
            agent,
            activity: active,
            office,
            failed: mpsc::channel(1).1,
            gossiping,
            journal,
            port,
            _sessions: sessions,
            _lock: lock,
        })
    }

    /// Its number.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.port.local_addr()
    }

    /// Waits until the cluster has a leader that this node knows of.
    ///
    /// # Errors
    /// Why that will never be: the cluster refuses this node, or part of it has failed.
    pub async fn ready(&mut self) -> Result<(), ClusterNodeError> {
        let office = self.office.clone();
        tokio::select! {
            () = office.wait_for_leader() => Ok(()),
            Some(error) = self.failed.recv() => Err(error),
        }
    }

    /// Asks to leave in order: units under way are finished, what only this node has goes to
    /// others, then [`ClusterNode::ended`] returns.
    pub fn drainer(&self) -> impl Fn() + Send + Sync + 'static {
        let agent = self.agent.clone();
        move || {
            let _ = agent.cast(AgentMsg::Drain);
        }
    }

    /// Waits until the node has been let go, or cannot go on.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn ended(&mut self) -> Result<(), ClusterNodeError> {
        let mut activity = self.activity.clone();
        tokio::select! {
            Some(error) = self.failed.recv() => Err(error),
            now = activity.wait_for(|now| now.dismissed || now.broken.is_some()) => match now {
                Ok(now) => now.broken.clone().map_or(Ok(()), |why| Err(ClusterNodeError::Died(why))),
                Err(_) => Err(ClusterNodeError::Died("its agent died".to_owned())),
            },
        }
    }

    /// Says goodbye and ends. What runs here runs elsewhere then.
    pub async fn stop(self) {
        self.agent.stop(None);
        self.gossiping.leave().await;
        tokio::time::sleep(LAST_WORDS).await;
        self.port.close().await;
        if let Some(journal) = self.journal
            && let Err(error) = journal.close().await
        {
            tracing::warn!(%error, "the journal was not closed in order");
        }
    }
}

/// Takes the data folder, for as long as the file is open.
fn lock(folder: &std::path::Path) -> Result<std::fs::File, ClusterNodeError> {
    let path = folder.join("node.lock");
    let fail = |source| ClusterNodeError::Folder { path: path.clone(), source };
    std::fs::create_dir_all(folder).map_err(fail)?;
    let open = std::fs::File::options().create(true).truncate(false).write(true).open(&path);
    let file = open.map_err(fail)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(ClusterNodeError::InUse { path: folder.to_owned() })
        }
        Err(std::fs::TryLockError::Error(source)) => Err(fail(source)),
    }
}

/// What `--rejoin` leaves of an identity. One that has already been taken in place of a lost one
/// stays, so that the same command line starts the node again; one that has its journal is not
/// lost, and giving it up could take the majority from the others.
fn given_up(
    known: Option<Identity>,
    journal: &std::path::Path,
) -> Result<Option<Identity>, IdentityError> {
    match known {
        Some(known) if known.votes && !journal.exists() => Ok(None),
        Some(known) if known.incarnation == 0 && known.votes => {
            let (path, name) = (journal.to_owned(), known.name);
            Err(IdentityError::NothingLost { path, name })
        }
        known => Ok(known),
    }
}

/// Which life of its node this process is: nanoseconds since the epoch.
fn boot() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_nanos() as u64
}

fn died(error: impl std::fmt::Display) -> ClusterNodeError {
    ClusterNodeError::Died(error.to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
