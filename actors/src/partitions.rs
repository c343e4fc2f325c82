//! The partitions that trainers compute on, in memory, bounded by their bytes; the least recently
//! used goes first. Nobody waits for the reading of a partition but those who want that one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use wallaby_core::ids::Digest;
use wallaby_data::{Partition, Target};

/// Bytes of partitions that are kept in memory unless it is said otherwise. The one that was used
/// last is kept whatever its size, and those that trainers are at work on live on until they are
/// done with them.
pub const PARTITION_BYTES: usize = 1 << 30;

/// A bounded set of partitions, shared by all trainers of a node.
#[derive(Debug)]
pub struct Partitions {
    bytes_max: usize,
    held: Mutex<Held>,
    /// Rings when a reading ends.
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Held {
    partitions: BTreeMap<Digest, (Arc<Partition>, u64)>,
    /// From the use longest ago to the last one.
    by_age: BTreeMap<u64, Digest>,
    uses: u64,
    bytes: usize,
    being_read: BTreeSet<Digest>,
}

impl Default for Partitions {
    fn default() -> Self {
        Self::new(PARTITION_BYTES)
    }
}

impl Partitions {
    /// An empty set that keeps at most `bytes_max`, but at least one partition.
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, held: Mutex::default(), ended: Condvar::new() }
    }

    /// A partition: from memory, or by `read`. Who wants one that is being read waits for it;
    /// if that fails, each tries for itself.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn get<E>(
        &self,
        digest: Digest,
        read: impl FnOnce() -> Result<Partition, E>,
    ) -> Result<Arc<Partition>, E> {
        let mut held = self.held();
        loop {
            if let Some(partition) = held.get(digest) {
                return Ok(partition);
            }
            if held.being_read.insert(digest) {
                break;
            }
            held = self.ended.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
        drop(held);
        let reading = Reading { partitions: self, digest };
        let partition = Arc::new(read()?);
        self.held().insert(digest, Arc::clone(&partition), self.bytes_max);
        drop(reading);
        Ok(partition)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // No change of what is held can stop half way and leave it wrong.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reading of a partition, until it ends, in whichever way.
struct Reading<'a> {
    partitions: &'a Partitions,
    digest: Digest,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.partitions.held().being_read.remove(&self.digest);
        self.partitions.ended.notify_all();
    }
}

impl Held {
    fn get(&mut self, digest: Digest) -> Option<Arc<Partition>> {
        let (partition, age) = self.partitions.get_mut(&digest)?;
        self.by_age.remove(age);
        self.uses += 1;
        *age = self.uses;
        self.by_age.insert(self.uses, digest);
        Some(Arc::clone(partition))
    }

    fn insert(&mut self, digest: Digest, partition: Arc<Partition>, bytes_max: usize) {
        let bytes = bytes_of(&partition);
        while self.bytes + bytes > bytes_max {
            let Some((_, oldest)) = self.by_age.pop_first() else { break };
            if let Some((gone, _)) = self.partitions.remove(&oldest) {
                self.bytes -= bytes_of(&gone);
            }
        }
        self.bytes += bytes;
        self.uses += 1;
        self.partitions.insert(digest, (partition, self.uses));
        self.by_age.insert(self.uses, digest);
    }
}

/// Bytes that a partition takes in memory.
fn bytes_of(partition: &Partition) -> usize {
    let target = match &partition.target {
        Target::Classes(classes) => size_of_val(classes.as_slice()),
        Target::Values(values) => size_of_val(values.as_slice()),
    };
    size_of::<Partition>() + size_of_val(partition.features.as_slice()) + target
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;

    fn partition(rows: usize) -> Partition {
        Partition { width: 1, features: vec![0.5; rows], target: Target::Values(vec![1.0; rows]) }
    }

    fn digest(number: u8) -> Digest {
        Digest([number; 32])
    }

    fn held(partitions: &Partitions) -> Vec<Digest> {
        partitions.held().partitions.keys().copied().collect()
    }

    #[test]
    fn memory_is_bounded_and_the_least_recently_used_goes_first() {
        let partitions = Partitions::new(3 * bytes_of(&partition(100)));
        let read = || Ok::<_, ()>(partition(100));
        let never = || -> Result<Partition, ()> { panic!("it is in memory") };
        for number in [1, 2, 3] {
            partitions.get(digest(number), read).unwrap();
        }
        partitions.get(digest(1), never).unwrap();
        partitions.get(digest(4), read).unwrap();
        assert_eq!(held(&partitions), [digest(1), digest(3), digest(4)]);
        assert_eq!(partitions.held().bytes, partitions.bytes_max);
    }

    #[test]
    fn one_partition_is_kept_even_if_it_is_too_large() {
        let partitions = Partitions::new(1);
        for number in [1, 2] {
            partitions.get(digest(number), || Ok::<_, ()>(partition(100))).unwrap();
            assert_eq!(held(&partitions), [digest(number)]);
        }
        assert_eq!(partitions.held().bytes, bytes_of(&partition(100)));
    }

    #[test]
    fn a_partition_that_is_being_read_keeps_only_those_waiting_who_want_it() {
        let partitions = Partitions::default();
        let reads = &AtomicU32::new(0);
        let (go_on, wait) = mpsc::channel::<()>();
        let (started, start) = mpsc::channel();
        std::thread::scope(|scope| {
            let waited = move || {
                started.send(()).unwrap();
                wait.recv_timeout(Duration::from_secs(30)).unwrap();
                reads.fetch_add(1, Ordering::Relaxed);
                Ok::<_, ()>(partition(7))
            };
            let slow = scope.spawn(|| partitions.get(digest(1), waited).unwrap());
            start.recv_timeout(Duration::from_secs(30)).unwrap();
            let same = scope.spawn(|| {
                let second = || -> Result<Partition, ()> { panic!("it was read already") };
                partitions.get(digest(1), second).unwrap()
            });
            partitions.get(digest(2), || Ok::<_, ()>(partition(1))).unwrap();
            assert_eq!(reads.load(Ordering::Relaxed), 0);
            go_on.send(()).unwrap();
            assert!(Arc::ptr_eq(&slow.join().unwrap(), &same.join().unwrap()));
        });
    }

    #[test]
    fn a_reading_that_fails_or_panics_leaves_the_next_one_free() {
        let partitions = Partitions::default();
        assert_eq!(partitions.get(digest(1), || Err("no such file")), Err("no such file"));
        let panics = std::panic::AssertUnwindSafe(|| {
            let _ = partitions.get(digest(1), || -> Result<Partition, ()> { panic!("damaged") });
        });
        assert!(std::panic::catch_unwind(panics).is_err());
        assert_eq!(*partitions.get(digest(1), || Ok::<_, ()>(partition(3))).unwrap(), partition(3));
    }
}
