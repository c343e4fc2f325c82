//! Wallaby: fault-tolerant hyper-parameter optimisation by model hopper parallelism.
//!
//! The library behind the `wallaby` command. It joins the crates that decide, act, train and
//! read; it does none of that itself.

pub mod study_file;
