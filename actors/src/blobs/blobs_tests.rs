//! Claims about the blob store, on real folders and a real full disk.

use super::*;
use crate::test_disk::SmallDisk;
use std::fs;
use tempfile::TempDir;

/// Bytes of any length that no two numbers share.
fn bytes(number: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&number.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

fn uncached(folder: &TempDir) -> BlobStore {
    BlobStore::open_with_cache(folder.path(), 0).unwrap()
}

#[test]
fn whatever_is_put_comes_back() {
    let folder = TempDir::new().unwrap();
    let (cached, uncached) = (BlobStore::open(folder.path()).unwrap(), uncached(&folder));
    let mut digests = Vec::new();
    let mut total = 0;
    for number in 0..120 {
        let length = (number as usize).pow(3) % 70_001;
        let blob = bytes(number, length);
        let digest = cached.put(blob.clone(), number % 2 == 0).unwrap();
        assert_eq!(digest, Digest::of(&blob));
        assert_eq!(*cached.get(&digest).unwrap(), blob);
        assert_eq!(*uncached.get(&digest).unwrap(), blob);
        digests.push(digest);
        total += length as u64;
    }
    digests.sort();
    assert_eq!(uncached.list().unwrap(), digests);
    assert_eq!(uncached.bytes_used().unwrap(), total);
}

#[test]
fn a_removed_blob_is_gone_from_disk_and_memory() {
    let folder = TempDir::new().unwrap();
    let store = BlobStore::open(folder.path()).unwrap();
    let digest = store.put(bytes(1, 1000), false).unwrap();
    assert!(store.contains(&digest));
    assert!(store.remove(&digest).unwrap());
    assert!(!store.contains(&digest));
    assert!(!store.remove(&digest).unwrap());
    let missing = store.get(&digest).unwrap_err();
    assert_eq!(missing.to_string(), format!("blob {digest} is not in the store"));
    assert_eq!(store.bytes_used().unwrap(), 0);
}

#[test]
fn an_order_to_remove_a_blob_spares_one_that_has_come_since() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(BlobStore::open(folder.path()).unwrap());
    let digest = store.put(bytes(1, 1000), false).unwrap();
    let known = store.stamp(&digest).unwrap();
    // It is made again, then fetched again, then wanted again.
    store.put(bytes(1, 1000), false).unwrap();
    assert!(store.stamp(&digest).unwrap() > known);
    assert!(!store.remove_up_to(&digest, known).unwrap());
    let known = store.stamp(&digest).unwrap();
    let mut coming = store.begin(digest).unwrap();
    coming.write(&bytes(1, 1000)).unwrap();
    coming.finish(false).unwrap();
    assert!(!store.remove_up_to(&digest, known).unwrap());
    let known = store.stamp(&digest).unwrap();
    let newest = store.renew(&digest).unwrap();
    assert!(!store.remove_up_to(&digest, known).unwrap());
    assert!(store.contains(&digest));
    assert!(store.remove_up_to(&digest, newest).unwrap());
    assert_eq!((store.stamp(&digest), store.renew(&digest)), (None, None));
}

#[test]
fn what_an_earlier_process_left_goes_by_the_stamp_of_what_lay_there() {
    let folder = TempDir::new().unwrap();
    let digest = BlobStore::open(folder.path()).unwrap().put(bytes(1, 10), true).unwrap();
    let store = BlobStore::open(folder.path()).unwrap();
    assert_eq!(store.stamp(&digest), None);
    assert!(store.remove_up_to(&digest, Stamp::default()).unwrap());
}

#[test]
fn every_flipped_byte_and_every_cut_is_noticed_and_mended_by_the_next_put() {
    let folder = TempDir::new().unwrap();
    let store = uncached(&folder);
    let blob = bytes(1, 300);
    let digest = store.put(blob.clone(), true).unwrap();
    let path = store.files.path(&digest);
    let flips = (0..blob.len()).map(|place| {
        let mut damaged = blob.clone();
        damaged[place] ^= 1 << (place % 8);
        damaged
    });
    let cuts = (0..blob.len()).map(|length| blob[..length].to_vec());
    let longer = [&blob[..], b"x"].concat();
    for damaged in flips.chain(cuts).chain([longer]) {
        fs::write(&path, &damaged).unwrap();
        match store.get(&digest) {
            Err(BlobError::Damaged { path: named, expected, found }) => {
                assert_eq!((named, expected, found), (path.clone(), digest, Digest::of(&damaged)));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(store.put(blob.clone(), false).unwrap(), digest);
        assert_eq!(*store.get(&digest).unwrap(), blob);
    }
}

#[test]
fn a_blob_that_is_there_is_not_written_again() {
    let folder = TempDir::new().unwrap();
    let store = BlobStore::open(folder.path()).unwrap();
    let digest = store.put(bytes(1, 1000), false).unwrap();
    let written = || fs::metadata(store.files.path(&digest)).unwrap().modified().unwrap();
    let (before, writes) = (written(), store.files.writes());
    store.put(bytes(1, 1000), false).unwrap();
    store.put(bytes(1, 1000), true).unwrap();
    assert_eq!((written(), store.files.writes()), (before, writes));
}

#[test]
fn leftovers_of_a_crash_are_removed_at_opening_and_strangers_are_left_alone() {
    let folder = TempDir::new().unwrap();
    let digest = uncached(&folder).put(bytes(1, 100), false).unwrap();
    let inside = uncached(&folder).files.path(&digest);
    let leftover = inside.with_file_name(".unfinished-7");
    let stranger = inside.with_file_name("notes.txt");
    for file in [&leftover, &stranger, &folder.path().join("README")] {
        fs::write(file, b"half a blo").unwrap();
    }
    let store = uncached(&folder);
    assert!(!leftover.exists());
    assert!(stranger.exists());
    assert_eq!(store.list().unwrap(), [digest]);
    assert_eq!(store.bytes_used().unwrap(), 100);
}

#[test]
fn a_cached_blob_is_not_read_again_and_an_evicted_one_is() {
    let folder = TempDir::new().unwrap();
    let store = BlobStore::open_with_cache(folder.path(), 1500).unwrap();
    let first = store.put(bytes(1, 1000), false).unwrap();
    fs::remove_file(store.files.path(&first)).unwrap();
    assert_eq!(*store.get(&first).unwrap(), bytes(1, 1000));
    store.put(bytes(2, 1000), false).unwrap();
    assert!(matches!(store.get(&first), Err(BlobError::Missing { .. })));
}

#[test]
fn many_threads_may_put_the_same_blob() {
    let folder = TempDir::new().unwrap();
    let store = uncached(&folder);
    let blob = bytes(1, 100_000);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let digest = store.put(blob.clone(), true).unwrap();
                assert_eq!(*store.get(&digest).unwrap(), blob);
            });
        }
    });
    assert_eq!(store.list().unwrap(), [Digest::of(&blob)]);
}

#[test]
fn a_full_disk_is_reported_and_leaves_nothing_half_written() {
    let Some(disk) = SmallDisk::mount() else { return };
    let store = BlobStore::open_with_cache(disk.path(), 0).unwrap();
    let blob = |number| bytes(number, 400_000);
    let mut stored = Vec::new();
    let refused = loop {
        match store.put(blob(stored.len() as u64), true) {
            Ok(digest) => stored.push(digest),
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, BlobError::Full { .. }), "{refused:?}");
    assert!(stored.len() > 5, "only {} fitted", stored.len());
    assert!(!store.contains(&Digest::of(&blob(stored.len() as u64))));
    for (number, digest) in stored.iter().enumerate() {
        assert_eq!(*store.get(digest).unwrap(), blob(number as u64));
    }
    assert_eq!(store.bytes_used().unwrap(), 400_000 * stored.len() as u64);
    store.remove(&stored[0]).unwrap();
    store.put(blob(99), true).unwrap();
}
