//! Several members of one journal in one process, with links that a test can cut and make lossy.

use super::journal_tests::folder;
use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Mutex;
use tempfile::TempDir;
use tokio::time::{Instant, sleep_until, timeout_at};

/// No condition that a test waits for may take longer.
pub(super) const PATIENCE_OF_TESTS: Duration = Duration::from_secs(60);
/// How long the members wait for more than half to agree.
pub(super) const PATIENCE_OF_MEMBERS: Duration = Duration::from_secs(1);

pub(super) type Entries = Vec<Record>;

/// Numbers that look random and are the same for the same seed (xorshift64*).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }
}

/// What has been carried from member to member.
#[derive(Debug, Default, Clone)]
pub(super) struct Carried {
    pub(super) pieces: u64,
    pub(super) bytes_of_pieces: usize,
    pub(super) largest: usize,
}

/// The way between all members.
pub(super) struct Links {
    members: Mutex<BTreeMap<NodeId, Journal>>,
    cut: Mutex<BTreeSet<(NodeId, NodeId)>>,
    lost_percent: Mutex<(u64, Random)>,
    carried: Mutex<Carried>,
}

/// One member's end of the links.
struct End {
    links: Arc<Links>,
    node: NodeId,
}

impl Links {
    fn passes(&self, from: NodeId, to: NodeId) -> bool {
        let mut lossy = self.lost_percent.lock().unwrap();
        let lost = lossy.0 > 0 && lossy.1.below(100) < lossy.0;
        !lost && !self.cut.lock().unwrap().contains(&(from, to))
    }

    fn count(&self, call: Call, bytes: usize) {
        let mut carried = self.carried.lock().unwrap();
        carried.largest = carried.largest.max(bytes);
        if call == Call::Snapshot {
            carried.pieces += 1;
            carried.bytes_of_pieces += bytes;
        }
    }
}

impl Transport for End {
    fn send(
        &self,
        to: NodeId,
        call: Call,
        body: Vec<u8>,
        timeout: Duration,
    ) -> BoxFuture<Result<Vec<u8>, TransportError>> {
        let (links, from) = (Arc::clone(&self.links), self.node);
        Box::pin(async move {
            let deadline = Instant::now() + timeout;
            if !links.passes(from, to) {
                sleep_until(deadline).await;
                return Err(TransportError::TimedOut);
            }
            let Some(member) = links.members.lock().unwrap().get(&to).cloned() else {
                return Err(TransportError::Unreachable("it is stopped".to_owned()));
            };
            links.count(call, body.len());
            // The other side goes on with its work even if nobody waits for the answer any more.
            let work = tokio::spawn(async move { member.answer(call, &body).await });
            let answer = timeout_at(deadline, work).await;
            if !links.passes(to, from) {
                sleep_until(deadline).await;
                return Err(TransportError::TimedOut);
            }
            let answer = answer.map_err(|_| TransportError::TimedOut)?;
            answer.unwrap().map_err(|error| TransportError::Refused(error.to_string()))
        })
    }
}

/// The members and their files.
pub(super) struct Members {
    pub(super) nodes: Vec<NodeId>,
    links: Arc<Links>,
    folder: TempDir,
}

impl Members {
    /// Members that run and wait to be founded.
    pub(super) async fn waiting(count: u64) -> Self {
        let links = Links {
            members: Mutex::default(),
            cut: Mutex::default(),
            lost_percent: Mutex::new((0, Random::new(1))),
            carried: Mutex::default(),
        };
        let nodes: Vec<NodeId> = (1..=count).map(NodeId).collect();
        let members = Self { nodes, links: Arc::new(links), folder: folder() };
        for node in &members.nodes {
            members.start(*node).await;
        }
        members
    }

    /// Members that vote.
    pub(super) async fn founded(count: u64) -> Self {
        let members = Self::waiting(count).await;
        members.journal(NodeId(1)).found(&members.nodes).await.unwrap();
        members
    }

    pub(super) fn path(&self, node: NodeId) -> PathBuf {
        self.folder.path().join(format!("journal-{}.redb", node.0))
    }

    pub(super) async fn start(&self, node: NodeId) -> Recovery {
        let end = End { links: Arc::clone(&self.links), node };
        let path = self.path(node);
        let joined = Journal::join_patiently(&path, node, Arc::new(end), PATIENCE_OF_MEMBERS);
        let (journal, recovery) = joined.await.unwrap();
        self.links.members.lock().unwrap().insert(node, journal);
        recovery
    }

    /// Closes a member; what it is asked from then on, it does not hear.
    pub(super) async fn stop(&self, node: NodeId) {
        let journal = self.links.members.lock().unwrap().remove(&node);
        journal.expect("it runs").close().await.unwrap();
    }

    pub(super) fn journal(&self, node: NodeId) -> Journal {
        self.running(node).expect("it runs")
    }

    pub(super) fn running(&self, node: NodeId) -> Option<Journal> {
        self.links.members.lock().unwrap().get(&node).cloned()
    }

    pub(super) fn cut(&self, from: NodeId, to: NodeId) {
        self.links.cut.lock().unwrap().insert((from, to));
    }

    /// Cuts a member off from all others, both ways.
    pub(super) fn isolate(&self, node: NodeId) {
        for other in self.nodes.iter().filter(|other| **other != node) {
            self.cut(node, *other);
            self.cut(*other, node);
        }
    }

    pub(super) fn heal(&self) {
        self.links.cut.lock().unwrap().clear();
    }

    /// Loses this share of all calls, and of all answers.
    pub(super) fn lose(&self, percent: u64) {
        self.links.lost_percent.lock().unwrap().0 = percent;
    }

    pub(super) fn carried(&self) -> Carried {
        self.links.carried.lock().unwrap().clone()
    }

    /// The member that more than half of the voters follow, other than those named, and its term.
    pub(super) async fn leader_but(&self, not: &[NodeId]) -> (NodeId, Term) {
        within(PATIENCE_OF_TESTS, "a leader emerges", async || {
            for node in self.nodes.iter().filter(|node| !not.contains(node)) {
                let Some(journal) = self.running(*node) else { continue };
                if !journal.leadership().borrow().me {
                    continue;
                }
                if let Ok(term) = journal.confirm_lead(Duration::from_millis(300)).await {
                    return Some((*node, term));
                }
            }
            None
        })
        .await
    }

    pub(super) async fn leader(&self) -> (NodeId, Term) {
        self.leader_but(&[]).await
    }

    /// Waits until a member has this many records; returns them.
    pub(super) async fn records(&self, node: NodeId, count: u64) -> Entries {
        let journal = self.journal(node);
        let mut applied = journal.applied();
        let enough = applied.wait_for(|applied| *applied >= count);
        let waited = tokio::time::timeout(PATIENCE_OF_TESTS, enough).await;
        waited.unwrap_or_else(|_| panic!("{node} has no {count} records in time")).unwrap();
        journal.read(Seq(0)).await.unwrap()
    }

    /// Waits until all members that run have exactly these records.
    pub(super) async fn all_have(&self, expected: &Entries) {
        for node in self.nodes.iter().filter(|node| self.running(**node).is_some()) {
            assert_eq!(&self.records(*node, expected.len() as u64).await, expected, "{node}");
        }
    }

    pub(super) async fn stop_all(&self) {
        for node in &self.nodes {
            if self.running(*node).is_some() {
                self.stop(*node).await;
            }
        }
    }
}

/// Waits until a question has an answer.
pub(super) async fn within<T, F: Future<Output = Option<T>>>(
    limit: Duration,
    what: &str,
    mut question: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = question().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The error of something that must not have worked.
pub(super) fn refused<T: Debug>(result: Result<T, JournalError>) -> JournalError {
    result.expect_err("it was refused")
}
