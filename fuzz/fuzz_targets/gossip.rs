//! Messages of gossip, after their seal was opened: read by chitchat's own socket, as in the codec.
#![no_main]

use chitchat::transport::{Socket as _, UdpSocket as ChitchatSocket};
use chitchat::{ChitchatEnvelope, ChitchatMessage, ProtocolVersion};
use std::cell::RefCell;
use std::net::{Ipv4Addr, UdpSocket};
use tokio::runtime::{Builder, Runtime};

struct Loopback {
    runtime: Runtime,
    inside: ChitchatSocket,
    pipe: UdpSocket,
}

thread_local! {
    static LOOPBACK: RefCell<Loopback> = RefCell::new(Loopback::open());
}

/// Says that all bytes before it have been read.
fn marker() -> ChitchatEnvelope {
    ChitchatEnvelope { version: ProtocolVersion::V1, message: ChitchatMessage::BadCluster }
}

impl Loopback {
    fn open() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let loopback = (Ipv4Addr::LOCALHOST, 0).into();
        let inside = runtime.block_on(ChitchatSocket::open(loopback)).expect("the loopback");
        let pipe = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback");
        Self { runtime, inside, pipe }
    }

    fn read(&mut self, bytes: &[u8]) {
        let own = self.pipe.local_addr().expect("it is bound");
        let inside = self.inside.local_addr().expect("it is bound");
        self.pipe.send_to(bytes, inside).expect("it is short");
        self.runtime.block_on(async {
            // What was read is not sent on: chitchat asserts lengths when it writes a message, which
            // hold for those that it made, and it sends no others.
            self.inside.send(own, marker()).await.expect("it is sent");
            let mut encoded = [0; 64];
            let length = self.pipe.recv(&mut encoded).expect("the marker comes");
            self.pipe.send_to(&encoded[..length], inside).expect("it is short");
            loop {
                let read = self.inside.recv().await.expect("the socket reads");
                if read.envelope == marker() {
                    return;
                }
            }
        });
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    LOOPBACK.with_borrow_mut(|loopback| loopback.read(bytes));
});
