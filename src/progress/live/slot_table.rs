//! The slots as a table whose columns stay where they are: their widths follow from the study and
//! the terminal, never from the values of the moment.

use super::board::Board;
use super::line::{Line, Tone};
use crate::progress::{duration, number};
use wallaby_actors::running::Running;
use wallaby_core::ids::Moment;
use wallaby_core::unit::Step;

/// How much room a value takes: `-1.234e-10`.
const LOSS_WIDTH: usize = 9;

/// How much room a rate takes: `999.9k`.
const RATE_WIDTH: usize = 6;

/// Whether values have their names beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Long,
    Short,
}

/// The forms to try, widest first, each with the number of columns kept: the time goes first,
/// then the rate, then the loss.
const FORMS: [(Form, usize); 6] = [
    (Form::Long, 7),
    (Form::Long, 6),
    (Form::Short, 7),
    (Form::Short, 6),
    (Form::Short, 5),
    (Form::Short, 4),
];

/// Makes the lines of slots.
pub(crate) struct SlotTable<'a> {
    board: &'a Board,
    width: usize,
    form: Form,
    columns: usize,
}

impl<'a> SlotTable<'a> {
    /// In the widest form that fits into `width` columns.
    pub(crate) fn new(board: &'a Board, width: usize) -> Self {
        let fits = |(form, columns): &(Form, usize)| {
            let widths = &widths(board, *form)[..*columns];
            widths.iter().sum::<usize>() + 2 * (columns - 1) <= width
        };
        let narrowest = FORMS[FORMS.len() - 1];
        let (form, columns) = FORMS.into_iter().find(fits).unwrap_or(narrowest);
        Self { board, width, form, columns }
    }

    /// What a slot does.
    pub(crate) fn line(&self, slot: u32, now: Moment) -> Line {
        let running = self.board.running.iter().find(|running| running.slot.index == slot);
        let (cells, tone) = match running {
            Some(running) => (self.cells(slot, running, now), Tone::Plain),
            None => (vec![self.slot(slot), "idle".to_owned()], Tone::Dim),
        };
        let widths = widths(self.board, self.form);
        let padded = cells.iter().zip(widths).take(self.columns);
        let padded: Vec<String> = padded.map(|(cell, width)| format!("{cell:<width$}")).collect();
        Line::new(&padded.join("  "), tone, self.width)
    }

    fn slot(&self, slot: u32) -> String {
        if let Some(place) = self.board.places.get(slot as usize) {
            return place.clone();
        }
        match self.form {
            Form::Long => format!("slot {slot}"),
            Form::Short => format!("s{slot}"),
        }
    }

    fn cells(&self, slot: u32, running: &Running, now: Moment) -> Vec<String> {
        let (unit, epochs) = (running.unit, self.board.epochs);
        let long = self.form == Form::Long;
        let [trial, epoch] = if long {
            [format!("{}", unit.trial), format!("{}/{epochs}", unit.epoch)]
        } else {
            [format!("t{}", unit.trial.0), format!("e{}/{epochs}", unit.epoch.0)]
        };
        let step = match unit.step {
            step if long => step.to_string(),
            Step::Train(partition) => format!("p{}", partition.0),
            Step::Validate => "val".to_owned(),
        };
        let last = self.board.last_units.get(&unit.trial);
        let loss = last.map(|last| number(last.loss)).unwrap_or_else(|| "-".to_owned());
        let rate = last.map(|last| rate(last.rows_per_second)).unwrap_or_else(|| "-".to_owned());
        let [loss, rate] = match self.form {
            Form::Long => [format!("loss {loss}"), format!("{rate} rows/s")],
            Form::Short => [loss, format!("{rate}/s")],
        };
        let time = duration(now.millis_since(running.since) as f64 / 1000.0);
        vec![self.slot(slot), trial, epoch, step, loss, rate, time]
    }
}

/// The widths of all columns but the last, which is as wide as `59m59s`.
fn widths(board: &Board, form: Form) -> [usize; 7] {
    let slot = digits(u64::from(board.slots.saturating_sub(1)));
    let place = board.places.iter().map(|place| place.chars().count()).max();
    let trial = digits(board.count.expected.saturating_sub(1));
    let epoch = 2 * digits(u64::from(board.epochs)) + 1;
    let partition = digits(u64::from(board.partitions.saturating_sub(1)));
    match form {
        Form::Long => [
            place.unwrap_or("slot ".len() + slot),
            "trial ".len() + trial,
            "epoch ".len() + epoch,
            "validation".len().max("partition ".len() + partition),
            "loss ".len() + LOSS_WIDTH,
            RATE_WIDTH + " rows/s".len(),
            "59m59s".len(),
        ],
        Form::Short => [
            place.unwrap_or(1 + slot),
            1 + trial,
            1 + epoch,
            "val".len().max(1 + partition),
            LOSS_WIDTH,
            RATE_WIDTH + "/s".len(),
            "59m59s".len(),
        ],
    }
}

fn digits(number: u64) -> usize {
    number.to_string().len()
}

/// `870`, `12.3k`, `4.5M`.
fn rate(rows_per_second: f64) -> String {
    match rows_per_second {
        rate if rate < 999.5 => format!("{rate:.0}"),
        rate if rate < 999_950.0 => format!("{:.1}k", rate / 1e3),
        rate => format!("{:.1}M", rate / 1e6),
    }
}
