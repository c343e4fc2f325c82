//! Datagrams that are none of the cluster's, or were once.

use super::super::harness::Cluster;
use super::super::launch::free_address;
use super::super::waiting::{DEADLINE, await_some, holds};
use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use tokio::runtime::Runtime;
use wallaby_links::gossip::seal::{Seal, Session};
use wallaby_links::gossip::{Gossip, GossipArgs};
use wallaby_links::secret::Secret;

/// How often one and the same datagram is sent.
const REPEATS: usize = 200;

fn from_anywhere() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").unwrap()
}

/// Of all lengths up to the longest there is; half of them begin like ours.
pub(super) fn garbage(node: SocketAddr, count: usize) {
    let socket = from_anywhere();
    let mut noise = blake3::Hasher::new().finalize_xof();
    for number in 0..count {
        let length = if number % 500 == 0 { 65_000 } else { number % 1400 };
        let mut bytes = vec![0; length];
        noise.fill(&mut bytes);
        if number % 2 == 0 && length >= 3 {
            bytes[..3].copy_from_slice(b"WG\x01");
        }
        // One that is refused is told to the socket with the next.
        let _ = socket.send_to(&bytes, node);
    }
}

/// Datagrams of whoever has the secret: what is no gossip, and the same again and again.
pub(super) fn forged_and_repeated(cluster: &Cluster) {
    let secret = Secret::read(&cluster.sandbox.path("cluster.secret")).unwrap();
    let seal = Seal::new(&secret.derive("gossip"));
    let socket = from_anywhere();
    let from = socket.local_addr().unwrap();
    for node in cluster.nodes() {
        let datagram = seal.close([7; 24], Session([9; 16]), 1, b"no gossip").unwrap();
        for _ in 0..REPEATS {
            socket.send_to(&datagram, node.address).unwrap();
        }
        let other = Seal::new(&[3; 32]).close([8; 24], Session([9; 16]), 2, b"x").unwrap();
        socket.send_to(&other, node.address).unwrap();
        await_some("the forged datagram is refused", DEADLINE, || {
            let said = node.log_of_this_life();
            holds(said.contains(&format!("refused datagrams from {from}: ")), || said)
        });
    }
    recorded(cluster, &secret);
}

/// What a member of this cluster sends, recorded where it looks for others, and played to all.
fn recorded(cluster: &Cluster, secret: &Secret) {
    let seed = from_anywhere();
    seed.set_read_timeout(Some(DEADLINE)).unwrap();
    let runtime = Runtime::new().unwrap();
    let _member = runtime.block_on(Gossip::start(GossipArgs {
        name: "recorded".to_owned(),
        boot: 1,
        listen: free_address(),
        advertise: "127.0.0.1:0".to_owned(),
        seeds: vec![seed.local_addr().unwrap().to_string()],
        key: secret.derive("gossip"),
        cluster_id: secret.cluster_id(),
        values: BTreeMap::new(),
    }));
    let (socket, mut buffer) = (from_anywhere(), vec![0; 65_536]);
    for _ in 0..3 {
        let (length, _) = seed.recv_from(&mut buffer).expect("a member greets its seeds");
        assert!(buffer.starts_with(b"WG"), "{:?}", &buffer[..length.min(8)]);
        for node in cluster.nodes() {
            for _ in 0..REPEATS {
                socket.send_to(&buffer[..length], node.address).unwrap();
            }
        }
    }
    let from = socket.local_addr().unwrap();
    for node in cluster.nodes() {
        await_some("the repeated datagrams are refused", DEADLINE, || {
            let (said, words) = (node.log_of_this_life(), format!("from {from}: repeated or late"));
            holds(said.contains(&words), || said)
        });
    }
}
