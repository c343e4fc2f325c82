//! The addresses at which a cluster may be found: looked up by name, again and again, since a name
//! may resolve later than this node starts, or to another address tomorrow.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{net::lookup_host, task::JoinSet, time::timeout};
use tracing::{info, warn};

/// How long one look-up may take.
const LOOKUP: Duration = Duration::from_secs(5);
/// How long an answer is used.
const REFRESH: Duration = Duration::from_secs(10);
/// How long to wait after the first look-up that failed; twice as long after each further one.
const RETRY_MIN: Duration = Duration::from_secs(1);

type Found = Arc<Mutex<BTreeMap<String, BTreeSet<SocketAddr>>>>;

/// The seeds and where they were last found. Dropping it ends the look-ups.
pub(crate) struct Seeds {
    found: Found,
    _lookups: JoinSet<()>,
}

impl Seeds {
    /// Begins to look up `seeds`, on the runtime of the caller.
    pub(crate) fn look_up(seeds: &[String]) -> Seeds {
        let found = Found::default();
        let mut lookups = JoinSet::new();
        for seed in seeds {
            match seed.parse() {
                Ok(address) => store(&found, seed, BTreeSet::from([address])),
                Err(_) => {
                    lookups.spawn(keep_looking_up(seed.clone(), Arc::clone(&found)));
                }
            }
        }
        Seeds { found, _lookups: lookups }
    }

    /// Where the seeds are, as far as is known.
    pub(crate) fn addresses(&self) -> BTreeSet<SocketAddr> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.values().flatten().copied().collect()
    }
}

/// Whether `seed` has the form `host:port`.
pub(crate) fn is_well_formed(seed: &str) -> bool {
    seed.parse::<SocketAddr>().is_ok()
        || seed.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && !host.contains(':') && port.parse::<u16>().is_ok()
        })
}

/// Finds where `host` (`host:port`) is.
pub(crate) async fn resolve(host: &str) -> Result<BTreeSet<SocketAddr>, String> {
    match timeout(LOOKUP, lookup_host(host)).await {
        Ok(Ok(addresses)) => {
            let addresses: BTreeSet<_> = addresses.collect();
            if addresses.is_empty() { Err("it has no address".to_owned()) } else { Ok(addresses) }
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", LOOKUP.as_secs())),
    }
}

async fn keep_looking_up(seed: String, found: Found) {
    let mut retry = RETRY_MIN;
    let mut complained = false;
    loop {
        match resolve(&seed).await {
            Ok(addresses) => {
                if std::mem::take(&mut complained) {
                    info!(seed, "the seed resolves now");
                }
                store(&found, &seed, addresses);
                retry = RETRY_MIN;
                tokio::time::sleep(REFRESH).await;
            }
            Err(error) => {
                if !std::mem::replace(&mut complained, true) {
                    warn!(seed, error, "the seed does not resolve; trying again");
                }
                tokio::time::sleep(retry).await;
                retry = (retry * 2).min(REFRESH);
            }
        }
    }
}

fn store(found: &Found, seed: &str, addresses: BTreeSet<SocketAddr>) {
    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
    found.insert(seed.to_owned(), addresses);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_host_and_port() {
        for good in ["127.0.0.1:7701", "[::1]:7701", "node1:7701", "node-1.example:1"] {
            assert!(is_well_formed(good), "{good}");
        }
        for bad in ["", "node1", "node1:", ":7701", "node1:70000", "::1:7701", "node1:x"] {
            assert!(!is_well_formed(bad), "{bad}");
        }
    }
}
