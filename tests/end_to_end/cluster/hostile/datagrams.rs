//! Datagrams that are none of the cluster's, or were once.

use super::super::harness::Cluster;
use super::super::launch::free_address;
use super::super::waiting::{DEADLINE, await_some, holds};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use wallaby_links::gossip::seal::{Seal, Session};
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
    recorded(cluster);
}

/// What a node of this cluster sends, recorded where it looks for another one, and played to all.
fn recorded(cluster: &Cluster) {
    let seed = from_anywhere();
    seed.set_read_timeout(Some(DEADLINE)).unwrap();
    let _fourth = Fourth::start(cluster, seed.local_addr().unwrap());
    let (socket, mut buffer) = (from_anywhere(), vec![0; 65_536]);
    for _ in 0..3 {
        let (length, _) = seed.recv_from(&mut buffer).expect("a node greets its seeds");
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

/// A node of the cluster that knows no other seed than the test, and so reaches nobody.
struct Fourth(std::process::Child);

impl Fourth {
    fn start(cluster: &Cluster, seed: SocketAddr) -> Self {
        let folder = cluster.sandbox.path("fourth");
        let secret = cluster.sandbox.path("cluster.secret");
        let mut command = std::process::Command::new(Path::new(env!("CARGO_BIN_EXE_wallaby")));
        let listen = free_address().to_string();
        command.args(["node", "--name", "fourth", "--listen", &listen, "--slots", "1"]);
        command.arg("--data").arg(folder).arg("--secret-file").arg(secret);
        command.args(["--voters", "node1,node2,node3", "--seeds", &seed.to_string()]);
        command.stdin(std::process::Stdio::null());
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Fourth {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
