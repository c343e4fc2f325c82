//! How the process of a node is launched, and where it listens.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};

/// A manner of launching nodes. Nodes are numbered from 0.
pub(crate) trait Launch {
    /// Where a node listens; the tests' own process must reach it there too.
    fn address(&self, node: usize) -> SocketAddr;

    /// What becomes this node when `node` and its arguments are added. The process that is
    /// started must turn into the program (`exec`): signals go to it.
    fn command(&self, node: usize, program: &Path) -> Command;
}

/// Every node on the loopback, with a port of its own.
pub(crate) struct Loopback(Vec<SocketAddr>);

impl Loopback {
    /// For so many nodes.
    pub(crate) fn of(nodes: usize) -> Self {
        Self((0..nodes).map(|_| free_address()).collect())
    }
}

impl Launch for Loopback {
    fn address(&self, node: usize) -> SocketAddr {
        self.0[node]
    }

    fn command(&self, _node: usize, program: &Path) -> Command {
        Command::new(program)
    }
}

/// Below the ports that systems give to outgoing connections: a node that is started again finds
/// its port free.
const PORTS: std::ops::Range<u16> = 12_000..31_000;

/// The next port to try; each is handed out once, and test processes begin at different places.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// An address of the loopback that nobody listens on.
pub(crate) fn free_address() -> SocketAddr {
    let offset = (std::process::id() % 1_900) as u16 * 10;
    let candidate = |_| {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = PORTS.start + offset.wrapping_add(next) % (PORTS.end - PORTS.start);
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    };
    let free = |address: &SocketAddr| {
        TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok()
    };
    PORTS.map(candidate).find(free).expect("some port is free")
}
