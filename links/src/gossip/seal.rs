//! Sealed datagrams: XChaCha20-Poly1305 around the bytes of a gossip message.
//!
//! Layout: `WG`, format `1` (these three are authenticated, not encrypted), 24 bytes of nonce,
//! then sealed: 16 bytes of session, 8 bytes of counter (little endian), the message; 16 bytes of
//! tag. Nonces are random, since a process that is copied while it runs (a restored snapshot)
//! would use the counters of its original again. Nothing here reads a clock or a socket.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

/// What every datagram begins with: two letters and the number of the format.
const HEADER: [u8; 3] = [b'W', b'G', 1];
const NONCE_BYTES: usize = 24;
const SESSION_BYTES: usize = 16;
const COUNTER_BYTES: usize = 8;
const TAG_BYTES: usize = 16;

/// How much longer a sealed datagram is than the message in it, bytes.
pub const OVERHEAD_BYTES: usize =
    HEADER.len() + NONCE_BYTES + SESSION_BYTES + COUNTER_BYTES + TAG_BYTES;

/// One run of one sender, drawn at random when it starts: its counters belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session(pub [u8; SESSION_BYTES]);

/// What a datagram holds that a member of the cluster sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Who sealed it.
    pub session: Session,
    /// Which of the sender's datagrams it is, from 1.
    pub counter: u64,
    /// The message.
    pub message: Vec<u8>,
}

/// Why a datagram is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    /// It does not begin like one of ours, or is too short to be one.
    #[error("not gossip of this cluster's format")]
    Foreign,
    /// It looks like one of ours, but the seal does not open.
    #[error("sealed with another cluster secret")]
    OtherSecret,
    /// It was let in before, or is too old to tell.
    #[error("repeated or late by more than a minute")]
    Repeated,
    /// The seal opens, but what is in it is no gossip message.
    #[error("not a gossip message, although the seal is right")]
    Undecodable,
}

/// The cluster's key, ready to seal and to open.
#[derive(Clone)]
pub struct Seal(XChaCha20Poly1305);

impl Seal {
    /// A seal with `key`.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Seal {
        Seal(XChaCha20Poly1305::new(key.into()))
    }

    /// The datagram that holds `message`. `nonce` must never be used twice with one key.
    ///
    /// Returns nothing only for a message of more than 256 GiB, which the cipher cannot seal.
    #[must_use]
    pub fn close(
        &self,
        nonce: [u8; NONCE_BYTES],
        session: Session,
        counter: u64,
        message: &[u8],
    ) -> Option<Vec<u8>> {
        let mut inner = Vec::with_capacity(SESSION_BYTES + COUNTER_BYTES + message.len());
        inner.extend_from_slice(&session.0);
        inner.extend_from_slice(&counter.to_le_bytes());
        inner.extend_from_slice(message);
        let sealed =
            self.0.encrypt(&XNonce::from(nonce), Payload { msg: &inner, aad: &HEADER }).ok()?;
        let mut datagram = Vec::with_capacity(OVERHEAD_BYTES + message.len());
        datagram.extend_from_slice(&HEADER);
        datagram.extend_from_slice(&nonce);
        datagram.extend_from_slice(&sealed);
        Some(datagram)
    }

    /// What `datagram` holds. Accepts any bytes.
    ///
    /// # Errors
    /// [`Refusal::Foreign`] or [`Refusal::OtherSecret`].
    pub fn open(&self, datagram: &[u8]) -> Result<Opened, Refusal> {
        let rest = datagram.strip_prefix(&HEADER).ok_or(Refusal::Foreign)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(Refusal::Foreign)?;
        if sealed.len() < SESSION_BYTES + COUNTER_BYTES + TAG_BYTES {
            return Err(Refusal::Foreign);
        }
        let inner = self
            .0
            .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &HEADER })
            .map_err(|_| Refusal::OtherSecret)?;
        let (session, rest) =
            inner.split_first_chunk::<SESSION_BYTES>().ok_or(Refusal::Undecodable)?;
        let (counter, message) =
            rest.split_first_chunk::<COUNTER_BYTES>().ok_or(Refusal::Undecodable)?;
        Ok(Opened {
            session: Session(*session),
            counter: u64::from_le_bytes(*counter),
            message: message.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    const SESSION: Session = Session([3; 16]);

    fn seal(key: u8) -> Seal {
        Seal::new(&[key; 32])
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_with_the_same_key_only(
            nonce: [u8; 24], session: [u8; 16], counter: u64, message in vec(any::<u8>(), 0..2000),
        ) {
            let session = Session(session);
            let datagram = seal(1).close(nonce, session, counter, &message).expect("short");
            prop_assert_eq!(datagram.len(), message.len() + OVERHEAD_BYTES);
            prop_assert_eq!(seal(2).open(&datagram), Err(Refusal::OtherSecret));
            prop_assert_eq!(seal(1).open(&datagram), Ok(Opened { session, counter, message }));
        }

        #[test]
        fn any_bytes_are_refused_and_none_panic(mut bytes in vec(any::<u8>(), 0..300), ours: bool) {
            if ours && bytes.len() >= HEADER.len() {
                bytes[..HEADER.len()].copy_from_slice(&HEADER);
            }
            prop_assert!(matches!(
                seal(1).open(&bytes),
                Err(Refusal::Foreign | Refusal::OtherSecret)
            ));
        }

        #[test]
        fn one_flipped_bit_or_a_missing_end_is_refused(
            message in vec(any::<u8>(), 0..100), place: prop::sample::Index, bit in 0..8_u32,
        ) {
            let datagram = seal(1).close([5; 24], SESSION, 7, &message).expect("short");
            let place = place.index(datagram.len());
            let mut flipped = datagram.clone();
            flipped[place] ^= 1 << bit;
            prop_assert!(seal(1).open(&flipped).is_err());
            prop_assert!(seal(1).open(&datagram[..place]).is_err());
        }
    }
}
