//! Who is in the cluster: membership by gossip (chitchat), sealed with the cluster's key.
//!
//! A hint and never authority: a cut between two nodes stays unseen as long as a third relays, and
//! one-way loss is seen from one side only. It runs on a thread and a runtime of its own, so that
//! a busy process is not taken for a dead one. What is decided here is pure and in [`view`];
//! [`seal`] holds the format of the datagrams.

mod codec;
mod replay;
pub mod seal;
mod seeds;
mod transport;
pub mod view;
mod worker;

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, UdpSocket},
    sync::{Arc, PoisonError, atomic::Ordering},
    thread,
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};
use tracing::warn;

use self::worker::{Command, Setup, Shared};

/// How long a value may be, bytes. A value of 64 kB would silently block all later ones of its
/// node; with this limit and [`VALUES_MAX`], everything about a node fits into one datagram.
pub const VALUE_BYTES_MAX: usize = 1000;
/// How long a key may be, bytes.
pub const KEY_BYTES_MAX: usize = 100;
/// How many values a node may have, its address included.
pub const VALUES_MAX: usize = 48;
/// How long a name may be, bytes.
pub const NAME_BYTES_MAX: usize = 200;

/// How long [`Gossip::leave`] waits for the thread to end.
const LEAVE: Duration = Duration::from_secs(3);

/// What a node needs to take part.
pub struct GossipArgs {
    /// The node's name, unique in the cluster.
    pub name: String,
    /// When this process started, nanoseconds since the epoch: tells its lives apart.
    pub boot: u64,
    /// Where to listen, UDP. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// How others reach this node, `host:port`. Port 0 stands for the port listened on.
    pub advertise: String,
    /// Where to look for others, `host:port`; may name this node too.
    pub seeds: Vec<String>,
    /// What datagrams are sealed with, from the cluster's secret.
    pub key: [u8; 32],
    /// The cluster's name; others' gossip is refused.
    pub cluster_id: String,
    /// What to tell others about this node, to begin with; see [`Gossip::set`].
    pub values: BTreeMap<String, String>,
}

/// Why gossip cannot start.
#[derive(Debug, thiserror::Error)]
pub enum GossipError {
    /// The name cannot be used.
    #[error("the node name {0:?} cannot be used: expected 1 to {NAME_BYTES_MAX} bytes")]
    Name(String),
    /// The port is in use, or the address is not of this machine.
    #[error("cannot listen on {address}/udp: {source}")]
    Listen {
        /// The address as given.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Others could not reach this node.
    #[error("cannot advertise {advertise:?}: {problem}")]
    Advertise {
        /// The address as given.
        advertise: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A seed that can never be resolved.
    #[error("the seed {0:?} is not an address: expected host:port")]
    Seed(String),
    /// No thread, no runtime, no loopback.
    #[error("cannot start gossip: {0}")]
    Start(String),
}

/// One life of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The node's name.
    pub name: String,
    /// Which life: when its process started, nanoseconds since the epoch.
    pub boot: u64,
    /// How to reach it, `host:port`.
    pub address: String,
    /// What it tells about itself.
    pub values: BTreeMap<String, String>,
}

/// How a member is, as seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// Its heartbeats arrive.
    Alive,
    /// Its heartbeats are overdue.
    Suspected,
    /// It said goodbye, or was suspected for [`view::LEFT_AFTER`].
    Left,
}

/// What has happened to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is alive and was not known, or had left.
    Joined(Member),
    /// Its values or its address are others.
    Updated(Member),
    /// Its heartbeats are overdue.
    Suspected {
        /// Its name.
        name: String,
        /// Its life.
        boot: u64,
    },
    /// It was suspected and is heard again.
    Trusted {
        /// Its name.
        name: String,
        /// Its life.
        boot: u64,
    },
    /// It said goodbye, was silent for too long, or a newer life took its name.
    Left {
        /// Its name.
        name: String,
        /// Its life.
        boot: u64,
    },
}

/// A node's part in the gossip. Dropping it is dying: no goodbye, others find out by the silence.
pub struct Gossip {
    commands: mpsc::UnboundedSender<Command>,
    shared: Arc<Shared>,
    local_address: SocketAddr,
    ended: oneshot::Receiver<()>,
}

impl Gossip {
    /// Begins to listen and to look for others. Seeds that do not answer or resolve are tried
    /// again for as long as it runs.
    ///
    /// # Errors
    /// [`GossipError`], for what will not get better by waiting.
    pub async fn start(args: GossipArgs) -> Result<Gossip, GossipError> {
        if args.name.is_empty() || args.name.len() > NAME_BYTES_MAX {
            return Err(GossipError::Name(args.name));
        }
        if let Some(seed) = args.seeds.iter().find(|seed| !seeds::is_well_formed(seed)) {
            return Err(GossipError::Seed(seed.clone()));
        }
        let listening = |source| GossipError::Listen { address: args.listen, source };
        let socket = UdpSocket::bind(args.listen).map_err(listening)?;
        socket.set_nonblocking(true).map_err(listening)?;
        let local_address = socket.local_addr().map_err(listening)?;
        let (advertise, advertised) = advertised(&args.advertise, local_address).await?;

        let shared = Arc::new(Shared::default());
        let (commands, orders) = mpsc::unbounded_channel();
        let (ready, started) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let setup = Setup {
            args: GossipArgs { advertise, ..args },
            socket,
            local_address,
            advertised,
            shared: Arc::clone(&shared),
        };
        thread::Builder::new()
            .name("gossip".to_owned())
            .spawn(move || worker::run(setup, orders, ready, end))
            .map_err(|error| GossipError::Start(error.to_string()))?;
        let died = |_| GossipError::Start("its thread ended at once".to_owned());
        started.await.map_err(died)??;
        Ok(Gossip { commands, shared, local_address, ended })
    }

    /// Tells others `value` under `key`. Refused and logged: a value longer than
    /// [`VALUE_BYTES_MAX`], a key longer than [`KEY_BYTES_MAX`], more than [`VALUES_MAX`] keys, the
    /// key `address`. The key `state` with the value `left` is the goodbye.
    pub fn set(&self, key: &str, value: String) {
        if let Err(problem) = acceptable(key, &value) {
            warn!(key, "refused to gossip a value: {problem}");
            return;
        }
        let _ = self.commands.send(Command::Set(key.to_owned(), value));
    }

    /// Everybody who is known, by name, this node included; of several lives of one name only the
    /// one that counts. Who has left is listed for up to ten minutes.
    #[must_use]
    pub fn members(&self) -> Vec<(Member, Liveness)> {
        self.shared.members.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What happens from now on, beginning with `Joined` for everybody who is alive (this node
    /// included), and `Joined` and `Suspected` for those suspected. To be taken once: a later call
    /// ends the receiver of the one before. It also ends when gossip does.
    pub fn changes(&mut self) -> mpsc::UnboundedReceiver<Change> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let _ = self.commands.send(Command::Subscribe(sender));
        receiver
    }

    /// Where this node listens.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// How many datagrams were refused: of strangers, damaged, or repeated.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Says goodbye, which takes some tenths of a second, and stops; the port is free afterwards.
    pub async fn leave(self) {
        let _ = self.commands.send(Command::Leave);
        if tokio::time::timeout(LEAVE, self.ended).await.is_err() {
            warn!("gossip did not end within {} s", LEAVE.as_secs());
        }
    }
}

/// `advertise` with its port filled in, and the address of this node towards chitchat.
async fn advertised(
    advertise: &str,
    local: SocketAddr,
) -> Result<(String, SocketAddr), GossipError> {
    let refused =
        |problem: String| GossipError::Advertise { advertise: advertise.to_owned(), problem };
    if !seeds::is_well_formed(advertise) {
        return Err(refused("expected host:port".to_owned()));
    }
    let advertise = match advertise.strip_suffix(":0") {
        Some(host) => format!("{host}:{}", local.port()),
        None => advertise.to_owned(),
    };
    let addresses = seeds::resolve(&advertise).await.map_err(refused)?;
    let same_family = addresses.iter().find(|address| address.is_ipv4() == local.is_ipv4());
    match same_family.or(addresses.first()) {
        Some(address) if !address.ip().is_unspecified() => Ok((advertise, *address)),
        _ => Err(refused("expected an address at which others reach this node".to_owned())),
    }
}

/// Whether `key` and `value` may be gossiped.
fn acceptable(key: &str, value: &str) -> Result<(), String> {
    if key == view::ADDRESS_KEY {
        return Err("the key is reserved".to_owned());
    }
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(format!("the key has {} bytes, expected 1 to {KEY_BYTES_MAX}", key.len()));
    }
    if value.len() > VALUE_BYTES_MAX {
        return Err(format!("it has {} bytes, expected at most {VALUE_BYTES_MAX}", value.len()));
    }
    Ok(())
}

#[cfg(test)]
#[path = "gossip/gossip_tests.rs"]
mod gossip_tests;
