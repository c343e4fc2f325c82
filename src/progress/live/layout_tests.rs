//! The view as people see it, at the widths of ordinary and of small terminals.

use super::*;
use crate::progress::live::board::LastUnit;
use crate::progress::pace::Mark;
use wallaby_actors::running::Running;
use wallaby_core::ids::{Digest, Epoch, NodeId, PartitionId, SlotId, TrialId};
use wallaby_core::trial::Best;
use wallaby_core::unit::{Step, Unit};

const NOW: Moment = Moment(10_000_000);

fn running(slot: u32, trial: u32, step: Step, seconds: u64) -> Running {
    let unit = Unit { trial: TrialId(trial), epoch: Epoch(3), step };
    let slot = SlotId { node: NodeId(1), index: slot };
    Running { slot, unit, since: Moment(NOW.0 - 1000 * seconds) }
}

/// A study in the middle: trial 7 is in its first unit, slot 2 has nothing to do.
fn board(slots: u32) -> Board {
    let best = Best { epoch: Epoch(2), value: 0.98612, state: Digest([0; 32]) };
    let last = |loss, rows_per_second| LastUnit { loss, rows_per_second };
    Board {
        metric: "accuracy".to_owned(),
        epochs: 5,
        partitions: 8,
        slots,
        count: Count { expected: 16, under_way: 8, stopped: 2, failed: 1, ended: 5 },
        mark: Mark { done: 0.374, seconds_left: Some(20.0) },
        marked: Moment(NOW.0 - 8000),
        best: Some((TrialId(3), best)),
        last_units: [(TrialId(12), last(0.28484, 12_345.6)), (TrialId(1), last(3e-7, 87.2))].into(),
        running: vec![
            running(0, 12, Step::Train(PartitionId(4)), 1),
            running(1, 1, Step::Validate, 200),
            running(3, 7, Step::Train(PartitionId(0)), 0),
        ],
        ..Board::default()
    }
}

fn seen(board: &Board, columns: usize, rows: usize) -> String {
    let lines = lines(board, NOW, Size { columns, rows });
    assert!(lines.iter().all(|line| line.width() < columns), "{lines:?}");
    assert!(lines.len() < rows.max(2), "{lines:?}");
    "\n".to_owned() + &lines.into_iter().map(|line| line.text + "\n").collect::<String>()
}

#[test]
fn on_120_columns_everything_has_its_name() {
    let expected = "
 37%  ██████████████░░░░░░░░░░░░░░░░░░░░░░░░░░  left 12s
best  accuracy 0.9861 (trial 3, epoch 2)
5 of 16 trials ended (1 failed, 2 stopped), 8 under way
slot 0  trial 12  epoch 3/5  partition 4  loss 0.2848     12.3k rows/s   1s
slot 1  trial 1   epoch 3/5  validation   loss 3.000e-7   87 rows/s      3m20s
slot 2  idle
slot 3  trial 7   epoch 3/5  partition 0  loss -          - rows/s       0s
";
    assert_eq!(seen(&board(4), 120, 30), expected);
}

#[test]
fn on_80_columns_it_looks_the_same() {
    assert_eq!(seen(&board(4), 80, 24), seen(&board(4), 120, 30));
}

#[test]
fn on_40_columns_names_give_way_to_values() {
    let expected = "
 37%  ████████░░░░░░░░░░░░░░░  left 12s
best  accuracy 0.9861 (trial 3, epoch …
5 of 16 trials ended (1 failed, 2 stop…
s0  t12  e3/5  p4   0.2848     12.3k/s
s1  t1   e3/5  val  3.000e-7   87/s
s2  idle
s3  t7   e3/5  p0   -          -/s
";
    assert_eq!(seen(&board(4), 40, 24), expected);
}

#[test]
fn on_60_columns_short_names_leave_room_for_the_time() {
    let text = seen(&board(4), 60, 24);
    assert!(text.contains("\ns1  t1   e3/5  val  3.000e-7   87/s      3m20s\n"), "{text}");
}

#[test]
fn on_ten_rows_the_slots_that_do_not_fit_are_counted() {
    let text = seen(&board(64), 80, 10);
    assert_eq!(text.lines().count() - 1, 8, "{text}");
    assert!(text.ends_with("\n… and 60 more slots\n"), "{text}");
    assert!(text.contains("\nslot 3 "), "{text}");
}

#[test]
fn any_terminal_gets_at_least_the_bar_and_never_more_than_fits() {
    for columns in 1..130 {
        for rows in 1..40 {
            assert!(seen(&board(16), columns, rows).lines().count() >= 2);
        }
    }
    assert_eq!(seen(&board(4), 80, 2).trim_start().split("  ").next(), Some("37%"));
    assert!(seen(&board(9), 80, 3).contains("and 9 more slots"));
}

#[test]
fn columns_stay_where_they_are_whatever_the_slots_do() {
    let start = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("slot 0")).unwrap();
        ["loss", "rows/s"].map(|word| line.find(word))
    };
    let mut board = board(4);
    board.last_units.insert(TrialId(12), LastUnit { loss: -1.5e-9, rows_per_second: 87e3 });
    let before = start(&seen(&board, 80, 24));
    board.running[0] = running(0, 7, Step::Validate, 3000);
    let after = start(&seen(&board, 80, 24));
    assert_eq!(before[0], after[0]);
}

#[test]
fn the_time_left_runs_down_between_records_and_never_below_zero() {
    let mut board = board(4);
    board.marked = Moment(0);
    assert!(seen(&board, 80, 24).contains("  left 0s\n"));
    board.mark.seconds_left = None;
    assert!(seen(&board, 80, 24).contains("  left ?\n"));
}

#[test]
fn a_pause_takes_the_place_of_the_time_left() {
    let board = Board { pausing: true, best: None, ..board(4) };
    let text = seen(&board, 80, 24);
    assert!(text.contains("░  pausing after the units at hand\nbest  none yet\n"), "{text}");
}
