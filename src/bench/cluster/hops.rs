//! How fast blobs move: brought to a node, and fetched from it as one node fetches from another.

use super::local::Local;
use super::row::{Row, median};
use crate::cluster::{Blob, ClusterError};
use crate::error::Error;
use bytes::Bytes;
use std::sync::Arc;
use tokio::time::Instant;
use wallaby_actors::blobs::BlobStore;
use wallaby_actors::cluster::api_types::Holder;
use wallaby_actors::exchange::{Exchange, Kind, Meter};
use wallaby_core::ids::Digest;
use wallaby_links::peers::Peers;
use wallaby_links::secret::Secret;
use wallaby_links::tls::Identity;

/// Megabytes (10⁶ bytes) of a blob, and how many are moved.
const SIZES: [(usize, usize); 3] = [(1, 9), (10, 5), (100, 3)];

/// With everything that takes long.
const LARGEST: (usize, usize) = (1000, 1);

/// What a blob is kept in memory of the store for.
const CACHE_BYTES: usize = 1 << 20;

/// This process as somebody who fetches.
pub(super) struct Hops {
    store: Arc<BlobStore>,
    exchange: Exchange,
    /// How many blobs were made, so that no two are the same.
    made: u64,
}

impl Hops {
    /// With a store of its own, on the disk of the nodes.
    ///
    /// # Errors
    /// No folder, or no secret.
    pub(super) fn new(local: &Local) -> Result<Self, Error> {
        let secret = Secret::read(local.secret_file()).map_err(ClusterError::from)?;
        let identity = Identity::new(&secret).map_err(ClusterError::from)?;
        let store = BlobStore::open_with_cache(&local.path("fetched"), CACHE_BYTES)?;
        let store = Arc::new(store);
        let peers = Peers::new(Arc::new(identity));
        let exchange = Exchange::new(Arc::clone(&store), peers, Arc::new(Meter::default()));
        Ok(Self { store, exchange, made: 0 })
    }

    /// Two rows for each size: there and back. What fails is told, and is a row without a value.
    ///
    /// # Errors
    /// The cluster does not say who its nodes are.
    pub(super) async fn measure(
        &mut self,
        local: &Local,
        full: bool,
        when: &str,
        tell: &dyn Fn(&str),
    ) -> Result<Vec<Row>, Error> {
        let nodes = local.client().nodes().await?;
        let mut rows = Vec::new();
        for (megabytes, count) in SIZES.into_iter().chain(full.then_some(LARGEST)) {
            let (mut puts, mut fetches) = (Vec::new(), Vec::new());
            for node in nodes.iter().cycle().take(count) {
                let holder = Holder { name: node.name.clone(), api: node.api.clone() };
                match self.there_and_back(local, megabytes, &holder).await {
                    Ok((put, fetch)) => {
                        puts.push(put);
                        fetches.push(fetch);
                    }
                    Err(error) => tell(&format!("{megabytes} MB by {}: {error}", holder.name)),
                }
            }
            for (what, rates) in [("put", &puts), ("hop", &fetches)] {
                let name = format!("{what} {megabytes} MB{when}");
                rows.push(Row::new(&name, median(rates), "MB/s"));
            }
        }
        Ok(rows)
    }

    /// Megabytes a second of a new blob's way to a node and from there to here.
    async fn there_and_back(
        &mut self,
        local: &Local,
        megabytes: usize,
        holder: &Holder,
    ) -> Result<(f64, f64), Error> {
        self.made += 1;
        let bytes = noise(megabytes * 1_000_000, self.made);
        let digest = Digest::of(&bytes);
        let blob = Blob { digest, bytes: Bytes::from(bytes) };
        let rate = |began: Instant| megabytes as f64 / began.elapsed().as_secs_f64();
        let began = Instant::now();
        local.client().put(&blob, std::slice::from_ref(holder)).await?;
        let put = rate(began);
        drop(blob);
        let sources = [holder.api.clone()];
        let began = Instant::now();
        let fetched = self.exchange.fetch(digest, &sources, true, Kind::Other).await;
        fetched.map_err(|error| Error::Unexpected(error.to_string()))?;
        let fetch = rate(began);
        self.store.remove(&digest)?;
        Ok((put, fetch))
    }
}

/// Bytes that nothing makes smaller, others for every seed (Marsaglia, "Xorshift RNGs", 2003).
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend(next());
    }
    bytes.truncate(length);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_its_length_and_differs_from_seed_to_seed() {
        let (one, two) = (noise(1001, 1), noise(1001, 2));
        assert_eq!((one.len(), two.len()), (1001, 1001));
        assert_ne!(one, two);
        assert_eq!(one, noise(1001, 1));
    }
}
