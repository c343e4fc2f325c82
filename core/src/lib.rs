//! The deciding half of Wallaby: a study as pure state machines.
//!
//! Nothing here reads a clock, draws randomness, touches a file or runs a task. Time and events
//! come in as arguments, commands and journal records come out, and replay is a fold over records.
//! See `ARCHITECTURE.md` for the map.

pub mod cluster;
pub mod engine;
pub mod hop;
pub mod ids;
pub mod invariants;
pub mod journal;
pub mod makespan;
pub mod membership;
pub mod parameter;
pub mod policy;
pub mod search;
pub mod seed;
pub mod simulation;
pub mod space;
pub mod spec;
pub mod study;
#[cfg(test)]
mod testing;
pub mod trial;
pub mod unit;
pub mod value;
