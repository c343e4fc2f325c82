//! A cluster that nobody hurts: what the checker says of it must be flawless.

use super::evidence::Allowed;
use super::harness::Layout;
use super::reference::Plot;

#[test]
fn three_nodes_that_nobody_hurts_pass_every_check_and_leave_no_garbage() {
    let mut cluster = Layout::voters(3, "").start();
    let plot = Plot::default();
    cluster.submit(&plot, &[]);
    let checked = cluster.conclude_allowing(&[&plot], &Allowed::without_garbage());
    assert_eq!((checked.repeated, checked.failures), (0, 0), "nothing was done twice: {checked:?}");
}
