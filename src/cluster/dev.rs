//! A cluster on one machine: real processes of this very program on free loopback ports. Keeps
//! no state but what lies in the folder, so that any process may stop a node or start it again.

mod layout;
mod ports;
mod process;

pub(crate) use layout::{DevFolder, Plan};
pub(crate) use process::{NodeProcess, ending};

use super::Client;
use super::config::{ClusterConfig, Given};
use crate::error::Error;
use std::process::Child;
use std::time::{Duration, Instant};
use wallaby_actors::cluster::api_types::{NodeInfo, NodeState, Role};

/// How often something is looked at while it is waited for.
const EVERY: Duration = Duration::from_millis(50);

/// How long a node has to end by itself.
const FAREWELL: Duration = Duration::from_secs(10);

/// A client of the cluster in a folder that does not wait for a leader by itself.
///
/// # Errors
/// A configuration or a secret that cannot be read.
fn client(folder: &DevFolder) -> Result<Client, Error> {
    let config = ClusterConfig::read(folder.path(), &Given::nothing())?;
    Ok(Client::new(config)?.with_patience(Duration::ZERO))
}

/// Waits until all these nodes are alive and one of them leads; gives back what the cluster says
/// of them. `children` are those of them that this process has started.
///
/// # Errors
/// One of them ended, or the time is over.
pub(crate) async fn ready(
    folder: &DevFolder,
    nodes: &[NodeProcess],
    children: &mut [(NodeProcess, Child)],
    time: Duration,
) -> Result<Vec<NodeInfo>, Error> {
    let client = client(folder)?;
    let began = Instant::now();
    loop {
        for (node, child) in children.iter_mut() {
            let ended = child.try_wait().map_err(|e| Error::Unexpected(e.to_string()))?;
            if let Some(status) = ended {
                return Err(node.did_not_start(status));
            }
        }
        let trouble = match client.nodes().await {
            Ok(seen) if is_ready(&seen, nodes) => return Ok(seen),
            Ok(seen) => format!("{} of {} nodes are there", alive(&seen, nodes), nodes.len()),
            Err(error) if error.is_outage() => error.to_string(),
            Err(error) => return Err(error.into()),
        };
        if began.elapsed() > time {
            let seconds = time.as_secs();
            return Err(Error::TimedOut(format!("not ready after {seconds} s: {trouble}")));
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn alive(seen: &[NodeInfo], nodes: &[NodeProcess]) -> usize {
    let lives = |node: &&NodeProcess| {
        let of_name = |info: &&NodeInfo| info.name == node.name();
        let seen = seen.iter().find(of_name);
        // After a restart the cluster may still know the life before.
        seen.is_some_and(|info| {
            info.state == NodeState::Alive && Some(info.pid) == node.running().ok().flatten()
        })
    };
    nodes.iter().filter(lives).count()
}

fn is_ready(seen: &[NodeInfo], nodes: &[NodeProcess]) -> bool {
    seen.iter().any(|info| info.role == Role::Leader) && alive(seen, nodes) == nodes.len()
}

/// Asks nodes to end, and ends those that do not; gives back their names.
///
/// # Errors
/// A process that cannot be told anything.
pub(crate) async fn stop(nodes: &[NodeProcess]) -> Result<Vec<String>, Error> {
    let mut asked = Vec::new();
    for node in nodes {
        if node.ask_to_end()? {
            asked.push(node);
        }
    }
    let began = Instant::now();
    for node in &asked {
        while node.running()?.is_some() {
            if began.elapsed() > FAREWELL {
                node.kill()?;
            }
            tokio::time::sleep(EVERY).await;
        }
    }
    Ok(asked.into_iter().map(|node| node.name().to_owned()).collect())
}
