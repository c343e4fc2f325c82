//! The deciding half of Wallaby: a study as pure state machines.
//!
//! Nothing here reads a clock, draws randomness, touches a file or runs a task. Time and events
//! come in as arguments, commands and journal records come out, and replay is a fold over records.
//! See `ARCHITECTURE.md` for the map.

pub mod ids;
pub mod parameter;
pub mod seed;
pub mod space;
pub mod spec;
pub mod value;
