//! Blobs in memory, bounded by their bytes; the least recently used goes first.
//! Holds only what was verified, and never reads a file.

use std::collections::BTreeMap;
use std::sync::Arc;
use wallaby_core::ids::Digest;

/// A bounded set of blobs.
#[derive(Debug)]
pub(super) struct Cache {
    bytes_max: usize,
    bytes: usize,
    /// Counts uses; the value at a blob's last use is its age.
    clock: u64,
    blobs: BTreeMap<Digest, (Arc<Vec<u8>>, u64)>,
    by_age: BTreeMap<u64, Digest>,
}

impl Cache {
    /// An empty cache that never holds more than `bytes_max`.
    pub(super) fn new(bytes_max: usize) -> Self {
        let (blobs, by_age) = (BTreeMap::new(), BTreeMap::new());
        Self { bytes_max, bytes: 0, clock: 0, blobs, by_age }
    }

    /// A blob, if it is here; it is then the most recently used.
    pub(super) fn get(&mut self, digest: &Digest) -> Option<Arc<Vec<u8>>> {
        let (bytes, age) = self.blobs.get_mut(digest)?;
        self.by_age.remove(age);
        self.clock += 1;
        *age = self.clock;
        self.by_age.insert(self.clock, *digest);
        Some(Arc::clone(bytes))
    }

    /// Adds a blob, making room for it; one that is larger than the whole cache is not kept.
    pub(super) fn insert(&mut self, digest: Digest, bytes: Arc<Vec<u8>>) {
        self.remove(&digest);
        if bytes.len() > self.bytes_max {
            return;
        }
        while self.bytes + bytes.len() > self.bytes_max {
            let Some((_, oldest)) = self.by_age.pop_first() else { break };
            self.forget(&oldest);
        }
        self.bytes += bytes.len();
        self.clock += 1;
        self.blobs.insert(digest, (bytes, self.clock));
        self.by_age.insert(self.clock, digest);
    }

    /// Removes a blob, if it is here.
    pub(super) fn remove(&mut self, digest: &Digest) {
        if let Some(age) = self.forget(digest) {
            self.by_age.remove(&age);
        }
    }

    fn forget(&mut self, digest: &Digest) -> Option<u64> {
        let (bytes, age) = self.blobs.remove(digest)?;
        self.bytes -= bytes.len();
        Some(age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(number: u8, length: usize) -> (Digest, Arc<Vec<u8>>) {
        let bytes = vec![number; length];
        (Digest::of(&bytes), Arc::new(bytes))
    }

    #[test]
    fn the_least_recently_used_blob_makes_room() {
        let mut cache = Cache::new(100);
        let blobs: Vec<_> = (0..3).map(|number| blob(number, 40)).collect();
        cache.insert(blobs[0].0, Arc::clone(&blobs[0].1));
        cache.insert(blobs[1].0, Arc::clone(&blobs[1].1));
        assert!(cache.get(&blobs[0].0).is_some());
        cache.insert(blobs[2].0, Arc::clone(&blobs[2].1));
        let held: Vec<_> = blobs.iter().map(|(digest, _)| cache.get(digest).is_some()).collect();
        assert_eq!(held, [true, false, true]);
        assert_eq!(cache.bytes, 80);
    }

    #[test]
    fn a_blob_larger_than_the_cache_displaces_nothing() {
        let mut cache = Cache::new(100);
        let (small, large) = (blob(1, 60), blob(2, 101));
        cache.insert(small.0, small.1);
        cache.insert(large.0, large.1);
        assert!(cache.get(&large.0).is_none());
        assert!(cache.get(&small.0).is_some());
    }

    #[test]
    fn bytes_are_counted_right_whatever_comes_and_goes() {
        let mut cache = Cache::new(500);
        for step in 0..2_000_usize {
            let (digest, bytes) = blob((step * 7 % 23) as u8, step * 13 % 23 * 10);
            match step % 3 {
                0 => cache.remove(&digest),
                1 => drop(cache.get(&digest)),
                _ => cache.insert(digest, bytes),
            }
            let held: usize = cache.blobs.values().map(|(bytes, _)| bytes.len()).sum();
            assert_eq!(cache.bytes, held);
            assert!(held <= 500);
            assert_eq!(cache.by_age.len(), cache.blobs.len());
        }
    }
}
