//! Records of a run's journal and of a cluster's, and what folds them.
#![no_main]

use wallaby_core::cluster::{Catalog, ClusterRecord, StudyId};
use wallaby_core::journal::Entry;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // By their bytes: a number that is none differs from itself.
    if let Ok(entry) = Entry::decode(bytes) {
        let again = entry.encode();
        assert_eq!(Entry::decode(&again).expect("a record survives its bytes").encode(), again);
        let mut catalog = Catalog::default();
        let _ = catalog.apply(&ClusterRecord::Study { study: StudyId(0), entry });
    }
    if let Ok(record) = ClusterRecord::decode(bytes) {
        let again = record.encode();
        let decoded = ClusterRecord::decode(&again).expect("a record survives its bytes");
        assert_eq!(decoded.encode(), again);
        let _ = Catalog::default().apply(&record);
    }
});
