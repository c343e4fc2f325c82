//! Claims about processes that die and disks that fill up, with real processes and a real disk.

use super::journal_tests::{NODE, entry, in_folder, numbered};
use super::*;
use crate::test_disk::SmallDisk;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use tempfile::TempDir;

const CHILD_JOURNAL: &str = "WALLABY_TEST_CHILD_JOURNAL";

/// Not a claim: the process that `a_killed_process_loses_nothing_acknowledged` kills.
#[tokio::test(flavor = "multi_thread")]
async fn child_appends_until_it_is_killed() {
    let Some(path) = std::env::var_os(CHILD_JOURNAL) else { return };
    let (journal, recovery) = Journal::open(Path::new(&path), NODE).await.unwrap();
    for number in recovery.entries.. {
        let seq = journal.append(vec![entry(number)]).await.unwrap();
        writeln!(std::io::stdout(), "\nacknowledged {}", seq.0).unwrap();
    }
}

/// Starts the child, lets it acknowledge some entries, kills it; returns the last acknowledged.
fn kill_after(path: &Path, acknowledgements: usize) -> u64 {
    let child = "journal::crash_tests::child_appends_until_it_is_killed";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", child, "--nocapture"])
        .env(CHILD_JOURNAL, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = lines.filter_map(|line| {
        line.unwrap().strip_prefix("acknowledged ").map(|number| number.parse::<u64>().unwrap())
    });
    acknowledged.nth(acknowledgements - 1).expect("the child appends until it is killed");
    child.kill().unwrap();
    child.wait().unwrap();
    // What it acknowledged between our decision and its death counts as well.
    acknowledged.last().unwrap_or(acknowledgements as u64 - 1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_loses_nothing_acknowledged() {
    let folder = TempDir::new().unwrap();
    let path = in_folder(&folder);
    for kill in 1..=8 {
        let last = kill_after(&path, 5 * kill);
        let (entries, recovery) = read_journal(&path).unwrap();
        let count = entries.len() as u64;
        assert!(count > last, "kill {kill}: {last} was acknowledged, {count} are left");
        assert_eq!(entries, numbered(0..count));
        assert!(recovery.torn.is_some(), "kill {kill} went unnoticed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_reported_and_loses_nothing_acknowledged() {
    let Some(disk) = SmallDisk::mount() else { return };
    let path = disk.path().join("journal.redb");
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![1; 1 << 20]).unwrap();
    let large = |number: u64| entry(number).repeat(200);
    let (journal, _) = Journal::open(&path, NODE).await.unwrap();
    let mut acknowledged = 0;
    let refused = loop {
        match journal.append(vec![large(acknowledged)]).await {
            Ok(seq) => assert_eq!(seq, Seq(acknowledged)),
            Err(refused) => break refused,
        }
        acknowledged += 1;
    };
    assert!(matches!(refused, JournalError::Full { .. }), "{refused:?}");
    assert!(acknowledged > 10, "only {acknowledged} fitted");
    let again = journal.append(vec![large(0)]).await;
    assert!(matches!(again, Err(JournalError::Full { .. })), "{again:?}");
    // Whether closing needs space is up to the file; that it comes back is not.
    let closed = journal.close().await;
    assert!(matches!(closed, Ok(()) | Err(JournalError::Full { .. })), "{closed:?}");

    std::fs::remove_file(&ballast).unwrap();
    let (journal, recovery) = Journal::open(&path, NODE).await.unwrap();
    assert!(recovery.entries >= acknowledged, "{recovery:?}, {acknowledged} acknowledged");
    let entries = journal.read(Seq(0)).await.unwrap();
    let expected = (0..recovery.entries).map(|number| (Seq(number), large(number)));
    assert!(entries.iter().cloned().eq(expected), "other entries came back");
    journal.append(vec![large(recovery.entries)]).await.unwrap();
    journal.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_finds_no_space_at_birth_leaves_nothing_behind() {
    let Some(disk) = SmallDisk::mount() else { return };
    let path = disk.path().join("journal.redb");
    let ballast = disk.path().join("ballast");
    let _ = std::fs::write(&ballast, vec![1; 8 << 20]);
    let refused = Journal::open(&path, NODE).await.map(drop).unwrap_err();
    assert!(matches!(refused, JournalError::Full { .. }), "{refused:?}");
    assert_eq!(std::fs::read_dir(disk.path()).unwrap().count(), 1, "more than the ballast");
    std::fs::remove_file(&ballast).unwrap();
    Journal::open(&path, NODE).await.unwrap().0.close().await.unwrap();
}
