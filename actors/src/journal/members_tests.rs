//! Claims about a journal of several members: who leads, what is committed, what is not.

use super::journal_tests::{entry, numbered};
use super::test_members::{Members, PATIENCE_OF_TESTS, refused, within};
use super::*;
use tokio::time::Instant;

const ONE: NodeId = NodeId(1);
const TWO: NodeId = NodeId(2);
const THREE: NodeId = NodeId(3);

async fn append(members: &Members, numbers: std::ops::Range<u64>) {
    let (leader, term) = members.leader().await;
    for number in numbers {
        let appended = members.journal(leader).append_in(term, vec![entry(number)]).await;
        assert_eq!(appended.unwrap(), Seq(number));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_emerges_and_what_it_appends_is_on_all() {
    let members = Members::founded(3).await;
    let (leader, term) = members.leader().await;
    append(&members, 0..20).await;
    members.all_have(&numbered(0..20)).await;
    for node in &members.nodes {
        let mut leadership = members.journal(*node).leadership();
        let agreed = leadership.wait_for(|seen| seen.leader == Some(leader));
        let seen = tokio::time::timeout(PATIENCE_OF_TESTS, agreed).await.unwrap().unwrap().clone();
        assert_eq!((seen.term, seen.me), (term, *node == leader));
        assert_eq!((seen.voters, seen.learners), (members.nodes.clone(), vec![]));
    }
    members.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_is_founded_once_and_several_may_try_at_the_same_moment() {
    let members = Members::waiting(3).await;
    assert!(!members.journal(ONE).is_founded());
    let stranger = members.journal(ONE).found(&[TWO, THREE]).await;
    assert!(matches!(refused(stranger), JournalError::Members { .. }));
    for node in [ONE, TWO] {
        // The second may have heard from the first already.
        let founded = members.journal(node).found(&members.nodes).await;
        assert!(matches!(founded, Ok(()) | Err(JournalError::Members { .. })), "{founded:?}");
    }
    append(&members, 0..3).await;
    members.all_have(&numbered(0..3)).await;
    assert!(members.nodes.iter().all(|node| members.journal(*node).is_founded()));
    let again = refused(members.journal(THREE).found(&members.nodes).await).to_string();
    assert!(again.ends_with("stay as they are: it is founded already"), "{again}");
    members.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_leader_dies_another_leads_within_two_seconds_and_nothing_is_lost() {
    let members = Members::founded(3).await;
    let mut pauses = Vec::new();
    for death in 0..3 {
        append(&members, death * 10..death * 10 + 10).await;
        let (dead, before) = members.leader().await;
        members.stop(dead).await;
        let died = Instant::now();
        let (heir, term) = members.leader().await;
        pauses.push(died.elapsed());
        assert!(term > before, "{term} after {before}");
        let kept = members.journal(heir).read(Seq(0)).await.unwrap();
        assert_eq!(kept, numbered(0..death * 10 + 10), "death {death}");
        members.start(dead).await;
    }
    pauses.sort();
    assert!(pauses[1] < Duration::from_secs(2), "another led after {pauses:?}");
    members.all_have(&numbered(0..30)).await;
    members.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minority_commits_nothing_and_what_it_tried_is_overwritten() {
    let members = Members::founded(3).await;
    append(&members, 0..5).await;
    let (old, term) = members.leader().await;
    members.isolate(old);
    let cut_off = members.journal(old);
    let tried = cut_off.append_in(term, vec![entry(900), entry(901)]).await;
    assert!(matches!(refused(tried), JournalError::NoQuorum { .. }));
    let confirmed = cut_off.confirm_lead(Duration::from_millis(300)).await;
    assert!(matches!(refused(confirmed), JournalError::NoQuorum { .. }));
    assert!(cut_off.leadership().borrow().me, "it cannot know better");

    let (heir, later) = members.leader_but(&[old]).await;
    assert!(later > term, "{later} after {term}");
    let appended = members.journal(heir).append_in(later, vec![entry(5)]).await;
    assert_eq!(appended.unwrap(), Seq(5));
    assert_eq!(*cut_off.applied().borrow(), 5);

    members.heal();
    members.all_have(&numbered(0..6)).await;
    let too_late = cut_off.append_in(term, vec![entry(902)]).await;
    assert!(matches!(refused(too_late), JournalError::Deposed { .. }));
    members.all_have(&numbered(0..6)).await;
    members.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_term_is_refused_even_where_the_same_node_leads_again() {
    let members = Members::founded(3).await;
    let (first, term) = members.leader().await;
    append(&members, 0..2).await;
    let journal = members.journal(first);
    // It is cut off until another leads, and they until it leads again.
    let later = within(PATIENCE_OF_TESTS, "the first leads again", async || {
        members.isolate(first);
        let (heir, _) = members.leader_but(&[first]).await;
        members.heal();
        members.isolate(heir);
        let (again, later) = members.leader_but(&[heir]).await;
        members.heal();
        (again == first).then_some(later)
    })
    .await;
    assert!(later > term, "{later} after {term}");
    let refusal = refused(journal.append_in(term, vec![entry(7)]).await);
    assert!(matches!(refusal, JournalError::Deposed { .. }), "{refusal}");
    // The state machine refuses too: an entry may have been on its way when the lead was lost.
    let slipped = journal.ask(|answer| Request::Append(vec![entry(8)], Some(term), answer)).await;
    assert!(matches!(refused(slipped), JournalError::Deposed { .. }));
    append(&members, 2..4).await;
    members.all_have(&numbered(0..4)).await;
    members.stop_all().await;
    // Nor does a reader of the files see what was refused.
    let (entries, _) = read_journal(&members.path(first)).unwrap();
    assert!(numbered(0..4).starts_with(&entries), "{} entries", entries.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_hears_nobody_commits_nothing_and_one_that_loses_much_goes_on() {
    let members = Members::founded(3).await;
    append(&members, 0..3).await;
    let (deaf, term) = members.leader().await;
    for other in members.nodes.iter().filter(|other| **other != deaf) {
        members.cut(*other, deaf);
    }
    let tried = members.journal(deaf).append_in(term, vec![entry(3)]).await;
    let refusal = refused(tried);
    assert!(matches!(refusal, JournalError::NoQuorum { .. }), "{refusal}");
    members.heal();

    members.lose(20);
    let mut acknowledged = numbered(0..3);
    for number in 4..24 {
        let appended = within(PATIENCE_OF_TESTS, "an entry is acknowledged", async || {
            let (leader, term) = members.leader().await;
            match members.journal(leader).append_in(term, vec![entry(number)]).await {
                Ok(seq) => Some(seq),
                Err(JournalError::NoQuorum { .. } | JournalError::Deposed { .. }) => None,
                Err(error) => panic!("{error}"),
            }
        });
        acknowledged.push((appended.await, entry(number)));
    }
    members.lose(0);
    // What was tried and not acknowledged may be there as well.
    let last = acknowledged.last().map_or(0, |(seq, _)| seq.0);
    let (leader, _) = members.leader().await;
    let found = members.records(leader, last + 1).await;
    assert!(acknowledged.iter().all(|known| found.get(known.0.0 as usize) == Some(known)));
    members.all_have(&found).await;
    members.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_members_come_back_from_disk() {
    let members = Members::founded(3).await;
    append(&members, 0..10).await;
    let (_, before) = members.leader().await;
    members.stop_all().await;
    for node in &members.nodes {
        let (entries, recovery) = read_journal(&members.path(*node)).unwrap();
        assert!(numbered(0..10).starts_with(&entries), "{node}: {} entries", entries.len());
        assert_eq!(recovery.torn, None);
    }
    for node in &members.nodes {
        assert!(members.start(*node).await.entries <= 10);
        assert!(members.journal(*node).is_founded());
    }
    let (_, term) = members.leader().await;
    assert!(term > before, "{term} after {before}");
    append(&members, 10..12).await;
    members.all_have(&numbered(0..12)).await;
    members.stop_all().await;

    let alone = Journal::open(&members.path(ONE), ONE).await.map(drop);
    let alone = refused(alone).to_string();
    assert!(alone.ends_with("it has 3 voters, expected this node alone"), "{alone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_follows_first_and_then_votes_in_place_of_another() {
    let members = Members::waiting(4).await;
    let three = [ONE, TWO, THREE];
    members.journal(ONE).found(&three).await.unwrap();
    append(&members, 0..5).await;
    let (leader, _) = members.leader().await;
    let leading = members.journal(leader);
    let four = NodeId(4);
    let early = leading.change_voters(BTreeSet::from([leader, four])).await;
    assert!(matches!(refused(early), JournalError::Members { .. }));
    leading.add_learner(four).await.unwrap();
    assert_eq!(members.records(four, 5).await, numbered(0..5));
    let gone = *three.iter().find(|node| **node != leader).unwrap();
    let voters: BTreeSet<_> = members.nodes.iter().copied().filter(|node| *node != gone).collect();
    leading.change_voters(voters.clone()).await.unwrap();
    let mut leadership = leading.leadership();
    let expected: Vec<_> = voters.into_iter().collect();
    let changed = leadership.wait_for(|seen| seen.voters == expected && seen.learners.is_empty());
    tokio::time::timeout(PATIENCE_OF_TESTS, changed).await.unwrap().unwrap();
    members.stop(gone).await;
    members.stop(leader).await;
    let (heir, term) = {
        members.start(leader).await;
        members.leader_but(&[gone]).await
    };
    let appended = members.journal(heir).append_in(term, vec![entry(5)]).await;
    assert_eq!(appended.unwrap(), Seq(5));
    members.all_have(&numbered(0..6)).await;
    members.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_mean_nothing_are_an_error_and_harm_nobody() {
    let members = Members::founded(3).await;
    append(&members, 0..2).await;
    let (leader, _) = members.leader().await;
    let journal = members.journal(leader);
    let mut senseless = vec![Vec::new(), vec![0xff; 3], vec![0xff; 4096]];
    senseless.push(b"POST /v1/raft/append HTTP/1.1\r\n".to_vec());
    for call in [Call::Append, Call::Vote, Call::Snapshot] {
        for body in &senseless {
            let refusal = refused(journal.answer(call, body).await);
            assert!(matches!(refusal, JournalError::Undecodable { .. }), "{call:?}: {refusal}");
        }
    }
    append(&members, 2..4).await;
    members.all_have(&numbered(0..4)).await;
    members.stop_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_without_followers_closes_all_the_same() {
    let members = Members::founded(3).await;
    append(&members, 0..1).await;
    let (leader, term) = members.leader().await;
    members.isolate(leader);
    let journal = members.journal(leader);
    let stuck = tokio::spawn(async move { journal.append_in(term, vec![entry(1)]).await });
    let closed = tokio::time::timeout(PATIENCE_OF_TESTS, members.stop(leader));
    closed.await.expect("it closes");
    refused(stuck.await.unwrap());
    members.stop_all().await;
}
