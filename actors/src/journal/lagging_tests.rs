//! Claims about members that need a snapshot, as the log no longer reaches back to where they are.

use super::journal_tests::{entry, numbered};
use super::test_members::{Members, PATIENCE_OF_TESTS};
use super::*;

const LARGE_BYTES: usize = 100_000;

fn large(number: u64) -> Vec<u8> {
    entry(number).into_iter().cycle().take(LARGE_BYTES).collect()
}

/// Has every member that runs take a snapshot and cut its whole log.
async fn cut_logs(members: &Members, records: u64) {
    for node in members.nodes.iter().filter(|node| members.running(**node).is_some()) {
        members.records(*node, records).await;
        let journal = members.journal(*node);
        let raft = &journal.member.raft;
        raft.trigger().snapshot().await.unwrap();
        let wait = || raft.wait(Some(PATIENCE_OF_TESTS));
        let taken = |metrics: &openraft::RaftMetrics<u64, openraft::BasicNode>| {
            metrics.snapshot.is_some() && metrics.snapshot == metrics.last_applied
        };
        wait().metrics(taken, "a snapshot").await.unwrap();
        let last = raft.metrics().borrow().snapshot.unwrap().index;
        raft.trigger().purge_log(last).await.unwrap();
        wait().metrics(|now| now.purged.is_some_and(|id| id.index >= last), "a cut").await.unwrap();
    }
}

async fn append_large(members: &Members, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let (leader, term) = members.leader().await;
        let appended = members.journal(leader).append_in(term, vec![large(number)]).await;
        assert_eq!(appended.unwrap(), Seq(number));
    }
}

fn all_large(end: u64) -> Vec<Record> {
    (0..end).map(|number| (Seq(number), large(number))).collect()
}

async fn brings_up_to_date(lost_percent: u64) {
    let members = Members::founded(3).await;
    append_large(&members, 0..10).await;
    let (leader, _) = members.leader().await;
    let late = *members.nodes.iter().find(|node| **node != leader).unwrap();
    members.records(late, 10).await;
    members.stop(late).await;
    append_large(&members, 10..40).await;
    cut_logs(&members, 40).await;
    assert_eq!(members.carried().pieces, 0);
    members.lose(lost_percent);
    members.start(late).await;
    assert_eq!(members.records(late, 40).await, all_large(40));
    members.lose(0);
    let carried = members.carried();
    assert!(carried.pieces >= 4, "{carried:?}");
    assert!(carried.largest <= (1 << 20) + 4096, "{carried:?}");
    assert!(lost_percent > 0 || carried.bytes_of_pieces < 31 * LARGE_BYTES, "{carried:?}");
    append_large(&members, 40..42).await;
    members.all_have(&all_large(42)).await;
    // What was installed is a journal like any other, also on disk.
    members.stop(late).await;
    let (entries, recovery) = read_journal(&members.path(late)).unwrap();
    assert_eq!((entries, recovery.torn), (all_large(42), None));
    members.start(late).await;
    append_large(&members, 42..43).await;
    members.all_have(&all_large(43)).await;
    members.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_behind_a_cut_log_gets_the_records_that_it_lacks_and_no_others() {
    brings_up_to_date(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_comes_through_where_much_is_lost() {
    brings_up_to_date(20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_member_starts_from_a_snapshot() {
    let members = Members::waiting(4).await;
    members.journal(NodeId(1)).found(&members.nodes[..3]).await.unwrap();
    let (leader, term) = members.leader().await;
    let all = (0..50).map(entry).collect();
    assert_eq!(members.journal(leader).append_in(term, all).await.unwrap(), Seq(49));
    let newcomer = NodeId(4);
    members.stop(newcomer).await;
    cut_logs(&members, 50).await;
    members.start(newcomer).await;
    let (leader, _) = members.leader().await;
    members.journal(leader).add_learner(newcomer).await.unwrap();
    assert_eq!(members.records(newcomer, 50).await, numbered(0..50));
    assert!(members.carried().pieces > 0);
    let mut leadership = members.journal(newcomer).leadership();
    let follows = leadership.wait_for(|seen| seen.learners == [newcomer]);
    tokio::time::timeout(PATIENCE_OF_TESTS, follows).await.unwrap().unwrap();
    members.stop_all().await;
}
