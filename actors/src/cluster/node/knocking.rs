//! Asks the seeds whether this node may take part: gossip alone would only be met with silence.

use super::ClusterNodeError;
use http::Method;
use std::time::Duration;
use tokio::sync::mpsc;
use wallaby_links::peers::{LinkError, Peers};

/// How long a seed may take to answer.
const ANSWER: Duration = Duration::from_secs(3);

/// How long to wait before seeds that do not answer are asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// Asks the seeds until another one than this node (`me`, its address) lets it in. One that has
/// another secret, or speaks another protocol, will not change its mind: the node ends.
pub(super) async fn knock(
    peers: Peers,
    me: String,
    seeds: Vec<String>,
    fail: mpsc::Sender<ClusterNodeError>,
) {
    let others: Vec<String> = seeds.into_iter().filter(|seed| *seed != me).collect();
    while !others.is_empty() && !fail.is_closed() {
        for seed in &others {
            let hello = peers.request(seed, Method::GET, "/v1/hello", Default::default(), ANSWER);
            match hello.await {
                Ok(_) => return,
                Err(error @ (LinkError::OtherSecret { .. } | LinkError::OtherProtocol { .. })) => {
                    let refused = ClusterNodeError::Refused(error.to_string());
                    // Whoever would hear it has ended already.
                    let _ = fail.send(refused).await;
                    return;
                }
                // It is not there yet.
                Err(_) => {}
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}
