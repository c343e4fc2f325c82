//! The real program, driven as its users and its accidents drive it: studies run, killed, paused,
//! damaged and resumed, one claim a test. Every wait has a deadline; nothing sleeps.
//!
//! Only on systems with signals; what needs more (a disk to fill) says so when it is skipped.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod browser;
mod clean;
mod cluster;
mod cluster_double;
mod crashes;
mod damaged_blobs;
mod damaged_journals;
mod dev_cluster;
mod digits;
mod export;
mod faults;
mod full_disk;
mod large_run;
mod listing;
mod live_view;
mod mistakes;
mod odd_studies;
mod output;
mod own_model;
mod pauses;
mod predict;
mod process;
mod remote_studies;
mod report;
mod reproducibility;
mod run_folders;
mod run_record;
mod sandbox;
mod searches;
mod small_disk;
mod verification;
mod wall_clock;
mod wrong_input;
