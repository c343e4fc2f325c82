//! The description of a study that is submitted: what passes the check can be run.
#![no_main]

use std::collections::BTreeMap;
use wallaby_core::engine::{Command, Engine, Event};
use wallaby_core::ids::{Digest, Moment, NodeId, PartitionId, Seq, Term};
use wallaby_core::journal::Creation;
use wallaby_core::membership::Offer;
use wallaby_core::study::Study;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(creation) = postcard::from_bytes::<Creation>(bytes) else { return };
    if creation.check().is_err() {
        return;
    }
    // More trials at once only take longer.
    if creation.spec.search.concurrency.is_some_and(|at_once| at_once > 64) {
        return;
    }
    let partitions: BTreeMap<PartitionId, u32> =
        (0..creation.manifest.partitions.len() as u32).map(|p| (PartitionId(p), 0)).collect();
    let study = Study::new(creation);
    let mut engine = Engine::new(study, Seq(1), Term(1), Digest::of(b"numerics"), Moment(1));
    let offer = Offer { slots: 2, partitions, validation: true };
    engine.handle(Moment(2), Event::NodeJoined { node: NodeId(1), boot: 1, offer });
    for step in 3..40 {
        while let Some(command) = engine.poll() {
            let event = match command {
                Command::Append { first, entries } => {
                    Event::Appended(Seq(first.0 + entries.len() as u64 - 1))
                }
                _ => continue,
            };
            engine.handle(Moment(step), event);
        }
        engine.handle(Moment(step), Event::Ticked);
    }
    assert_eq!(engine.violation(), None);
});
