//! The acting half of Wallaby: a node of the cluster as actors.
//!
//! The [`node::Node`] starts a supervisor, and that the others: the scheduler carries out what
//! core's engine decides, the journal makes it durable, trainers compute on threads of their own,
//! the courier looks after blobs. No handler decides or blocks. See `ARCHITECTURE.md`.

pub mod black_box;
pub mod blobs;
pub mod clock;
pub mod cluster;
pub mod courier;
pub mod exchange;
pub mod fault;
#[doc(hidden)]
pub mod fuzzing;
pub mod journal;
pub mod journal_actor;
pub mod node;
pub mod partitions;
pub mod running;
pub mod scheduler;
pub mod supervisor;
pub mod trainer;
pub mod workbench;

#[cfg(test)]
mod test_disk;
