//! Sealed datagrams: what is not sealed with the cluster's key stays outside, what is sealed comes
//! out as it went in.
#![no_main]

use wallaby_links::gossip::seal::{Refusal, Seal, Session};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let seal = Seal::new(&[7; 32]);
    assert!(matches!(seal.open(bytes), Err(Refusal::Foreign | Refusal::OtherSecret)));
    let session = Session([9; 16]);
    let mut datagram = seal.close([5; 24], session, 17, bytes).expect("it is short");
    let opened = seal.open(&datagram).expect("it was sealed with this key");
    assert_eq!((opened.session, opened.counter, &opened.message[..]), (session, 17, bytes));
    let place = bytes.first().map_or(0, |byte| usize::from(*byte)) % datagram.len();
    datagram[place] ^= 1;
    assert!(seal.open(&datagram).is_err());
});
