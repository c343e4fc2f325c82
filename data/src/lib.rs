//! Reads training data and cuts it into partitions. Knows formats, never models or machines.

pub mod partition;
pub mod problem;

pub use partition::{Partition, Target};
pub use problem::{Problem, Task};
