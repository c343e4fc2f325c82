//! Questions to single nodes over HTTP, as clients ask them.

use bytes::Bytes;
use http::Method;
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use wallaby::wallaby_core::journal::Entry;
use wallaby_actors::cluster::api_types::{Hello, NodeInfo, RunningInfo, StudyInfo};
use wallaby_links::peers::Peers;
use wallaby_links::secret::Secret;
use wallaby_links::tls::Identity;

/// How long a node may take to answer. One that is dead or frozen takes no longer.
const ANSWER: Duration = Duration::from_secs(2);

/// How long a node may take to say that it did something: longer than a leader waits for others.
const ORDER: Duration = Duration::from_secs(20);

/// A client with the cluster's secret.
pub(crate) struct Api {
    runtime: Runtime,
    peers: Peers,
}

impl Api {
    pub(crate) fn new(secret_file: &Path) -> Self {
        let runtime = Runtime::new().unwrap();
        let _inside = runtime.enter();
        let identity = Identity::new(&Secret::read(secret_file).unwrap()).unwrap();
        let peers = Peers::new(Arc::new(identity));
        drop(_inside);
        Self { runtime, peers }
    }

    fn ask(&self, node: SocketAddr, method: Method, path: &str) -> Result<Bytes, String> {
        self.ask_within(node, method, path, ANSWER)
    }

    fn ask_within(
        &self,
        node: SocketAddr,
        method: Method,
        path: &str,
        within: Duration,
    ) -> Result<Bytes, String> {
        let address = node.to_string();
        let asked = self.peers.request(&address, method, path, Bytes::new(), within);
        let answer = self.runtime.block_on(asked);
        answer.map(|answer| answer.body).map_err(|error| error.to_string())
    }

    fn json<T: DeserializeOwned>(&self, node: SocketAddr, path: &str) -> Result<T, String> {
        let body = self.ask(node, Method::GET, path)?;
        serde_json::from_slice(&body).map_err(|error| format!("{path}: {error}"))
    }

    pub(crate) fn hello(&self, node: SocketAddr) -> Result<Hello, String> {
        self.json(node, "/v1/hello")
    }

    pub(crate) fn nodes(&self, node: SocketAddr) -> Result<Vec<NodeInfo>, String> {
        self.json(node, "/v1/nodes")
    }

    pub(crate) fn study(&self, node: SocketAddr, study: &str) -> Result<StudyInfo, String> {
        self.json(node, &format!("/v1/studies/{study}"))
    }

    pub(crate) fn studies(&self, node: SocketAddr) -> Result<Vec<StudyInfo>, String> {
        self.json(node, "/v1/studies")
    }

    /// Pauses a study, by way of this node; `Ok` when it is durable.
    pub(crate) fn pause(&self, node: SocketAddr, study: &str) -> Result<(), String> {
        let path = format!("/v1/studies/{study}/pause");
        self.ask_within(node, Method::POST, &path, ORDER).map(drop)
    }

    pub(crate) fn running(
        &self,
        node: SocketAddr,
        study: &str,
    ) -> Result<Vec<RunningInfo>, String> {
        self.json(node, &format!("/v1/studies/{study}/running"))
    }

    /// All records of a study that the cluster has now.
    pub(crate) fn records(&self, node: SocketAddr, study: &str) -> Result<Vec<Entry>, String> {
        let mut entries = Vec::new();
        loop {
            let path = format!("/v1/studies/{study}/records?from={}", entries.len());
            let body = self.ask(node, Method::GET, &path)?;
            if body.is_empty() {
                return Ok(entries);
            }
            let mut rest = &body[..];
            while let Some((length, after)) = rest.split_first_chunk() {
                let length = u32::from_le_bytes(*length) as usize;
                let (entry, after) = after.split_at_checked(length).ok_or("a torn record")?;
                entries.push(Entry::decode(entry).map_err(|error| error.to_string())?);
                rest = after;
            }
        }
    }
}
