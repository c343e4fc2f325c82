//! How the live view looks: from what is known and the size of the terminal to lines. A pure
//! function; what does not fit is left out in a fixed order, and the slots left out are counted.

use super::board::{Board, Count};
use super::line::{Line, Tone};
use super::slot_table::SlotTable;
use crate::progress::{duration, number};
use wallaby_core::ids::Moment;

/// The bar is no longer than that, however wide the terminal.
const BAR_MAX: usize = 40;

/// A shorter bar shows nothing.
const BAR_MIN: usize = 8;

/// The size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

impl Size {
    /// Whether it is larger than `other` in either direction.
    pub(crate) fn exceeds(self, other: Size) -> bool {
        self.columns > other.columns || self.rows > other.rows
    }
}

/// The lines of the view, top down. They leave the last column and the last row free, so that
/// nothing wraps and nothing scrolls, and a sixth of the rows for what stands above.
pub(crate) fn lines(board: &Board, now: Moment, size: Size) -> Vec<Line> {
    let width = size.columns.saturating_sub(1);
    let room = size.rows.saturating_sub(1 + size.rows / 6).max(1);
    let mut lines = vec![
        Line::new(&progress(board, now, width), Tone::Progress, width),
        Line::new(&best(board), Tone::Strong, width),
        Line::new(&trials(board), Tone::Plain, width),
    ];
    // A slot is worth more than the count of trials, and that more than nothing.
    lines.truncate(room.saturating_sub(2).clamp(1, 3));
    lines.extend(slots(board, now, width, room - lines.len()));
    lines
}

/// `37%  ███░░░░░  left 12s`.
fn progress(board: &Board, now: Moment, width: usize) -> String {
    let percent = format!("{:>3}%", (100.0 * board.mark.done).floor());
    let after = after_the_bar(board, now);
    let room = width.saturating_sub(percent.len() + after.chars().count() + 4);
    if room < BAR_MIN {
        return format!("{percent}  {after}");
    }
    let length = room.min(BAR_MAX);
    let full = (board.mark.done.clamp(0.0, 1.0) * length as f64).floor() as usize;
    format!("{percent}  {}{}  {after}", "█".repeat(full), "░".repeat(length - full))
}

fn after_the_bar(board: &Board, now: Moment) -> String {
    if board.pausing {
        return "pausing after the units at hand".to_owned();
    }
    let Some(left) = board.mark.seconds_left else { return "left ?".to_owned() };
    let since = now.millis_since(board.marked) as f64 / 1000.0;
    format!("left {}", duration((left - since).max(0.0).ceil()))
}

fn best(board: &Board) -> String {
    match &board.best {
        Some((trial, best)) => {
            format!("best  {} {} ({trial}, {})", board.metric, number(best.value), best.epoch)
        }
        None => "best  none yet".to_owned(),
    }
}

fn trials(board: &Board) -> String {
    let count = &board.count;
    let early: Vec<String> = [(count.failed, "failed"), (count.stopped, "stopped")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let early = if early.is_empty() { String::new() } else { format!(" ({})", early.join(", ")) };
    let Count { ended, expected, under_way, .. } = count;
    format!("{ended} of {expected} trials ended{early}, {under_way} under way")
}

/// One line for each slot, or for as many as fit and one for the others.
fn slots(board: &Board, now: Moment, width: usize, room: usize) -> Vec<Line> {
    let all = board.slots as usize;
    let shown = if all <= room { all } else { room.saturating_sub(1) };
    let table = SlotTable::new(board, width);
    let mut lines: Vec<Line> = (0..shown as u32).map(|slot| table.line(slot, now)).collect();
    if shown < all && room > 0 {
        let slots = if all - shown == 1 { "slot" } else { "slots" };
        let more = format!("… and {} more {slots}", all - shown);
        lines.push(Line::new(&more, Tone::Dim, width));
    }
    lines
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
