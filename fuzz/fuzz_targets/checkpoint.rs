//! Checkpoints, as they come from other nodes and from disks. Their digest is not asked for: the
//! bytes reach it only after everything else has been read.
#![no_main]

use wallaby_train::weights_only;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(weights) = weights_only(bytes) {
        assert_eq!(weights_only(bytes).expect("as before"), weights);
        assert!(weights_only(&weights).is_err(), "weights alone are no checkpoint");
    }
});
