//! Reads training data and cuts it into partitions. Knows formats, never models or machines.
//!
//! The way of the data: a [`CsvSource`] is read into a [`Table`], and the table is split into a
//! [`DataSet`]: training [`Partition`]s and one validation partition, all of one [`Problem`].

mod cell;
mod column;
pub mod csv_source;
pub mod data_set;
pub mod error;
mod gather;
mod input;
mod lines;
pub mod partition;
mod partition_bytes;
pub mod problem;
mod quotes;
mod records;
pub mod scaling;
mod shuffle;
pub mod split;
pub mod table;
mod target_column;
pub mod target_scaling;
mod unlabelled;

pub use column::Column;
pub use csv_source::{ColumnRef, CsvSource};
pub use data_set::DataSet;
pub use error::DataError;
pub use partition::{Partition, Target};
pub use partition_bytes::PartitionError;
pub use problem::{Problem, Task};
pub use scaling::Scaling;
pub use split::{Split, TaskKind};
pub use table::Table;
pub use target_scaling::TargetScaling;
