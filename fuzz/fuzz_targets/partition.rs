//! Partitions, as they come from other nodes and from disks: one form for each.
#![no_main]

use wallaby_data::Partition;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(partition) = Partition::from_bytes(bytes) {
        assert_eq!(partition.to_bytes(), bytes);
    }
});
