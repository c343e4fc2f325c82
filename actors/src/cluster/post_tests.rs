//! The post within one process: what a letter meets. Between processes: `sessions_tests.rs`.

use std::time::Duration;

use tokio::time::timeout;

use super::*;

const PATIENCE: Duration = Duration::from_secs(30);

type Inbox = mpsc::Receiver<(String, Vec<u8>)>;

async fn open(me: &str) -> (Post, Inbox) {
    let (sender, inbox) = mpsc::channel(1);
    (Post::start(me, sender).await.unwrap(), inbox)
}

async fn next(inbox: &mut Inbox) -> (String, Vec<u8>) {
    timeout(PATIENCE, inbox.recv()).await.expect("a letter comes").expect("the post is open")
}

/// Gives bytes to the post of `to` as if a session had brought them.
fn smuggle(to: &str, bytes: &[u8]) {
    let args = bytes.to_vec();
    let message = SerializedMessage::Cast { variant: "any".to_owned(), args, metadata: None };
    assert!(member(to).unwrap().send_serialized(message).is_ok());
}

#[tokio::test]
async fn letters_arrive_in_order_with_their_sender() {
    let (anna, _none) = open("order-anna#1").await;
    let (_bert, mut inbox) = open("order-bert#1").await;
    for number in 0..100 {
        anna.send("order-bert#1", vec![number]).unwrap();
    }
    for number in 0..100 {
        assert_eq!(next(&mut inbox).await, ("order-anna#1".to_owned(), vec![number]));
    }
}

#[tokio::test]
async fn letters_to_oneself_arrive_as_others_do_and_are_bounded_too() {
    let (post, mut inbox) = open("self#1").await;
    post.send("self#1", vec![7]).unwrap();
    assert_eq!(next(&mut inbox).await, ("self#1".to_owned(), vec![7]));
    while post.send("self#1", vec![0; 100_000]).is_ok() {}
    assert_eq!(post.send("self#1", vec![0; 100_000]), Err(PostError::Backlogged));
    let taken = async {
        while post.send("self#1", vec![0; 100_000]).is_err() {
            next(&mut inbox).await;
        }
    };
    timeout(PATIENCE, taken).await.unwrap();
}

#[tokio::test]
async fn without_a_session_nothing_is_sent() {
    let (post, _inbox) = open("alone#1").await;
    assert_eq!(post.send("nobody#1", vec![]), Err(PostError::NoSession));
    assert_eq!(post.send("alone#2", vec![]), Err(PostError::NoSession), "another boot");
}

#[tokio::test]
async fn a_closed_post_is_gone() {
    let (anna, _none) = open("closed-anna#1").await;
    let (bert, _inbox) = open("closed-bert#1").await;
    anna.send("closed-bert#1", vec![]).unwrap();
    drop(bert);
    let gone = async {
        while anna.send("closed-bert#1", vec![]) != Err(PostError::NoSession) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, gone).await.unwrap();
}

#[tokio::test]
async fn the_largest_letter_goes_and_a_larger_one_does_not() {
    let (post, mut inbox) = open("large#1").await;
    post.send("large#1", vec![1; LETTER_BYTES_MAX]).unwrap();
    assert_eq!(next(&mut inbox).await.1.len(), LETTER_BYTES_MAX);
    let bytes = LETTER_BYTES_MAX + 1;
    assert_eq!(post.send("large#1", vec![1; bytes]), Err(PostError::TooLarge { bytes }));
}

#[tokio::test]
async fn what_a_peer_has_not_taken_is_bounded_and_goes_on_once_it_takes() {
    let (anna, _none) = open("window-anna#1").await;
    let (_bert, mut inbox) = open("window-bert#1").await;
    for size in [1_000_usize, 0, LETTER_BYTES_MAX] {
        let (mut sent, mut taken) = (0, 0);
        while anna.send("window-bert#1", vec![0; size]).is_ok() {
            sent += 1;
        }
        let bytes = sent * (size as u64 + LETTER_OVERHEAD_BYTES);
        assert!(bytes <= WINDOW_BYTES, "{size}: {bytes}");
        assert!(bytes > WINDOW_BYTES - 2 * LETTER_BYTES_MAX as u64, "{size}: {bytes}");
        while taken < sent {
            next(&mut inbox).await;
            taken += 1;
        }
        let room = async {
            while anna.send("window-bert#1", vec![0; size]).is_err() {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, room).await.unwrap();
        next(&mut inbox).await;
    }
}

#[tokio::test]
async fn what_cannot_be_decoded_is_dropped_and_the_next_letter_arrives() {
    let (anna, _none) = open("junk-anna#1").await;
    let (_bert, mut inbox) = open("junk-bert#1").await;
    let newer = {
        let mut bytes = Envelope::Letter(vec![1]).encode("junk-anna#1");
        bytes[0] = 9;
        bytes
    };
    for bytes in [&[][..], &[1], &[0xff; 100], &[1, 0xff, 0xff], &newer] {
        smuggle("junk-bert#1", bytes);
    }
    smuggle("junk-bert#1", &Envelope::Credit(u64::MAX).encode("nobody#1"));
    anna.send("junk-bert#1", vec![5]).unwrap();
    assert_eq!(next(&mut inbox).await.1, [5]);
}

#[tokio::test]
async fn a_sender_that_keeps_no_window_is_bounded_by_its_receiver() {
    let (_post, mut inbox) = open("flood#1").await;
    let letter = Envelope::Letter(vec![0; LETTER_BYTES_MAX]).encode("flooder#1");
    let times = 4 * QUEUE_BYTES_MAX / LETTER_BYTES_MAX as u64;
    for _ in 0..times {
        smuggle("flood#1", &letter);
    }
    smuggle("flood#1", &Envelope::Letter(vec![7]).encode("other#1"));
    let mut kept = 0;
    while next(&mut inbox).await.0 == "flooder#1" {
        kept += 1;
    }
    assert!(kept * LETTER_BYTES_MAX as u64 <= QUEUE_BYTES_MAX + 2 * LETTER_BYTES_MAX as u64);
}

#[test]
fn a_complaint_is_made_once_for_each_sender() {
    let mut complaints = Complaints::default();
    for _ in 0..3 {
        complaints.complain(Some("a#1"), &"why");
        complaints.complain(None, &"why");
    }
    assert_eq!(complaints.0.len(), 2);
    for number in 0..1000 {
        complaints.complain(Some(&format!("b#{number}")), &"why");
    }
    assert_eq!(complaints.0.len(), COMPLAINTS_MAX);
}

#[test]
fn a_window_is_that_of_one_session() {
    let windows = Windows::default();
    let session = |node_id| ActorId::Remote { node_id, pid: 7 };
    assert!(windows.take("a#1", session(1), WINDOW_BYTES));
    assert!(!windows.take("a#1", session(1), 1));
    assert!(windows.take("a#1", session(2), WINDOW_BYTES), "a new session has a new window");
    windows.credit("a#1", 10);
    assert!(windows.take("a#1", session(2), 10));
    windows.credit("a#1", u64::MAX);
    assert!(windows.take("a#1", session(2), WINDOW_BYTES));
}
