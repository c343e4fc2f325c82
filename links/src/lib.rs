//! The connecting part of Wallaby: what carries bytes between the nodes of a cluster.
//!
//! connects: one secret, mutual TLS, one port for all, clients to peers, sealed gossip. Nothing
//! here knows a study, a trial or a journal; it moves bytes between processes that hold the same
//! secret, and refuses everybody else cheaply. See `ARCHITECTURE.md`.

pub mod complaints;
pub mod gossip;
pub mod peers;
pub mod port;
pub mod secret;
mod socket;
pub mod tls;

#[cfg(test)]
mod testing;
