//! Claims about an open journal: order, durability, terms, sharing.

use super::*;
use std::path::PathBuf;
use tempfile::TempDir;

pub(super) const NODE: NodeId = NodeId(1);

/// A fresh folder, in memory where the machine has such a place: these tests open journals by
/// the hundred, and what they claim does not depend on the disk.
pub(super) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap()
}

pub(super) fn in_folder(folder: &TempDir) -> PathBuf {
    folder.path().join("journal.redb")
}

pub(super) fn entry(number: u64) -> Vec<u8> {
    format!("entry {number} ").repeat(1 + number as usize % 30).into_bytes()
}

pub(super) fn numbered(entries: impl IntoIterator<Item = u64>) -> Vec<(Seq, Vec<u8>)> {
    entries.into_iter().map(|number| (Seq(number), entry(number))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_come_back_in_order_after_a_reopening() {
    let folder = folder();
    let (journal, recovery) = Journal::open(&in_folder(&folder), NODE).await.unwrap();
    assert_eq!(recovery, Recovery { entries: 0, torn: None });
    assert_eq!(journal.append(vec![entry(0)]).await.unwrap(), Seq(0));
    assert_eq!(journal.append(vec![entry(1), entry(2), entry(3)]).await.unwrap(), Seq(3));
    assert_eq!(journal.read(Seq(0)).await.unwrap(), numbered(0..4));
    journal.close().await.unwrap();

    let (journal, recovery) = Journal::open(&in_folder(&folder), NODE).await.unwrap();
    assert_eq!(recovery, Recovery { entries: 4, torn: None });
    assert_eq!(journal.append(vec![entry(4)]).await.unwrap(), Seq(4));
    assert_eq!(journal.read(Seq(2)).await.unwrap(), numbered(2..5));
    assert_eq!(journal.read(Seq(9)).await.unwrap(), numbered([]));
    journal.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_term_rises_at_every_opening() {
    let folder = folder();
    let mut before = Term(0);
    for _ in 0..4 {
        let (journal, _) = Journal::open(&in_folder(&folder), NODE).await.unwrap();
        assert!(journal.term() > before, "{} after {before}", journal.term());
        before = journal.term();
        journal.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_appenders_lose_nothing_and_share_no_number() {
    let folder = folder();
    let (journal, _) = Journal::open(&in_folder(&folder), NODE).await.unwrap();
    let appenders = (0..8u64).map(|appender| {
        let journal = journal.clone();
        tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            for turn in 0..25 {
                let own = entry(appender * 25 + turn);
                acknowledged.push((journal.append(vec![own.clone()]).await.unwrap(), own));
            }
            acknowledged
        })
    });
    let mut acknowledged = Vec::new();
    for appender in appenders.collect::<Vec<_>>() {
        let own = appender.await.unwrap();
        assert!(own.is_sorted_by_key(|(seq, _)| *seq), "an appender's entries changed places");
        acknowledged.extend(own);
    }
    acknowledged.sort();
    assert_eq!(journal.read(Seq(0)).await.unwrap(), acknowledged);
    assert_eq!(acknowledged.last().map(|(seq, _)| *seq), Some(Seq(199)));
    journal.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_cut_by_a_snapshot_takes_no_record_with_it() {
    let folder = folder();
    let (journal, _) = Journal::open(&in_folder(&folder), NODE).await.unwrap();
    for number in 0..50 {
        journal.append(vec![entry(number)]).await.unwrap();
    }
    let last = journal.member.raft.metrics().borrow().last_log_index.unwrap();
    journal.member.raft.trigger().snapshot().await.unwrap();
    let wait = || journal.member.raft.wait(Some(std::time::Duration::from_secs(20)));
    wait().metrics(|now| now.snapshot.is_some(), "a snapshot").await.unwrap();
    journal.member.raft.trigger().purge_log(last).await.unwrap();
    wait().metrics(|now| now.purged.is_some_and(|id| id.index == last), "a cut").await.unwrap();
    assert_eq!(journal.member.store.read(|view| view.last(&tables::LOG)).unwrap(), None);
    journal.append(vec![entry(50)]).await.unwrap();
    journal.close().await.unwrap();

    let (journal, recovery) = Journal::open(&in_folder(&folder), NODE).await.unwrap();
    assert_eq!(recovery, Recovery { entries: 51, torn: None });
    assert_eq!(journal.append(vec![entry(51)]).await.unwrap(), Seq(51));
    assert_eq!(journal.read(Seq(0)).await.unwrap(), numbered(0..52));
    journal.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_everything_and_raises_no_term() {
    let folder = folder();
    let (journal, _) = Journal::open(&in_folder(&folder), NODE).await.unwrap();
    journal.append((0..10).map(entry).collect()).await.unwrap();
    let term = journal.term();
    journal.close().await.unwrap();
    for _ in 0..2 {
        let (entries, recovery) = read_journal(&in_folder(&folder)).unwrap();
        assert_eq!(entries, numbered(0..10));
        assert_eq!(recovery, Recovery { entries: 10, torn: None });
    }
    let (journal, _) = Journal::open(&in_folder(&folder), NODE).await.unwrap();
    assert_eq!(journal.term(), Term(term.0 + 1));
    journal.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_opens_only_once_and_only_for_its_own_node() {
    let folder = folder();
    let path = in_folder(&folder);
    let (journal, _) = Journal::open(&path, NODE).await.unwrap();
    let second = Journal::open(&path, NODE).await.map(drop).unwrap_err();
    assert_eq!(second.to_string(), JournalError::InUse { path: path.clone() }.to_string());
    assert!(matches!(read_journal(&path), Err(JournalError::InUse { .. })));
    journal.close().await.unwrap();

    let foreign = Journal::open(&path, NodeId(2)).await.map(drop).unwrap_err();
    assert!(foreign.to_string().ends_with("belongs to node 1, expected node 2"), "{foreign}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_journal_takes_and_gives_nothing() {
    let folder = folder();
    let (journal, _) = Journal::open(&in_folder(&folder), NODE).await.unwrap();
    let empty = journal.append(Vec::new()).await;
    assert!(matches!(empty, Err(JournalError::Empty { .. })), "{empty:?}");
    let other = journal.clone();
    journal.close().await.unwrap();
    let refused = other.append(vec![entry(0)]).await;
    assert!(matches!(refused, Err(JournalError::Closed { .. })), "{refused:?}");
    let refused = other.read(Seq(0)).await;
    assert!(matches!(refused, Err(JournalError::Closed { .. })), "{refused:?}");
    let refused = other.close().await;
    assert!(matches!(refused, Err(JournalError::Closed { .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_whose_handles_are_dropped_closes_by_itself() {
    let folder = folder();
    let (journal, _) = Journal::open(&in_folder(&folder), NODE).await.unwrap();
    journal.append(vec![entry(0)]).await.unwrap();
    let store = Arc::downgrade(&journal.member.store);
    drop(journal);
    while store.strong_count() > 0 {
        tokio::task::yield_now().await;
    }
    let (entries, recovery) = read_journal(&in_folder(&folder)).unwrap();
    assert_eq!((entries, recovery.torn), (numbered([0]), None));
}

#[test]
fn what_is_not_there_cannot_be_read() {
    let folder = folder();
    let missing = read_journal(&in_folder(&folder)).unwrap_err();
    assert!(matches!(missing, JournalError::Missing { .. }), "{missing:?}");
}
