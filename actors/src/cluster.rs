//! A node of a cluster: what it says to others, and how it works with them.
//!
//! Every node has an *agent*, which carries out orders and owns the trainers. Voters keep the
//! journal, and the one that leads runs the *leader*, which decides by core's coordinator. Letters
//! between them go over the sessions of `ractor_cluster`, blobs and questions over HTTP, who is
//! there is gossip.

mod agent;
mod api;
pub mod api_types;
mod directory;
mod envelope;
pub mod founding;
pub(crate) mod fuzzing;
mod identity;
mod leader;
mod letter;
pub mod library;
pub mod node;
pub mod post;
pub mod sessions;
mod transport;
mod workshop;

pub use identity::IdentityError;
pub use workshop::MakeBench;
