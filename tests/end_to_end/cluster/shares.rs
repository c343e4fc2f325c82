//! Two studies at once.

use super::evidence::Allowed;
use super::harness::Layout;
use super::reference::Plot;
use super::waiting::{DEADLINE, await_some, holds};

#[test]
fn two_studies_share_the_slots_by_their_priorities() {
    let mut cluster = Layout { slots: 2, ..Layout::voters(2 + 1, "delay:120") }.start();
    // Far from over when the urgent one comes, also on a machine that is slow to bring it.
    let humble = Plot { name: "humble", epochs: 12, ..Plot::default() };
    let urgent = Plot { name: "urgent", epochs: 4, ..Plot::default() };
    cluster.submit(&humble, &["--priority", "10"]);
    cluster.await_units(humble.name, 5);
    cluster.submit(&urgent, &["--priority", "20"]);
    let slots = cluster.nodes().len() as u32 * 2;
    await_some(
        "the urgent one has two thirds of the slots, the humble one the rest",
        DEADLINE,
        || {
            let studies = cluster.studies()?;
            let in_use = |plot: &Plot| {
                let found = studies.iter().find(|study| study.name == plot.name);
                found.map_or(0, |study| study.slots_in_use)
            };
            let in_use = (in_use(&humble), in_use(&urgent));
            assert!(
                in_use.0 + in_use.1 <= slots,
                "more slots are in use than there are: {in_use:?}"
            );
            holds(in_use == (slots / 3, slots * 2 / 3), || format!("slots in use: {in_use:?}"))
        },
    );
    cluster.conclude_allowing(&[&humble, &urgent], &Allowed::default());
}
