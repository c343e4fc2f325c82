//! Speaks to a cluster over any of its nodes: tries one after the other, stays with the one that
//! answered, and waits a while for a leader. Never shows anything.

mod nodes;
mod records;
pub(crate) mod studies;

use super::config::ClusterConfig;
use super::error::ClusterError;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use wallaby_links::peers::{Answer, LinkError, Peers};
use wallaby_links::secret::Secret;
use wallaby_links::tls::Identity;

/// How long it is waited for a leader, if nobody says otherwise.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// How long a node may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(6);

/// How long a node may take to do something: it goes by way of the leader into the journal.
const ORDER_WAIT: Duration = Duration::from_secs(15);

/// The wait before all nodes are asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// The most addresses that are remembered.
const ADDRESSES_MAX: usize = 1024;

/// A question to a cluster. Asked twice it must do no more than asked once.
struct Question<'a> {
    method: Method,
    path: &'a str,
    body: Bytes,
    /// How long a node may take to answer.
    wait: Duration,
}

/// A client of one cluster.
pub(crate) struct Client {
    peers: Peers,
    config: ClusterConfig,
    /// Where nodes were or are said to be, those that answered last first.
    addresses: Mutex<Vec<String>>,
    patience: Duration,
}

impl Client {
    /// A client of this cluster; connects to nobody yet.
    ///
    /// # Errors
    /// A secret that cannot be read.
    pub(crate) fn new(config: ClusterConfig) -> Result<Self, ClusterError> {
        let identity = Identity::new(&Secret::read(&config.secret_file)?)?;
        let addresses = Mutex::new(config.seeds.clone());
        let peers = Peers::new(Arc::new(identity));
        Ok(Self { peers, config, addresses, patience: PATIENCE })
    }

    /// With another time to wait for a leader.
    pub(crate) fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Its cluster.
    pub(super) fn config(&self) -> &ClusterConfig {
        &self.config
    }

    /// Takes in where nodes are, as one of them said.
    fn learn<'a>(&self, addresses: impl Iterator<Item = &'a str>) {
        let mut known = self.addresses();
        for address in addresses {
            if known.len() < ADDRESSES_MAX && !known.iter().any(|other| other == address) {
                known.push(address.to_owned());
            }
        }
    }

    fn prefer(&self, address: &str) {
        let mut known = self.addresses();
        if let Some(at) = known.iter().position(|other| other == address) {
            known[..=at].rotate_right(1);
        }
    }

    fn addresses(&self) -> MutexGuard<'_, Vec<String>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The JSON of a path.
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClusterError> {
        let question =
            Question { method: Method::GET, path, body: Bytes::new(), wait: ANSWER_WAIT };
        let (address, answer) = self.ask(question).await?;
        decode(&address, &answer.body)
    }

    /// Does something; the answer says no more than that it was done.
    async fn order(&self, method: Method, path: &str, body: Bytes) -> Result<(), ClusterError> {
        self.ask(Question { method, path, body, wait: ORDER_WAIT }).await.map(|_| ())
    }

    /// The answer of the first node that has one, and that node's address.
    async fn ask(&self, question: Question<'_>) -> Result<(String, Answer), ClusterError> {
        let began = Instant::now();
        loop {
            let round = self.ask_each(&question).await?;
            let leaderless = match round {
                Round::Answered(address, answer) => return Ok((address, answer)),
                Round::Leaderless(words) => words,
            };
            let waited = began.elapsed();
            if waited >= self.patience {
                return Err(ClusterError::NoLeader { waited, words: leaderless });
            }
            sleep(PAUSE).await;
        }
    }

    async fn ask_each(&self, question: &Question<'_>) -> Result<Round, ClusterError> {
        let addresses = self.addresses().clone();
        let mut troubles = Vec::new();
        let mut leaderless = None;
        for address in addresses {
            let Question { method, path, body, wait } = question;
            let asked = self.peers.request(&address, method.clone(), path, body.clone(), *wait);
            match asked.await {
                Ok(answer) => {
                    self.prefer(&address);
                    return Ok(Round::Answered(address, answer));
                }
                Err(LinkError::Refused {
                    status: StatusCode::SERVICE_UNAVAILABLE, words, ..
                }) => {
                    leaderless = Some(words);
                }
                Err(LinkError::Refused { status, words, .. }) => {
                    self.prefer(&address);
                    return Err(refused(status, words));
                }
                Err(trouble) => troubles.push((address, trouble)),
            }
        }
        match leaderless {
            Some(words) => Ok(Round::Leaderless(words)),
            None => Err(self.unanswered(troubles)),
        }
    }

    /// What is worst of what all nodes did: who is refused need not know who is dead.
    fn unanswered(&self, troubles: Vec<(String, LinkError)>) -> ClusterError {
        for (address, trouble) in &troubles {
            match trouble {
                LinkError::OtherSecret { .. } => {
                    let secret_file = self.config.secret_file.clone();
                    return ClusterError::OtherSecret { address: address.clone(), secret_file };
                }
                LinkError::OtherProtocol { words, .. } => {
                    let (address, words) = (address.clone(), words.clone());
                    return ClusterError::OtherProtocol { address, words };
                }
                _ => {}
            }
        }
        let tried = troubles.into_iter().map(|(address, trouble)| (address, words(&trouble)));
        ClusterError::NoAnswer { tried: tried.collect() }
    }
}

/// What came of asking every node once.
enum Round {
    Answered(String, Answer),
    /// Nodes answer, but none leads; what the last of them said.
    Leaderless(String),
}

fn refused(status: StatusCode, words: String) -> ClusterError {
    let words = match words.is_empty() {
        true => format!("the cluster refuses with {status}"),
        false => words,
    };
    ClusterError::Refused { status: status.as_u16(), words }
}

/// Without the address, which stands before it.
fn words(trouble: &LinkError) -> String {
    match trouble {
        LinkError::Unreachable { source, .. } if source.kind() == ErrorKind::ConnectionRefused => {
            "nobody listens there".to_owned()
        }
        LinkError::Unreachable { source, .. } => source.to_string(),
        LinkError::TimedOut { after, .. } => format!("no answer within {} s", after.as_secs()),
        LinkError::Broken { detail, .. } => format!("the connection broke: {detail}"),
        other => other.to_string(),
    }
}

fn decode<T: DeserializeOwned>(address: &str, body: &[u8]) -> Result<T, ClusterError> {
    serde_json::from_slice(body).map_err(|error| ClusterError::Garbled {
        address: address.to_owned(),
        what: error.to_string(),
    })
}

#[cfg(test)]
#[path = "client/client_tests.rs"]
mod tests;
