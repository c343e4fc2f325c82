//! Sessions and the post between processes; see [`test_node`] for how.

#[path = "sessions_test_node.rs"]
mod test_node;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wallaby_links::secret::Secret;
use wallaby_links::tls::Identity;

use super::*;
use crate::cluster::post::WINDOW_BYTES;
use test_node::{Node, PATIENCE, secret};

/// Two nodes with a session, the first of which dialled.
fn pair() -> (String, Node, Node) {
    let secret = secret();
    let mut anna = Node::start(&secret, "anna#1");
    let mut bert = Node::start(&secret, "bert#1");
    anna.keep(&bert);
    bert.keep(&anna);
    anna.hear("up bert#1");
    bert.hear("up anna#1");
    (secret, anna, bert)
}

#[test]
fn letters_go_both_ways_in_order() {
    let (_, mut anna, mut bert) = pair();
    anna.say("send bert#1 100 500");
    bert.say("send anna#1 5000 500");
    assert_eq!(anna.hear("sent"), "sent 500 all");
    assert_eq!(bert.hear("sent"), "sent 500 all");
    for number in 0..500 {
        assert_eq!(bert.hear("letter"), format!("letter anna#1 100 {number}"));
        assert_eq!(anna.hear("letter"), format!("letter bert#1 5000 {number}"));
    }
}

#[test]
fn a_large_letter_goes() {
    let (_, mut anna, mut bert) = pair();
    anna.say(&format!("send bert#1 {LETTER_BYTES_MAX} 3"));
    assert_eq!(anna.hear("sent"), "sent 3 all");
    for number in 0..3 {
        assert_eq!(bert.hear("letter"), format!("letter anna#1 {LETTER_BYTES_MAX} {number}"));
    }
}

#[test]
fn both_keep_each_other_and_there_is_one_session() {
    let (_, mut anna, mut bert) = pair();
    for _ in 0..3 {
        anna.keep(&bert);
        bert.keep(&anna);
    }
    anna.say("send bert#1 8 1");
    bert.say("send anna#1 8 1");
    anna.hear("letter");
    bert.hear("letter");
    for said in [anna.all(), bert.all()] {
        assert!(!said.iter().any(|line| line.starts_with("up") || line.starts_with("down")));
    }
}

#[test]
fn nothing_listens_but_the_port() {
    let (_, mut anna, _bert) = pair();
    anna.say("listeners");
    let port = anna.address.rsplit_once(':').unwrap().1.to_owned();
    assert_eq!(anna.hear("listeners"), format!("listeners [{port}]"));
}

#[test]
fn a_node_that_dies_is_down_at_once_and_its_next_boot_comes_up() {
    let (secret, mut anna, bert) = pair();
    let address = bert.address.clone();
    bert.signal("-KILL");
    anna.hear("down bert#1");
    anna.say("send bert#1 8 1");
    assert_eq!(anna.hear("sent"), "sent 0 NoSession");
    drop(bert);
    let mut next = Node::start_at(&secret, "bert#2", &address);
    anna.say("drop bert#1");
    anna.keep(&next);
    anna.hear("up bert#2");
    next.hear("up anna#1");
    anna.say("send bert#2 8 1");
    next.hear("letter anna#1");
}

#[test]
fn a_session_that_breaks_is_dialled_again() {
    let (_, mut anna, mut bert) = pair();
    // Of the two, anna dials; that bert ends the session is to her like any break.
    for _ in 0..3 {
        bert.say("drop anna#1");
        bert.hear("down anna#1");
        anna.hear("down bert#1");
        anna.hear("up bert#1");
        bert.hear("up anna#1");
    }
    anna.say("send bert#1 8 1");
    bert.hear("letter anna#1");
}

#[test]
fn a_dropped_node_is_dialled_no_more_until_it_is_kept_again() {
    let (_, mut anna, mut bert) = pair();
    anna.say("drop bert#1");
    anna.hear("down bert#1");
    bert.hear("down anna#1");
    // Long enough for several dials at the first pauses: nothing to wait for but time itself.
    bert.hears_nothing_for(Duration::from_millis(700));
    anna.keep(&bert);
    anna.hear("up bert#1");
    bert.hear("up anna#1");
}

#[test]
fn a_frozen_node_costs_a_window_is_dropped_at_once_and_comes_back() {
    let (_, mut anna, mut bert) = pair();
    bert.signal("-STOP");
    anna.say("send bert#1 65536 1000");
    let window = WINDOW_BYTES / (65536 + 64);
    assert_eq!(anna.hear("sent"), format!("sent {window} Backlogged"));
    let start = Instant::now();
    anna.say("drop bert#1");
    anna.hear("down bert#1");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    anna.keep(&bert);
    bert.signal("-CONT");
    anna.hear("up bert#1");
    bert.hear("down anna#1");
    bert.hear("up anna#1");
    anna.say("send bert#1 77 1");
    assert_eq!(anna.hear("sent"), "sent 1 all");
    bert.hear("letter anna#1 77 0");
}

#[test]
fn a_node_that_reads_nothing_holds_its_senders_back_and_loses_nothing() {
    let (_, mut anna, mut bert) = pair();
    bert.say("hold on");
    bert.all();
    anna.say("send bert#1 10000 10000");
    let first = anna.hear("sent");
    assert!(first.ends_with("Backlogged"), "{first}");
    let sent: u64 = first.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(sent * 10_000 <= WINDOW_BYTES && sent * 10_000 > WINDOW_BYTES / 2, "{sent}");
    bert.say("hold off");
    for number in 0..sent {
        assert_eq!(bert.hear("letter"), format!("letter anna#1 10000 {number}"));
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        anna.say("send bert#1 10000 1");
        if anna.hear("sent") == "sent 1 all" {
            break;
        }
        assert!(Instant::now() < deadline);
    }
    assert_eq!(bert.hear("letter"), "letter anna#1 10000 0");
}

#[test]
fn what_a_peer_cannot_decode_harms_neither() {
    let (_, mut anna, mut bert) = pair();
    for byte in [0, 1, 2, 255] {
        anna.say(&format!("wire bert#1 {byte}"));
    }
    anna.say("send bert#1 8 1");
    bert.hear("letter anna#1 8 0");
    assert!(!bert.all().iter().any(|line| line.starts_with("down")));
}

#[test]
fn a_node_of_another_cluster_gets_no_session() {
    let mut anna = Node::start(&secret(), "anna#1");
    let mut bert = Node::start(&secret(), "bert#1");
    anna.keep(&bert);
    bert.hears_nothing_for(Duration::from_millis(700));
    assert_eq!(anna.all(), Vec::<String>::new());
    assert_eq!(bert.all(), Vec::<String>::new());
}

#[test]
fn another_boot_at_the_address_is_not_taken_for_the_one_that_was_kept() {
    let secret = secret();
    let mut anna = Node::start(&secret, "anna#1");
    let mut bert = Node::start(&secret, "bert#2");
    anna.say(&format!("keep bert#1 {}", bert.address));
    anna.hear("up bert#2");
    bert.hear("up anna#1");
    anna.say("send bert#1 8 1");
    assert_eq!(anna.hear("sent"), "sent 0 NoSession");
    // That boot is gone for good, and with it not the session of the other.
    anna.keep(&bert);
    anna.say("drop bert#1");
    anna.say("send bert#2 8 1");
    assert_eq!(anna.hear("sent"), "sent 1 all");
    bert.hear("letter anna#1");
    assert!(!anna.all().iter().any(|line| line.starts_with("down")));
}

#[tokio::test]
async fn names_that_cannot_be_told_apart_are_refused() {
    let (_, streams) = mpsc::channel(1);
    let identity = Arc::new(Identity::new(&Secret::generate()).unwrap());
    let error = Sessions::start(SessionsArgs {
        name: "a@b".to_owned(),
        hostname: Ipv4Addr::LOCALHOST.to_string(),
        cookie: String::new(),
        peers: Peers::new(identity),
        streams,
    })
    .await
    .unwrap_err();
    assert!(error.to_string().starts_with("the node's name is \"a@b\""), "{error}");
}
