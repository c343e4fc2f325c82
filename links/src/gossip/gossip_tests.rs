//! Several nodes in this process, over real sockets of the loopback interface.
#![allow(clippy::print_stdout, reason = "figures, shown with --nocapture")]

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use tokio::{sync::mpsc::UnboundedReceiver, time::timeout};

use super::*;

/// Longer than anything here takes on a machine that is busy with other things.
const BOUND: Duration = Duration::from_secs(30);
const KEY: [u8; 32] = [7; 32];

fn args(name: &str, seeds: &[SocketAddr]) -> GossipArgs {
    static BOOT: AtomicU64 = AtomicU64::new(1_000);
    GossipArgs {
        name: name.to_owned(),
        boot: BOOT.fetch_add(1, Ordering::Relaxed),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        advertise: "127.0.0.1:0".to_owned(),
        seeds: seeds.iter().map(ToString::to_string).collect(),
        key: KEY,
        cluster_id: "test".to_owned(),
        values: BTreeMap::from([("slots".to_owned(), "2".to_owned())]),
    }
}

async fn start(args: GossipArgs) -> Gossip {
    Gossip::start(args).await.expect("gossip starts")
}

/// Polls until `condition` holds.
async fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let polling = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(timeout(BOUND, polling).await.is_ok(), "not within {BOUND:?}: {what}");
}

/// The changes up to the first that `last` accepts, it included.
async fn changes_until(
    changes: &mut UnboundedReceiver<Change>,
    what: &str,
    last: impl Fn(&Change) -> bool,
) -> Vec<Change> {
    let mut seen = Vec::new();
    let receiving = async {
        while let Some(change) = changes.recv().await {
            seen.push(change);
            if seen.last().is_some_and(&last) {
                return true;
            }
        }
        false
    };
    let found = timeout(BOUND, receiving).await.unwrap_or(false);
    assert!(found, "not within {BOUND:?}: {what}; seen: {seen:#?}");
    seen
}

fn is_alive(gossip: &Gossip, name: &str) -> bool {
    liveness(gossip, name) == Some(Liveness::Alive)
}

fn liveness(gossip: &Gossip, name: &str) -> Option<Liveness> {
    let members = gossip.members().into_iter();
    members.filter(|(member, _)| member.name == name).map(|(_, liveness)| liveness).next()
}

fn value(gossip: &Gossip, name: &str, key: &str) -> Option<String> {
    let members = gossip.members().into_iter();
    let mut found = members.filter(|(member, _)| member.name == name);
    found.next().and_then(|(member, _)| member.values.get(key).cloned())
}

fn has_left(name: &str) -> impl Fn(&Change) -> bool {
    move |change| matches!(change, Change::Left { name: who, .. } if who == name)
}

fn has_joined(name: &str) -> impl Fn(&Change) -> bool {
    move |change| matches!(change, Change::Joined(member) if member.name == name)
}

async fn pair() -> (Gossip, Gossip) {
    let a = start(args("a", &[])).await;
    let b = start(args("b", &[a.local_address()])).await;
    wait_until("a and b know each other", || is_alive(&a, "b") && is_alive(&b, "a")).await;
    (a, b)
}

#[tokio::test]
async fn three_find_each_other_from_one_seed() {
    let a = start(args("a", &[])).await;
    let seed = [a.local_address()];
    let (b, c) = (start(args("b", &seed)).await, start(args("c", &seed)).await);
    let began = Instant::now();
    for gossip in [&a, &b, &c] {
        wait_until("everybody is alive", || {
            ["a", "b", "c"].iter().all(|name| is_alive(gossip, name))
        })
        .await;
        let members = gossip.members();
        let addresses: Vec<_> = members.iter().map(|(member, _)| member.address.clone()).collect();
        let expected = [&a, &b, &c].map(|gossip| gossip.local_address().to_string());
        assert_eq!(addresses, expected);
        assert!(members.iter().all(|(member, _)| member.values["slots"] == "2"));
    }
    println!("three know each other after {:?}", began.elapsed());
}

#[tokio::test]
async fn the_seed_may_start_last_and_may_be_a_name() {
    let port = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let address = port.expect("a free port");
    let seeds = vec!["nobody.invalid:7701".to_owned(), format!("localhost:{}", address.port())];
    let b = start(GossipArgs { seeds, ..args("b", &[]) }).await;
    let a = start(GossipArgs { listen: address, ..args("a", &[]) }).await;
    wait_until("a and b know each other", || is_alive(&a, "b") && is_alive(&b, "a")).await;
}

#[tokio::test]
async fn changes_begin_with_all_who_are_known() {
    let (mut a, _b) = pair().await;
    let known: Vec<_> = a.members().into_iter().map(|(member, _)| Change::Joined(member)).collect();
    let mut changes = a.changes();
    assert_eq!(changes_until(&mut changes, "b joins", has_joined("b")).await, known);
}

#[tokio::test]
async fn one_that_stops_without_a_word_is_suspected_and_then_has_left() {
    let (mut a, b) = pair().await;
    let mut changes = a.changes();
    changes_until(&mut changes, "b joins", has_joined("b")).await;
    let stopped = Instant::now();
    drop(b);
    let is_suspected = |change: &Change| matches!(change, Change::Suspected { .. });
    changes_until(&mut changes, "b is suspected", is_suspected).await;
    let suspected = stopped.elapsed();
    changes_until(&mut changes, "b has left", has_left("b")).await;
    let left = stopped.elapsed();
    println!("suspected after {suspected:?}, left after {left:?}");
    assert_eq!(liveness(&a, "b"), Some(Liveness::Left));
    assert!(left - suspected >= view::LEFT_AFTER - Duration::from_millis(200));
    let undisturbed = a.shared.standstills.load(Ordering::Relaxed) == 0;
    assert!(!undisturbed || left < Duration::from_secs(3), "left after {left:?}");
}

#[tokio::test]
async fn a_goodbye_is_leaving_without_suspicion_and_frees_the_port() {
    let (mut a, b) = pair().await;
    let mut changes = a.changes();
    changes_until(&mut changes, "b joins", has_joined("b")).await;
    let address = b.local_address();
    let began = Instant::now();
    let leaving = async {
        b.leave().await;
        began.elapsed()
    };
    let seeing = async {
        let seen = changes_until(&mut changes, "b has left", has_left("b")).await;
        (began.elapsed(), seen)
    };
    let (stopped, (left, seen)) = tokio::join!(leaving, seeing);
    println!("left {left:?} after the goodbye began, which took {stopped:?}");
    assert!(!seen.iter().any(|change| matches!(change, Change::Suspected { .. })), "{seen:#?}");
    UdpSocket::bind(address).expect("the port is free");
}

#[tokio::test]
async fn a_new_boot_of_the_same_name_replaces_the_old_at_once() {
    let (mut a, b) = pair().await;
    let mut changes = a.changes();
    changes_until(&mut changes, "b joins", has_joined("b")).await;
    drop(b);
    let again = start(args("b", &[a.local_address()])).await;
    let began = Instant::now();
    let seen = changes_until(&mut changes, "the new b joins", has_joined("b")).await;
    println!("the new life joined after {:?}", began.elapsed());
    let Some([Change::Left { boot: old, .. }, Change::Joined(new)]) = seen.last_chunk() else {
        panic!("not left and joined: {seen:#?}");
    };
    assert!(new.boot > *old);
    assert_eq!(new.address, again.local_address().to_string());
    wait_until("the new b knows a", || is_alive(&again, "a")).await;
}

#[tokio::test]
async fn one_that_stood_still_joins_again_and_suspects_nobody_when_it_wakes() {
    let (mut a, mut b) = pair().await;
    let (mut seen_by_a, mut seen_by_b) = (a.changes(), b.changes());
    changes_until(&mut seen_by_a, "b joins", has_joined("b")).await;
    changes_until(&mut seen_by_b, "a and b join", has_joined("b")).await;
    let (thaw, frozen) = std::sync::mpsc::channel();
    b.commands.send(Command::Freeze(frozen)).expect("b runs");
    changes_until(&mut seen_by_a, "b has left", has_left("b")).await;
    drop(thaw);
    changes_until(&mut seen_by_a, "b joins again", has_joined("b")).await;
    assert!(b.shared.standstills.load(Ordering::Relaxed) > 0);
    b.set("awake", "yes".to_owned());
    wait_until("a sees b's new value", || value(&a, "b", "awake").is_some()).await;
    while let Ok(change) = seen_by_b.try_recv() {
        assert!(matches!(change, Change::Updated(_)), "{change:?}");
    }
}

#[tokio::test]
async fn a_stranger_with_another_key_is_in_nobodys_list_and_is_counted() {
    let (mut a, b) = pair().await;
    let seeds = [a.local_address(), b.local_address()];
    let stranger = start(GossipArgs { key: [8; 32], ..args("stranger", &seeds) }).await;
    wait_until("both refuse the stranger", || a.refused() > 5 && b.refused() > 5).await;
    let mut changes = a.changes();
    let third = start(args("c", &seeds)).await;
    let seen = changes_until(&mut changes, "c joins", has_joined("c")).await;
    assert!(!seen.iter().any(has_joined("stranger")), "{seen:#?}");
    wait_until("c knows all", || third.members().len() == 3).await;
    for gossip in [&a, &b, &third] {
        assert_eq!(liveness(gossip, "stranger"), None);
    }
    assert_eq!(stranger.members().len(), 1);
}

#[tokio::test]
async fn another_cluster_of_the_same_key_is_not_joined() {
    let (a, _b) = pair().await;
    let other = GossipArgs { cluster_id: "other".to_owned(), ..args("c", &[a.local_address()]) };
    let other = start(other).await;
    a.set("later", "yes".to_owned());
    wait_until("a's own list moves on", || value(&a, "a", "later").is_some()).await;
    assert_eq!((a.members().len(), other.members().len()), (2, 1));
}

#[tokio::test]
async fn ten_thousand_garbage_datagrams_are_counted_and_change_nothing() {
    let (mut a, b) = pair().await;
    let mut changes = a.changes();
    let garbage = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("loopback");
    let mut datagram = b"WG\x01".to_vec();
    for number in 0..10_000_u32 {
        let length = number as usize % 1400;
        datagram.resize(3 + length, number as u8);
        let from = if number % 2 == 0 { 0 } else { 3.min(datagram.len()) };
        garbage.send_to(&datagram[from..], a.local_address()).await.expect("sent");
    }
    // What the kernel dropped because the buffer was full cannot be counted.
    wait_until("much of it is counted", || a.refused() > 100).await;
    println!("{} of 10000 arrived and were refused", a.refused());
    b.set("after", "yes".to_owned());
    wait_until("a value still arrives", || value(&a, "b", "after").is_some()).await;
    while let Ok(change) = changes.try_recv() {
        assert!(matches!(change, Change::Joined(_) | Change::Updated(_)), "{change:?}");
    }
}

#[tokio::test]
async fn a_value_that_is_set_arrives_and_one_that_is_too_long_does_not() {
    let (mut a, b) = pair().await;
    let mut changes = a.changes();
    b.set("too_long", "x".repeat(VALUE_BYTES_MAX + 1));
    b.set("address", "elsewhere:1".to_owned());
    b.set("slots", "4".to_owned());
    let slots_are_4 = |change: &Change| match change {
        Change::Updated(member) => member.name == "b" && member.values["slots"] == "4",
        _ => false,
    };
    changes_until(&mut changes, "b's value arrives", slots_are_4).await;
    assert_eq!(value(&a, "b", "too_long"), None);
    let members = a.members();
    let (b_seen, _) = members.iter().find(|(member, _)| member.name == "b").expect("b is known");
    assert_eq!(b_seen.address, b.local_address().to_string());
}

#[tokio::test]
async fn more_values_than_a_datagram_holds_arrive_at_one_who_joins() {
    let first = start(args("n0", &[])).await;
    let mut many = vec![first];
    for number in 1..4 {
        many.push(start(args(&format!("n{number}"), &[many[0].local_address()])).await);
    }
    let mut noise = blake3::Hasher::new().finalize_xof();
    for gossip in &many {
        for key in 0..VALUES_MAX - 2 {
            let mut bytes = [0; VALUE_BYTES_MAX];
            noise.fill(&mut bytes);
            // Printable and as random as that allows, so that it hardly compresses.
            let text = bytes.iter().map(|byte| char::from(b' ' + byte % 95)).collect();
            gossip.set(&format!("key{key}"), text);
        }
    }
    let last = start(args("last", &[many[0].local_address()])).await;
    wait_until("everybody's values are here", || {
        let members = last.members();
        let full = |(member, _): &&(Member, Liveness)| member.values.len() == VALUES_MAX - 1;
        members.iter().filter(full).count() == many.len()
    })
    .await;
}

#[tokio::test]
async fn what_waiting_cannot_mend_is_an_error_that_names_it() {
    let taken = UdpSocket::bind("127.0.0.1:0").expect("loopback");
    let listen = taken.local_addr().expect("bound");
    let cases = [
        (GossipArgs { listen, ..args("a", &[]) }, listen.to_string()),
        (GossipArgs { seeds: vec!["node1".into()], ..args("a", &[]) }, "\"node1\"".into()),
        (GossipArgs { advertise: "node1".into(), ..args("a", &[]) }, "\"node1\"".into()),
        (GossipArgs { advertise: "0.0.0.0:0".into(), ..args("a", &[]) }, "0.0.0.0:0".into()),
        (args("", &[]), "\"\"".into()),
    ];
    for (args, named) in cases {
        let error = Gossip::start(args).await.err().expect("refused").to_string();
        println!("{error}");
        assert!(error.contains(&named), "{error}");
    }
}
