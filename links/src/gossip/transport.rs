//! The socket on which gossip travels: seals what chitchat sends, opens what arrives, lets each
//! datagram in once, counts and reports what it refuses. It never gives up: an error of one
//! datagram says nothing about the next.

use std::{
    io,
    net::{self, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use async_trait::async_trait;
use chitchat::{
    ChitchatEnvelope,
    transport::{RecvOutcome, SendOutcome, Socket, Transport},
};
use tokio::net::UdpSocket;
use tracing::warn;

use crate::complaints::Complaints;

use super::{
    codec::{Codec, Decoding, MESSAGE_BYTES_MAX},
    replay::Replays,
    seal::{OVERHEAD_BYTES, Opened, Refusal, Seal, Session},
};

/// How long to rest after the socket failed to receive.
const REST: Duration = Duration::from_millis(50);

/// Hands chitchat the socket that is already bound, once.
pub(crate) struct SealedTransport {
    bound: Mutex<Option<net::UdpSocket>>,
    key: [u8; 32],
    refused: Arc<AtomicU64>,
}

impl SealedTransport {
    /// Over `bound`; counts in `refused` what is not let in.
    pub(crate) fn new(
        bound: net::UdpSocket,
        key: [u8; 32],
        refused: Arc<AtomicU64>,
    ) -> SealedTransport {
        SealedTransport { bound: Mutex::new(Some(bound)), key, refused }
    }
}

#[async_trait]
impl Transport for SealedTransport {
    async fn open(&self, _listen: SocketAddr) -> anyhow::Result<Box<dyn Socket>> {
        let bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner).take();
        let wire = UdpSocket::from_std(bound.context("the gossip socket is already in use")?)?;
        let mut session = [0; 16];
        getrandom::fill(&mut session).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
        Ok(Box::new(Sealed {
            wire,
            codec: Codec::open().await.context("cannot use the loopback interface for gossip")?,
            seal: Seal::new(&self.key),
            session: Session(session),
            counter: 0,
            replays: Replays::default(),
            refused: Arc::clone(&self.refused),
            refusals: Complaints::default(),
            unsendable: Complaints::default(),
            buffer: vec![0; MESSAGE_BYTES_MAX].into(),
            arriving: None,
        }))
    }
}

struct Sealed {
    wire: UdpSocket,
    codec: Codec,
    seal: Seal,
    session: Session,
    counter: u64,
    replays: Replays,
    refused: Arc<AtomicU64>,
    refusals: Complaints<SocketAddr>,
    unsendable: Complaints<SocketAddr>,
    buffer: Box<[u8]>,
    /// What was let in and is not yet handed over: `recv` may be cancelled between the two.
    arriving: Option<(SocketAddr, Decoding, usize)>,
}

#[async_trait]
impl Socket for Sealed {
    fn local_addr(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.wire.local_addr()?)
    }

    async fn send(
        &mut self,
        to: SocketAddr,
        envelope: ChitchatEnvelope,
    ) -> anyhow::Result<SendOutcome> {
        let sent = match self.send_sealed(to, envelope).await {
            Ok(num_bytes_sent) => num_bytes_sent,
            Err(error) => {
                if let Some(due) = self.unsendable.note(Instant::now(), to) {
                    let address = due.about.map(tracing::field::display);
                    warn!(address, times = due.times, %error, "cannot send gossip");
                }
                0
            }
        };
        Ok(SendOutcome { num_bytes_sent: sent })
    }

    async fn recv(&mut self) -> anyhow::Result<RecvOutcome> {
        loop {
            if self.arriving.is_none() {
                self.arriving = self.admit_next().await;
            }
            let Some((from_addr, decoding, num_bytes_received)) = &mut self.arriving else {
                continue;
            };
            let (from_addr, num_bytes_received) = (*from_addr, *num_bytes_received);
            let decoded = self.codec.decode(decoding).await;
            self.arriving = None;
            match decoded {
                Some(envelope) => {
                    return Ok(RecvOutcome { from_addr, envelope, num_bytes_received });
                }
                None => self.refuse(from_addr, Refusal::Undecodable),
            }
        }
    }
}

impl Sealed {
    /// Sends `envelope` sealed; returns how many bytes that were.
    async fn send_sealed(
        &mut self,
        to: SocketAddr,
        envelope: ChitchatEnvelope,
    ) -> io::Result<usize> {
        let message = self.codec.encode(envelope).await;
        let message = message.ok_or_else(|| io::Error::other("the message did not encode"))?;
        if message.len() + OVERHEAD_BYTES > MESSAGE_BYTES_MAX {
            return Err(io::Error::other("the message leaves no room for its seal"));
        }
        let mut nonce = [0; 24];
        getrandom::fill(&mut nonce).map_err(io::Error::other)?;
        self.counter += 1;
        let datagram = self.seal.close(nonce, self.session, self.counter, message);
        let datagram = datagram.ok_or_else(|| io::Error::other("the message did not seal"))?;
        self.wire.send_to(&datagram, to).await
    }

    /// The next datagram that is let in; nothing if the next is not.
    async fn admit_next(&mut self) -> Option<(SocketAddr, Decoding, usize)> {
        let (length, from) = match self.wire.recv_from(&mut self.buffer).await {
            Ok(received) => received,
            Err(error) => {
                // Some systems report here that an earlier datagram was not received.
                if !matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
                ) {
                    warn!(%error, "cannot receive gossip");
                    tokio::time::sleep(REST).await;
                }
                return None;
            }
        };
        match self.admit(length) {
            Ok(opened) if opened.session == self.session => None,
            Ok(opened) => Some((from, Decoding::of(opened.message), length)),
            Err(refusal) => {
                self.refuse(from, refusal);
                None
            }
        }
    }

    fn admit(&mut self, length: usize) -> Result<Opened, Refusal> {
        let opened = self.seal.open(&self.buffer[..length])?;
        self.replays.admit(Instant::now(), &opened)?;
        Ok(opened)
    }

    fn refuse(&mut self, from: SocketAddr, refusal: Refusal) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        let Some(due) = self.refusals.note(Instant::now(), from) else { return };
        let times = due.times;
        match due.about {
            Some(from) => warn!(times, "refused datagrams from {from}: {refusal}"),
            None => warn!(times, "refused datagrams from many other addresses: {refusal}"),
        }
    }
}
