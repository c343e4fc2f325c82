//! Chitchat's messages to bytes and back.
//!
//! Chitchat keeps its encoding to itself; only its own UDP socket uses it. So one such socket
//! stands on the loopback interface, with a pipe (a second socket) at its other end: what is sent
//! to the pipe comes out as bytes, what the pipe sends comes out as a message. The pipe is
//! connected, so the kernel keeps others' datagrams from it; chitchat's socket is not, so what
//! does not come from the pipe is dropped by its source address.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use chitchat::{
    ChitchatEnvelope,
    transport::{Socket as _, UdpSocket as ChitchatSocket},
};
use tokio::{
    net::UdpSocket,
    time::{Instant, timeout, timeout_at},
};

/// The longest datagram chitchat makes, bytes.
pub(crate) const MESSAGE_BYTES_MAX: usize = 65_507;

/// How long to wait for bytes to cross the loopback. The kernel hands them over within the sending
/// call, so this passes only if they are refused: no room in the buffer, or not decodable.
const CROSSING: Duration = Duration::from_millis(100);

/// The two sockets.
pub(crate) struct Codec {
    inside: ChitchatSocket,
    pipe: UdpSocket,
    pipe_address: SocketAddr,
    buffer: Box<[u8]>,
}

/// Bytes on their way to become a message; kept by the caller, because [`Codec::decode`] may be
/// cancelled half-way.
pub(crate) struct Decoding {
    bytes: Vec<u8>,
    crossing_until: Option<Instant>,
}

impl Decoding {
    /// Of `bytes`.
    pub(crate) fn of(bytes: Vec<u8>) -> Decoding {
        Decoding { bytes, crossing_until: None }
    }
}

impl Codec {
    /// Opens the two sockets on free ports of 127.0.0.1.
    pub(crate) async fn open() -> anyhow::Result<Codec> {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let inside = ChitchatSocket::open(loopback).await?;
        let pipe = UdpSocket::bind(loopback).await?;
        pipe.connect(inside.local_addr()?).await?;
        let pipe_address = pipe.local_addr()?;
        Ok(Codec { inside, pipe, pipe_address, buffer: vec![0; MESSAGE_BYTES_MAX].into() })
    }

    /// The bytes of `envelope`; nothing if they got lost on the way.
    pub(crate) async fn encode(&mut self, envelope: ChitchatEnvelope) -> Option<&[u8]> {
        // What a wait that was given up left behind must not be taken for this message.
        while self.pipe.try_recv(&mut self.buffer).is_ok() {}
        let sent = self.inside.send(self.pipe_address, envelope).await.ok()?.num_bytes_sent;
        let received = timeout(CROSSING, self.pipe.recv(&mut self.buffer)).await.ok()?.ok()?;
        (received == sent).then(|| &self.buffer[..received])
    }

    /// The message in `decoding`; nothing if there is none in it. May be cancelled, and is then to
    /// be called again with the same `decoding`.
    pub(crate) async fn decode(&mut self, decoding: &mut Decoding) -> Option<ChitchatEnvelope> {
        let until = match decoding.crossing_until {
            Some(until) => until,
            None => {
                self.pipe.send(&decoding.bytes).await.ok()?;
                *decoding.crossing_until.insert(Instant::now() + CROSSING)
            }
        };
        loop {
            let outcome = timeout_at(until, self.inside.recv()).await.ok()?.ok()?;
            let ours = outcome.from_addr == self.pipe_address
                && outcome.num_bytes_received == decoding.bytes.len();
            if ours {
                return Some(outcome.envelope);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chitchat::{ChitchatMessage, ProtocolVersion};

    use super::*;

    fn envelope() -> ChitchatEnvelope {
        ChitchatEnvelope { version: ProtocolVersion::V1, message: ChitchatMessage::BadCluster }
    }

    #[tokio::test]
    async fn a_message_crosses_both_ways_although_strangers_send_to_the_socket() {
        let mut codec = Codec::open().await.expect("loopback");
        let bytes = codec.encode(envelope()).await.expect("encoded").to_vec();
        let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback");
        let inside = codec.inside.local_addr().expect("bound");
        for payload in [&bytes[..], b"junk"] {
            stranger.send_to(payload, inside).await.expect("sent");
        }
        let mut decoding = Decoding::of(bytes);
        assert_eq!(codec.decode(&mut decoding).await, Some(envelope()));
    }

    #[tokio::test]
    async fn bytes_that_are_no_message_are_given_up_and_the_next_message_crosses() {
        let mut codec = Codec::open().await.expect("loopback");
        for junk in [b"junk".to_vec(), Vec::new()] {
            assert_eq!(codec.decode(&mut Decoding::of(junk)).await, None);
        }
        let bytes = codec.encode(envelope()).await.expect("encoded").to_vec();
        assert_eq!(codec.decode(&mut Decoding::of(bytes)).await, Some(envelope()));
    }
}
