//! Free ports of this machine. Between the choice and its use another process may take one: then
//! the node that was to have it says so.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

/// How often a port that is free for TCP may turn out to be taken for UDP.
const TRIES: usize = 100;

/// Distinct loopback addresses whose ports are free for TCP and UDP at this moment.
///
/// # Errors
/// The system has none left.
pub(super) fn free(count: usize) -> io::Result<Vec<SocketAddr>> {
    // All are held until all are chosen, so that none is chosen twice.
    let held: Vec<(TcpListener, UdpSocket)> =
        (0..count).map(|_| one()).collect::<io::Result<_>>()?;
    held.iter().map(|(listener, _)| listener.local_addr()).collect()
}

fn one() -> io::Result<(TcpListener, UdpSocket)> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..TRIES {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        match UdpSocket::bind(listener.local_addr()?) {
            Ok(socket) => return Ok((listener, socket)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_port_is_chosen_twice_and_each_is_free() {
        let ports = free(8).unwrap();
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), 8);
        assert!(ports.iter().all(|address| address.ip().is_loopback() && address.port() > 0));
    }
}
