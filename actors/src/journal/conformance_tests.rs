//! The conformance suite that openraft gives for stores, run on this one.

use super::journal_tests::{folder, in_folder};
use super::log::Log;
use super::machine::Machine;
use super::raft::{StorageError, Types};
use super::store::Store;
use super::{opening, store};
use openraft::testing::{StoreBuilder, Suite};
use std::sync::Arc;
use tempfile::TempDir;

struct Fresh;

impl StoreBuilder<Types, Log, Machine, TempDir> for Fresh {
    async fn build(&self) -> Result<(TempDir, Log, Machine), StorageError> {
        let folder = folder();
        let path = in_folder(&folder);
        opening::create_if_missing(&path).map_err(store::write_failed)?;
        let opened = opening::open(&path).map_err(store::write_failed)?;
        let store = Arc::new(Store::new(path, opened.database));
        Ok((folder, Log::new(Arc::clone(&store)), Machine::new(store)))
    }
}

#[test]
fn log_and_state_machine_keep_every_promise_that_raft_relies_on() {
    Suite::test_all(Fresh).unwrap();
}
