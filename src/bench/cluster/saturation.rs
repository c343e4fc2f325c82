//! Whether nodes that are only slow are taken for dead.

use super::EVERY;
use super::local::Local;
use super::row::Row;
use super::slots::under_way;
use crate::error::Error;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use wallaby_actors::cluster::api_types::NodeState;

/// How long.
const TIME: Duration = Duration::from_secs(300);

/// Threads that do nothing, as fast as they can, until this is dropped.
struct Busy(Arc<AtomicBool>);

impl Busy {
    /// One for each core.
    fn start() -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        for _ in 0..available_parallelism().map_or(1, |cores| cores.get()) {
            let ended = Arc::clone(&ended);
            std::thread::spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        Self(ended)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How often a node became anything but alive in the eyes of any node.
///
/// # Errors
/// The study does not begin.
pub(super) async fn measure(local: &Local, study: &str) -> Result<Row, Error> {
    under_way(local, study, 3).await?;
    let onlookers = local.client().nodes().await?;
    let onlookers = onlookers.into_iter().map(|node| local.client_of(&node.api));
    let onlookers = onlookers.collect::<Result<Vec<_>, Error>>()?;
    let _busy = Busy::start();
    let began = Instant::now();
    let mut not_alive: BTreeSet<(usize, String)> = BTreeSet::new();
    let (mut deaths, mut answers) = (0, 0_u64);
    while began.elapsed() < TIME {
        for (onlooker, client) in onlookers.iter().enumerate() {
            // No answer is no word about anybody.
            let Ok(nodes) = client.nodes().await else { continue };
            answers += 1;
            for node in nodes {
                let seen = (onlooker, node.name);
                if node.state == NodeState::Alive {
                    not_alive.remove(&seen);
                } else if not_alive.insert(seen) {
                    deaths += 1;
                }
            }
        }
        sleep(EVERY).await;
    }
    let deaths = (answers > 0).then_some(f64::from(deaths));
    Ok(Row::new("false deaths in 5 min", deaths, "").with_goal(0.0))
}
