//! Letters and their envelopes for the fuzz targets; see [`crate::fuzzing`].

use super::envelope::Envelope;
use super::letter::{Introduction, Letter, News, Order};
use wallaby_core::cluster::StudyId;
use wallaby_core::engine::Event;
use wallaby_core::ids::{Digest, NodeId, SlotId, Stamp, Term};

pub(crate) fn envelope(bytes: &[u8]) {
    if let (Some(sender), Ok(envelope)) = Envelope::decode(bytes) {
        assert_eq!(envelope.encode(&sender), bytes);
    }
}

pub(crate) fn letter(bytes: &[u8]) {
    let Ok(letter) = Letter::decode(bytes) else { return };
    // A number may be written in several ways, and one that is none differs from itself.
    let again = letter.encode();
    let decoded = Letter::decode(&again).expect("a letter survives its bytes");
    assert_eq!(decoded.encode(), again);
}

pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let digest = Digest::of(b"blob");
    let introduction = Introduction {
        node: NodeId(3),
        boot: 17,
        name: "node3".to_owned(),
        slots: 2,
        numerics: digest,
        room: 1 << 40,
        draining: false,
        told: vec![(StudyId(1), Event::SlotLost(SlotId { node: NodeId(3), index: 1 }))],
        empty: false,
    };
    let copy = Order::Copy { blob: digest, sources: vec![NodeId(1)], durable: true, data: false };
    let holds = News::Holds { boot: 17, blobs: vec![(digest, Stamp(3)); 2], last: true };
    let letters = [
        Letter::Order(Term(3), Order::Report),
        Letter::Order(Term(3), copy),
        Letter::Beat(Term(3), 7),
        Letter::News(Term(3), News::Beat(7)),
        Letter::News(Term(3), News::Report(introduction)),
        Letter::News(Term(3), holds),
        Letter::News(Term(3), News::Missed { blob: digest, why: "it is gone".to_owned() }),
    ];
    let envelopes = [Envelope::Letter(letters[0].encode()), Envelope::Credit(1 << 20)];
    let envelopes = envelopes.iter().map(|envelope| ("envelope", envelope.encode("node1#17")));
    letters.iter().map(|letter| ("letter", letter.encode())).chain(envelopes).collect()
}
