//! Random cuts, losses, restarts and appends by seed: whatever happens, what was acknowledged is
//! on every member in the end, in its place, once.

use super::test_members::{Members, PATIENCE_OF_TESTS, Random, within};
use super::*;
use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

const STEPS: u64 = 25;

/// What the appenders know.
#[derive(Default)]
struct Account {
    acknowledged: Mutex<Vec<Record>>,
    over: AtomicBool,
}

/// Appends wherever this node leads, until the storm is over. No entry is tried twice.
async fn append_as(node: NodeId, members: Arc<Members>, account: Arc<Account>) {
    let mut number = 0;
    let mut own = Vec::new();
    while !account.over.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let Some(journal) = members.running(node) else { continue };
        let Ok(term) = journal.confirm_lead(Duration::from_millis(200)).await else { continue };
        while !account.over.load(Ordering::Relaxed) {
            number += 1;
            let entry = format!("{node}, try {number}").into_bytes();
            let Ok(seq) = journal.append_in(term, vec![entry.clone()]).await else { break };
            own.push(seq);
            account.acknowledged.lock().unwrap().push((seq, entry));
        }
    }
    assert!(own.is_sorted_by(|before, after| before < after), "{node} was answered out of order");
}

/// One thing that happens to the members.
async fn strike(members: &Members, random: &mut Random) {
    let mut pick = || members.nodes[random.below(3) as usize];
    let (node, other) = (pick(), pick());
    match random.below(10) {
        0 | 1 => members.isolate(node),
        2 => members.cut(node, other),
        3 => members.lose(20),
        4 => members.lose(0),
        5..=7 => members.heal(),
        8 => {
            if members.running(node).is_some() {
                members.stop(node).await;
            }
            members.start(node).await;
        }
        _ => {
            if let Some(journal) = members.running(node) {
                journal.elect().await.unwrap();
            }
        }
    }
}

async fn storm(seed: u64) {
    let members = Arc::new(Members::founded(3).await);
    let account = Arc::<Account>::default();
    let appenders: Vec<_> = members
        .nodes
        .iter()
        .map(|node| tokio::spawn(append_as(*node, Arc::clone(&members), Arc::clone(&account))))
        .collect();
    let mut random = Random::new(seed);
    for _ in 0..STEPS {
        strike(&members, &mut random).await;
        tokio::time::sleep(Duration::from_millis(random.below(400))).await;
    }
    members.heal();
    members.lose(0);
    let before = account.acknowledged.lock().unwrap().len();
    within(PATIENCE_OF_TESTS, "entries are acknowledged after the storm", async || {
        (account.acknowledged.lock().unwrap().len() > before + 10).then_some(())
    })
    .await;
    account.over.store(true, Ordering::Relaxed);
    for appender in appenders {
        appender.await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    let (leader, term) = members.leader().await;
    let last = members.journal(leader).append_in(term, vec![b"the end".to_vec()]).await.unwrap();
    let records = members.records(leader, last.0 + 1).await;
    members.all_have(&records).await;
    for (seq, entry) in account.acknowledged.lock().unwrap().iter() {
        let found = records.get(seq.0 as usize).map(|(_, found)| found);
        assert_eq!(found, Some(entry), "seed {seed}: {seq} was acknowledged");
    }
    let distinct: HashSet<_> = records.iter().map(|(_, entry)| entry).collect();
    assert_eq!(distinct.len(), records.len(), "seed {seed}: an entry came twice");
    members.stop_all().await;
}

/// Seeds of the storms: those in `WALLABY_TEST_STORMS`, such as `7..9`, or the first few.
fn seeds() -> std::ops::Range<u64> {
    let Ok(chosen) = std::env::var("WALLABY_TEST_STORMS") else { return 0..4 };
    let (first, end) = chosen.split_once("..").expect("two numbers with .. between them");
    first.parse().unwrap()..end.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_survives_any_storm() {
    let storms = seeds().map(|seed| (seed, tokio::spawn(storm(seed))));
    for (seed, storm) in storms.collect::<Vec<_>>() {
        storm.await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}
