//! Supervisor, scheduler, trainers and the replicated journal as actors.

pub mod journal;
