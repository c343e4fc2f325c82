//! Watches a cluster from outside while things happen to it: who leads in the eyes of each node,
//! whom each takes for dead, what runs, what is recorded, how much memory each process has.

use crate::stand::{Container, Stand, now};
use http::Method;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use wallaby::wallaby_core::journal::{Entry, Record};
use wallaby_actors::cluster::api_types::{Hello, NodeInfo, NodeState, RunningInfo};
use wallaby_links::peers::Peers;
use wallaby_links::secret::Secret;
use wallaby_links::tls::Identity;

/// How long a node may take to answer. One that stands still never does.
const ANSWER: Duration = Duration::from_millis(400);

/// How often the containers are looked up: addresses and processes change with restarts.
const LOOK_UP: Duration = Duration::from_millis(700);

/// How often everything is asked.
const ROUND: Duration = Duration::from_millis(150);

/// What was seen, each with its time in milliseconds since the epoch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// When which node answered.
    pub(crate) answers: Vec<(u64, String)>,
    /// Who leads in which term, in the eyes of whom: time, witness, term, leader.
    pub(crate) leads: Vec<(u64, u64, u64, u64)>,
    /// The states of nodes that are not alive: time, witness, node, state.
    pub(crate) troubles: Vec<(u64, String, String, NodeState)>,
    /// Units under way: time, unit.
    pub(crate) running: Vec<(u64, RunningInfo)>,
    /// The memory of each process: time, node, process, kibibytes.
    pub(crate) memory: Vec<(u64, String, u32, u64)>,
    /// The names of nodes by their numbers.
    pub(crate) names: BTreeMap<u64, String>,
    /// How nodes are called, by their names.
    pub(crate) labels: BTreeMap<String, String>,
    /// Slots of each node.
    pub(crate) slots: BTreeMap<String, u32>,
    /// The records of the study.
    pub(crate) entries: Vec<Entry>,
    /// How many of them there were when somebody told.
    pub(crate) counts: Vec<(u64, usize)>,
}

impl Seen {
    /// How the node of a number is called.
    pub(crate) fn label(&self, node: u64) -> String {
        let name = self.names.get(&node).cloned().unwrap_or_else(|| node.to_string());
        self.labels.get(&name).cloned().unwrap_or(name)
    }

    /// The leader of the newest term.
    pub(crate) fn leader(&self) -> Option<&str> {
        let newest = self.leads.iter().max_by_key(|(at, _, term, _)| (*term, *at))?;
        self.names.get(&newest.3).map(String::as_str)
    }

    /// Whether the study is over.
    pub(crate) fn ended(&self) -> bool {
        self.entries.iter().rev().take(3).any(|e| matches!(e.record, Record::StudyEnded { .. }))
    }

    /// Units that count.
    pub(crate) fn commits(&self) -> usize {
        let commits = |entry: &&Entry| matches!(entry.record, Record::UnitCommitted(_));
        self.entries.iter().filter(commits).count()
    }
}

/// A thread that watches.
pub(crate) struct Watch {
    seen: Arc<Mutex<Seen>>,
    over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Watch {
    /// Begins to watch a study of a cluster.
    pub(crate) fn start(stand: &Arc<Stand>, study: &str) -> Self {
        let (seen, over) =
            (Arc::new(Mutex::new(Seen::default())), Arc::new(AtomicBool::new(false)));
        let secret = Secret::read(&stand.secret()).unwrap();
        let peers = Peers::new(Arc::new(Identity::new(&secret).unwrap()));
        let eye =
            Eye { stand: Arc::clone(stand), study: study.to_owned(), peers, seen: seen.clone() };
        let ended = Arc::clone(&over);
        let thread = std::thread::spawn(move || eye.watch(&ended));
        Self { seen, over, thread: Some(thread) }
    }

    /// What has been seen so far.
    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it; what was seen.
    pub(crate) fn end(mut self) -> Seen {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the watch does not panic");
        }
        self.seen().clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Eye {
    stand: Arc<Stand>,
    study: String,
    peers: Peers,
    seen: Arc<Mutex<Seen>>,
}

/// What one node says.
struct Told {
    at: u64,
    witness: String,
    hello: Option<Hello>,
    nodes: Vec<NodeInfo>,
}

impl Eye {
    fn watch(&self, over: &AtomicBool) {
        let runtime = Runtime::new().unwrap();
        let mut containers = Vec::new();
        let mut looked = None::<Instant>;
        while !over.load(Ordering::Relaxed) {
            let round = Instant::now();
            if looked.is_none_or(|at| at.elapsed() > LOOK_UP) {
                containers = self.stand.containers();
                looked = Some(Instant::now());
                self.note_memory(&containers);
            }
            runtime.block_on(self.round(&containers));
            std::thread::park_timeout(ROUND.saturating_sub(round.elapsed()));
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_memory(&self, containers: &[Container]) {
        let mut seen = self.seen();
        for it in containers {
            seen.labels.insert(it.node.clone(), it.label());
            let status = std::fs::read_to_string(format!("/proc/{}/status", it.pid));
            let status = status.unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            let size = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            if let Some(size) = size {
                seen.memory.push((now(), it.node.clone(), it.pid, size));
            }
        }
    }

    async fn round(&self, containers: &[Container]) {
        let mut asked = JoinSet::new();
        for it in containers {
            let Some(api) = it.api() else { continue };
            let (peers, witness) = (self.peers.clone(), it.node.clone());
            asked.spawn(async move { ask(peers, api, witness).await });
        }
        let told = asked.join_all().await;
        let leader = self.note(&told);
        let voters = containers.iter().filter(|it| it.service != "trainer");
        let mut order: Vec<&Container> = voters.collect();
        order.sort_by_key(|it| leader.as_deref() != Some(it.node.as_str()));
        for it in order {
            let Some(api) = it.api() else { continue };
            if self.follow(&api).await {
                break;
            }
        }
    }

    fn note(&self, told: &[Told]) -> Option<String> {
        let mut seen = self.seen();
        for Told { at, witness, hello, nodes } in told {
            for node in nodes {
                seen.names.insert(node.id, node.name.clone());
                seen.slots.insert(node.name.clone(), node.slots);
                if node.state != NodeState::Alive {
                    let trouble = (*at, witness.clone(), node.name.clone(), node.state);
                    seen.troubles.push(trouble);
                }
            }
            let Some(Hello { id, term, leader, .. }) = hello else { continue };
            seen.answers.push((*at, witness.clone()));
            seen.names.insert(*id, witness.clone());
            // Who has no vote knows no term.
            if let Some(leader) = leader.filter(|_| *term > 0) {
                seen.leads.push((*at, *id, *term, leader));
            }
        }
        seen.leader().map(str::to_owned)
    }

    /// Takes in what one node knows of the study; false if it says nothing.
    async fn follow(&self, api: &str) -> bool {
        let known = self.seen().entries.len();
        let path = format!("/v1/studies/{}/records?from={known}", self.study);
        let Some(records) = get(&self.peers, api, &path).await else { return false };
        let fresh = entries(&records);
        let path = format!("/v1/studies/{}/running", self.study);
        let running = get(&self.peers, api, &path).await;
        let at = now();
        let mut seen = self.seen();
        seen.entries.extend(fresh);
        let count = seen.entries.len();
        seen.counts.push((at, count));
        let Some(running) = running else { return true };
        let units: Vec<RunningInfo> = serde_json::from_slice(&running).unwrap_or_default();
        seen.running.extend(units.into_iter().map(|unit| (at, unit)));
        true
    }
}

async fn ask(peers: Peers, api: String, witness: String) -> Told {
    let (hello, nodes) =
        tokio::join!(get(&peers, &api, "/v1/hello"), get(&peers, &api, "/v1/nodes"));
    let hello = hello.and_then(|body| serde_json::from_slice(&body).ok());
    let nodes = nodes.and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
    Told { at: now(), witness, hello, nodes }
}

async fn get(peers: &Peers, api: &str, path: &str) -> Option<Vec<u8>> {
    let asked = peers.request(api, Method::GET, path, bytes::Bytes::new(), ANSWER);
    asked.await.ok().map(|answer| answer.body.to_vec())
}

/// The records that an answer holds, each after its length.
fn entries(mut bytes: &[u8]) -> Vec<Entry> {
    let mut all = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let Some((entry, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)
        else {
            break;
        };
        all.push(Entry::decode(entry).unwrap());
        bytes = rest;
    }
    all
}
