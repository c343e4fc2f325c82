//! Claims about blobs that come bit by bit.

use super::*;
use crate::test_disk::SmallDisk;
use std::fs;
use std::io::Read;
use std::path::PathBuf;
use tempfile::TempDir;

fn store(folder: &Path) -> Arc<BlobStore> {
    Arc::new(BlobStore::open_with_cache(folder, 0).unwrap())
}

/// All files below a folder.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files = Vec::new();
    for path in entries {
        if path.is_dir() { files.extend(files_in(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn a_blob_written_bit_by_bit_is_the_blob_put_at_once() {
    let folder = TempDir::new().unwrap();
    let store = store(folder.path());
    for (length, step) in [(0, 1), (1, 1), (100_000, 7_001), (3_000_000, 1 << 20)] {
        let bytes: Vec<u8> = (0..length).map(|place| (place * 31 % 251) as u8).collect();
        let digest = Digest::of(&bytes);
        let mut unfinished = store.begin(digest).unwrap();
        for part in bytes.chunks(step) {
            unfinished.write(part).unwrap();
            assert!(!store.contains(&digest));
        }
        assert_eq!(unfinished.finish(true).unwrap(), length as u64);
        assert_eq!(*store.get(&digest).unwrap(), bytes);
        assert_eq!(store.len(&digest).unwrap(), length as u64);
        let (mut file, told) = store.open_read(&digest).unwrap();
        let mut read = Vec::new();
        file.read_to_end(&mut read).unwrap();
        assert_eq!((read, told), (bytes, length as u64));
    }
}

#[test]
fn wrong_bytes_get_no_name_and_leave_nothing() {
    let folder = TempDir::new().unwrap();
    let store = store(folder.path());
    let digest = Digest::of(b"right");
    for aside in [false, true] {
        let begun = if aside { store.begin_aside(digest) } else { store.begin(digest) };
        let mut unfinished = begun.unwrap();
        unfinished.write(b"wrong").unwrap();
        match unfinished.finish(false) {
            Err(BlobError::Mismatch { expected, found, bytes: 5 }) => {
                assert_eq!((expected, found), (digest, Digest::of(b"wrong")));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(files_in(folder.path()), [""; 0].map(PathBuf::from));
    }
}

#[test]
fn what_was_begun_is_gone_on_with_until_the_next_opening() {
    let folder = TempDir::new().unwrap();
    let digest = Digest::of(b"first second");
    let opened = store(folder.path());
    let mut begun = opened.begin(digest).unwrap();
    begun.write(b"first ").unwrap();
    assert!(matches!(opened.begin(digest), Err(BlobError::Busy { .. })));
    drop(begun);
    let mut resumed = opened.begin(digest).unwrap();
    assert_eq!(resumed.length(), 6);
    resumed.write(b"second").unwrap();
    assert_eq!(resumed.finish(false).unwrap(), 12);
    assert_eq!(*opened.get(&digest).unwrap(), b"first second");

    let other = Digest::of(b"other");
    opened.begin(other).unwrap().write(b"oth").unwrap();
    assert_eq!(files_in(folder.path()).len(), 2);
    let reopened = store(folder.path());
    assert_eq!(reopened.begin(other).unwrap().length(), 0);
    assert_eq!(files_in(folder.path()).len(), 1);
}

#[test]
fn what_was_begun_aside_disturbs_nobody_and_goes_with_its_writer() {
    let folder = TempDir::new().unwrap();
    let store = store(folder.path());
    let digest = Digest::of(b"blob");
    let mut writers = [store.begin_aside(digest).unwrap(), store.begin_aside(digest).unwrap()];
    let mut third = store.begin(digest).unwrap();
    for writer in writers.iter_mut().chain([&mut third]) {
        writer.write(b"bl").unwrap();
    }
    assert_eq!(files_in(folder.path()).len(), 3);
    let [mut first, second] = writers;
    drop(second);
    first.write(b"ob").unwrap();
    first.finish(false).unwrap();
    third.discard();
    assert_eq!(files_in(folder.path()), [store.files.path(&digest)]);
}

#[test]
fn a_removed_blob_takes_its_unfinished_bytes_with_it() {
    let folder = TempDir::new().unwrap();
    let store = store(folder.path());
    let digest = Digest::of(b"blob");
    store.begin(digest).unwrap().write(b"bl").unwrap();
    assert!(!store.remove(&digest).unwrap());
    assert!(files_in(folder.path()).is_empty());
}

#[test]
fn a_restart_forgets_what_was_written() {
    let folder = TempDir::new().unwrap();
    let store = store(folder.path());
    let mut unfinished = store.begin(Digest::of(b"blob")).unwrap();
    unfinished.write(b"something longer").unwrap();
    unfinished.restart().unwrap();
    unfinished.write(b"blob").unwrap();
    assert_eq!(unfinished.finish(false).unwrap(), 4);
    assert_eq!(*store.get(&Digest::of(b"blob")).unwrap(), b"blob");
}

#[test]
fn only_a_small_blob_is_in_memory_when_it_has_arrived() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(BlobStore::open(folder.path()).unwrap());
    for (length, kept) in [(4 << 20, true), ((4 << 20) + 1, false)] {
        let bytes = vec![length as u8; length];
        let digest = Digest::of(&bytes);
        let mut unfinished = store.begin(digest).unwrap();
        unfinished.write(&bytes[..1000]).unwrap();
        unfinished.write(&bytes[1000..]).unwrap();
        unfinished.finish(false).unwrap();
        fs::remove_file(store.files.path(&digest)).unwrap();
        assert_eq!(store.read(&digest).is_ok(), kept);
    }
}

#[test]
fn a_full_disk_ends_the_writing_and_gets_its_space_back() {
    let Some(disk) = SmallDisk::mount() else { return };
    let store = store(disk.path());
    let bytes = vec![7; 1 << 20];
    let mut unfinished = store.begin(Digest::of(b"large")).unwrap();
    let refused = (0..8).find_map(|_| unfinished.write(&bytes).err());
    assert!(matches!(refused, Some(BlobError::Full { .. })), "{refused:?}");
    assert!(matches!(unfinished.write(b"more"), Err(BlobError::Storage { .. })));
    drop(unfinished);
    assert!(files_in(disk.path()).is_empty());
    store.put(bytes, true).unwrap();
}

#[test]
fn a_full_disk_takes_back_what_was_left_unfinished() {
    let Some(disk) = SmallDisk::mount() else { return };
    let store = store(disk.path());
    let left = |number: u8| {
        let mut unfinished = store.begin(Digest([number; 32])).unwrap();
        unfinished.write(&vec![number; 1 << 20]).unwrap();
        unfinished
    };
    (0..3).for_each(|number| drop(left(number)));
    let at_work = left(9);
    let digest = store.put(vec![5; 2 << 20], true).unwrap();
    assert_eq!(store.get(&digest).unwrap().len(), 2 << 20);
    assert_eq!(files_in(disk.path()).len(), 2);
    drop(at_work);
    let mut last = store.begin(Digest::of(b"last")).unwrap();
    let refused = (0..8).find_map(|_| last.write(&vec![6; 1 << 20]).err());
    assert!(matches!(refused, Some(BlobError::Full { .. })), "{refused:?}");
    assert_eq!(files_in(disk.path()).len(), 1);
}
