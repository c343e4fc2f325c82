//! Two studies at once.

use super::evidence::Allowed;
use super::harness::Layout;
use super::reference::Plot;
use super::waiting::{DEADLINE, await_some, holds};

#[test]
fn two_studies_share_the_slots_by_their_priorities() {
    let mut cluster = Layout { slots: 2, ..Layout::voters(2 + 1, "delay:120") }.start();
    let humble = Plot { name: "humble", ..Plot::default() };
    let urgent = Plot { name: "urgent", ..Plot::default() };
    cluster.submit(&humble, &["--priority", "10"]);
    cluster.await_units(humble.name, 5);
    cluster.submit(&urgent, &["--priority", "20"]);
    let slots = cluster.nodes().len() as u32 * 2;
    await_some(
        "the urgent one has two thirds of the slots, the humble one the rest",
        DEADLINE,
        || {
            let (less, more) = (cluster.study(humble.name)?, cluster.study(urgent.name)?);
            let in_use = (less.slots_in_use, more.slots_in_use);
            assert!(
                in_use.0 + in_use.1 <= slots,
                "more slots are in use than there are: {in_use:?}"
            );
            holds(in_use == (slots / 3, slots * 2 / 3), || format!("slots in use: {in_use:?}"))
        },
    );
    cluster.conclude_allowing(&[&humble, &urgent], &Allowed::default());
}
