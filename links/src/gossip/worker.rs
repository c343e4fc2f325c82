//! The thread on which gossip runs: chitchat's server, the ticks that watch it, the commands.

use std::{
    collections::BTreeSet,
    net::{self, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use chitchat::{
    Chitchat, ChitchatConfig, ChitchatHandle, ChitchatId, FailureDetectorConfig, NodeState,
    ProtocolVersion, spawn_chitchat,
};
use tokio::{
    runtime,
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval},
};
use tracing::{error, warn};

use super::{
    Change, GossipArgs, GossipError, Liveness, Member, VALUES_MAX, acceptable,
    seeds::Seeds,
    transport::SealedTransport,
    view::{ADDRESS_KEY, GOODBYE, STATE_KEY, Sighting, View},
};

/// How often a node speaks to others, and what the failure detector takes for the usual interval
/// until it has measured.
const GOSSIP_INTERVAL: Duration = Duration::from_millis(200);
/// Longer intervals between heartbeats than this are no measure of the usual one.
const INTERVAL_MAX: Duration = Duration::from_secs(1);
/// How many intervals the failure detector averages over.
const SAMPLES: usize = 200;
/// A node is suspected after this many times the usual interval.
const PHI: f64 = 8.0;
/// How long the dead are remembered.
const GRACE: Duration = Duration::from_secs(600);

/// How often this thread looks at what chitchat knows.
const TICK: Duration = Duration::from_millis(50);
/// A longer gap between two looks means that this process, not the others, stood still.
const STANDSTILL: Duration = Duration::from_millis(500);
/// How often seeds are spoken to that are not known as members.
const GREETING: Duration = Duration::from_millis(500);
/// How long to be alone before saying so, and before saying so again.
const ALONE_FIRST: Duration = Duration::from_secs(10);
const ALONE_AGAIN: Duration = Duration::from_secs(60);
/// How often, and how far apart, a goodbye is said.
const GOODBYES: usize = 3;
const GOODBYE_INTERVAL: Duration = Duration::from_millis(100);

/// What the handle asks of the thread.
pub(crate) enum Command {
    /// Tell others a value.
    Set(String, String),
    /// Send changes there from now on.
    Subscribe(mpsc::UnboundedSender<Change>),
    /// Say goodbye and end.
    Leave,
    /// Stand still, as a stopped process does, until the other end is dropped.
    #[cfg(test)]
    Freeze(std::sync::mpsc::Receiver<()>),
}

/// What the thread lets the handle see.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) members: Mutex<Vec<(Member, Liveness)>>,
    pub(crate) refused: Arc<AtomicU64>,
    /// How often this thread was found to have stood still.
    pub(crate) standstills: AtomicU64,
}

/// What the thread begins with.
pub(crate) struct Setup {
    pub(crate) args: GossipArgs,
    pub(crate) socket: net::UdpSocket,
    pub(crate) local_address: SocketAddr,
    pub(crate) advertised: SocketAddr,
    pub(crate) shared: Arc<Shared>,
}

/// The thread: runs until the handle is dropped or asks it to leave. `_end` is dropped when
/// everything is over, the socket closed.
pub(crate) fn run(
    setup: Setup,
    commands: mpsc::UnboundedReceiver<Command>,
    ready: oneshot::Sender<Result<(), GossipError>>,
    _end: oneshot::Sender<()>,
) {
    let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = ready.send(Err(GossipError::Start(error.to_string())));
            return;
        }
    };
    runtime.block_on(async {
        match Worker::start(setup).await {
            Ok(worker) => {
                let _ = ready.send(Ok(()));
                worker.run(commands).await;
            }
            Err(error) => {
                let _ = ready.send(Err(error));
            }
        }
    });
    // A look-up that hangs must not hold up the end.
    runtime.shutdown_background();
}

struct Worker {
    chitchat: ChitchatHandle,
    view: View,
    seeds: Seeds,
    seed_names: Vec<String>,
    advertised: SocketAddr,
    shared: Arc<Shared>,
    changes: Option<mpsc::UnboundedSender<Change>>,
    looked_at: Instant,
    alone_from: Instant,
    namesake_reported: bool,
}

impl Worker {
    async fn start(setup: Setup) -> Result<Worker, GossipError> {
        let Setup { args, socket, local_address, advertised, shared } = setup;
        let mut own = Member {
            name: args.name,
            boot: args.boot,
            address: args.advertise,
            values: args.values,
        };
        own.values.retain(|key, value| {
            let problem = acceptable(key, value);
            if let Err(problem) = &problem {
                warn!(key, "refused to gossip a value: {problem}");
            }
            problem.is_ok()
        });
        let transport = SealedTransport::new(socket, args.key, Arc::clone(&shared.refused));
        let id = ChitchatId::new(own.name.as_str(), own.boot, advertised);
        while own.values.len() >= VALUES_MAX
            && let Some((key, _)) = own.values.pop_last()
        {
            warn!(key, "refused to gossip a value: expected less than {VALUES_MAX}");
        }
        let mut initial = vec![(ADDRESS_KEY.to_owned(), own.address.clone())];
        initial.extend(own.values.clone());
        let config = config(id, args.cluster_id, local_address);
        let chitchat = spawn_chitchat(config, initial, &transport)
            .await
            .map_err(|error| GossipError::Start(format!("{error:#}")))?;
        let now = Instant::now();
        let mut worker = Worker {
            chitchat,
            view: View::new(own),
            seeds: Seeds::look_up(&args.seeds),
            seed_names: args.seeds,
            advertised,
            shared,
            changes: None,
            looked_at: now,
            alone_from: now + ALONE_FIRST,
            namesake_reported: false,
        };
        worker.look().await;
        Ok(worker)
    }

    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut greetings = interval(GREETING);
        greetings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = self.chitchat.termination_watcher();
        tokio::pin!(ended);
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::Leave) => break self.say_goodbye().await,
                    Some(command) => self.obey(command).await,
                    None => break,
                },
                _ = ticks.tick() => {}
                _ = greetings.tick() => self.greet_seeds().await,
                result = &mut ended => {
                    error!(?result, "gossip has ended by itself: this node sees nobody any more");
                    break;
                }
            }
            self.look().await;
        }
        let _ = self.chitchat.shutdown().await;
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Set(key, value) => self.set(&key, value).await,
            Command::Subscribe(changes) => {
                for (member, liveness) in self.view.members() {
                    let (name, boot) = (member.name.clone(), member.boot);
                    if liveness != Liveness::Left {
                        let _ = changes.send(Change::Joined(member));
                    }
                    if liveness == Liveness::Suspected {
                        let _ = changes.send(Change::Suspected { name, boot });
                    }
                }
                self.changes = Some(changes);
            }
            Command::Leave => {}
            #[cfg(test)]
            Command::Freeze(thaw) => {
                let _ = thaw.recv();
            }
        }
    }

    async fn set(&self, key: &str, value: String) {
        let chitchat = self.chitchat.chitchat();
        let mut chitchat = chitchat.lock().await;
        let own = chitchat.self_node_state();
        if own.contains_key(key) || own.num_key_values() < VALUES_MAX {
            own.set(key, value);
        } else {
            warn!(key, "refused to gossip a value: there are {VALUES_MAX} already");
        }
    }

    /// Looks at what chitchat knows, and tells what has changed.
    async fn look(&mut self) {
        let now = Instant::now();
        let gap = now - self.looked_at;
        self.looked_at = now;
        if gap > STANDSTILL {
            warn!(
                gap_ms = gap.as_millis(),
                "this process stood still: nobody is suspected for now"
            );
            self.shared.standstills.fetch_add(1, Ordering::Relaxed);
            self.view.distrust(now);
        }
        let sightings = {
            let chitchat = self.chitchat.chitchat();
            let chitchat = chitchat.lock().await;
            sightings(&chitchat, &self.view)
        };
        self.report_namesake(&sightings);
        let changes = self.view.look(now, sightings);
        let mut members = self.shared.members.lock().unwrap_or_else(PoisonError::into_inner);
        if !changes.is_empty() || members.is_empty() {
            *members = self.view.members();
        }
        drop(members);
        for change in changes {
            if self.changes.as_ref().is_some_and(|sender| sender.send(change).is_err()) {
                self.changes = None;
            }
        }
    }

    fn report_namesake(&mut self, sightings: &[Sighting]) {
        let own = self.chitchat.chitchat_id();
        let newer = sightings.iter().find(|sighting| {
            sighting.live && *sighting.name == *own.node_id && sighting.boot > own.generation_id
        });
        if let Some(newer) = newer
            && !std::mem::replace(&mut self.namesake_reported, true)
        {
            error!(
                name = newer.name,
                boot = newer.boot,
                "another node has this node's name; the \
                one that started last counts, so give each node a name of its own"
            );
        }
    }

    /// Speaks to the seeds that are not known as living members.
    async fn greet_seeds(&mut self) {
        let known: BTreeSet<SocketAddr> = {
            let chitchat = self.chitchat.chitchat();
            let chitchat = chitchat.lock().await;
            chitchat.live_nodes().map(|id| id.gossip_advertise_addr).collect()
        };
        let mut unknown = self.seeds.addresses();
        unknown.retain(|address| !known.contains(address) && *address != self.advertised);
        for address in &unknown {
            let _ = self.chitchat.gossip(*address);
        }
        let now = Instant::now();
        if self.view.has_company() || self.seed_names.is_empty() {
            self.alone_from = now + ALONE_FIRST;
        } else if now >= self.alone_from && !unknown.is_empty() {
            self.alone_from = now + ALONE_AGAIN;
            warn!(seeds = ?self.seed_names, "no seed answers: are nodes running there, and do they \
                hold the same cluster secret?");
        }
    }

    /// Tells every living member, a few times because datagrams get lost.
    async fn say_goodbye(&mut self) {
        for _ in 0..GOODBYES {
            let others: Vec<SocketAddr> = {
                let chitchat = self.chitchat.chitchat();
                let mut chitchat = chitchat.lock().await;
                chitchat.self_node_state().set(STATE_KEY, GOODBYE);
                let others = chitchat.live_nodes().filter(|id| *id != chitchat.self_chitchat_id());
                others.map(|id| id.gossip_advertise_addr).collect()
            };
            for other in others {
                let _ = self.chitchat.gossip(other);
            }
            tokio::time::sleep(GOODBYE_INTERVAL).await;
        }
    }
}

fn config(id: ChitchatId, cluster_id: String, listen: SocketAddr) -> ChitchatConfig {
    ChitchatConfig {
        chitchat_id: id,
        cluster_id,
        gossip_interval: GOSSIP_INTERVAL,
        listen_addr: listen,
        // Seeds are greeted from here: chitchat looks a name up again only after a minute.
        seed_nodes: Vec::new(),
        failure_detector_config: FailureDetectorConfig::new(
            PHI,
            SAMPLES,
            INTERVAL_MAX,
            GOSSIP_INTERVAL,
            GRACE,
        ),
        marked_for_deletion_grace_period: GRACE,
        catchup_callback: None,
        extra_liveness_predicate: None,
        protocol_version: ProtocolVersion::V1,
    }
}

/// Everything chitchat knows; values only where `view` does not have them.
fn sightings(chitchat: &Chitchat, view: &View) -> Vec<Sighting> {
    let live: BTreeSet<&ChitchatId> = chitchat.live_nodes().collect();
    let nodes = chitchat.node_states().iter();
    nodes.map(|(id, state)| sighting(id, state, live.contains(id), view)).collect()
}

fn sighting(id: &ChitchatId, state: &NodeState, live: bool, view: &View) -> Sighting {
    let version = state.max_version();
    let known = view.version(&id.node_id, id.generation_id) == Some(version);
    let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    Sighting {
        name: id.node_id.to_string(),
        boot: id.generation_id,
        live,
        heartbeat: state.heartbeat().into(),
        version,
        values: (!known).then(|| state.key_values().map(owned).collect()),
    }
}
