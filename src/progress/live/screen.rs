//! The terminal part of the live view: replaces the lines that it drew last by new ones, and lets
//! others write above them. Decides nothing about what the lines say.
//!
//! Between two frames the terminal is as any program leaves it: cursor shown, below the view, at
//! the start of a line. So nothing has to be put right when the process ends, not even by
//! `kill -9`.

use super::layout::Size;
use super::line::{Line, Tone};
use console::{Style, Term};
use std::io;

/// The view on a terminal.
pub(crate) struct Screen {
    term: Term,
    colours: bool,
    /// The widths of the lines that stand there.
    drawn: Vec<usize>,
    /// The size of the terminal when something was drawn last.
    size: Option<Size>,
    /// The size before the terminal became smaller and pushed lines off its top. Until it has that
    /// size again they may come back, and nobody tells whether they do.
    pushed_off: Option<Size>,
}

impl Screen {
    /// Draws on `term` (which should be buffered: a frame is written at once).
    pub(crate) fn new(term: Term, colours: bool) -> Self {
        Self { term, colours, drawn: Vec::new(), size: None, pushed_off: None }
    }

    /// Whether nothing of the view is to be seen.
    pub(crate) fn is_blank(&self) -> bool {
        self.drawn.is_empty()
    }

    /// The size of the terminal at this moment.
    pub(crate) fn size(&self) -> Size {
        let (rows, columns) = self.term.size();
        Size { columns: columns.into(), rows: rows.into() }
    }

    /// Replaces the view by `lines`, and leaves `above` behind on top of them for good.
    pub(crate) fn draw(&mut self, above: &[String], lines: &[Line], size: Size) {
        // A terminal that has gone away is no reason to stop the study.
        let _ = self.write(above, lines, size);
        self.note_size(size);
        self.drawn = lines.iter().map(Line::width).collect();
    }

    /// Takes the view away.
    pub(crate) fn erase(&mut self, size: Size) {
        if !self.is_blank() {
            self.draw(&[], &[], size);
        }
    }

    /// Leaves what stands there behind: somebody else has written below.
    pub(crate) fn abandon(&mut self) {
        self.drawn.clear();
    }

    /// The cursor is never hidden: a process may be killed in the middle of a frame.
    fn write(&self, above: &[String], lines: &[Line], size: Size) -> io::Result<()> {
        if self.pushed_off.is_some() && self.size.is_some_and(|before| size.exceeds(before)) {
            self.term.clear_screen()?;
        } else {
            self.term.move_cursor_up(rows(&self.drawn, size).min(reachable(size)))?;
        }
        for text in above {
            self.term.clear_line()?;
            self.term.write_line(&harmless(text))?;
        }
        for line in lines {
            self.term.clear_line()?;
            self.term.write_line(&self.painted(line))?;
        }
        self.term.clear_to_end_of_screen()?;
        self.term.show_cursor()?;
        self.term.flush()
    }

    /// Keeps in mind whether lines have been pushed off.
    fn note_size(&mut self, size: Size) {
        let before = self.size.replace(size).unwrap_or(size);
        let is_off = before != size && rows(&self.drawn, size) > reachable(size);
        let whole = self.pushed_off.or(is_off.then_some(before));
        self.pushed_off = whole.filter(|whole| whole.exceeds(size));
    }

    fn painted(&self, line: &Line) -> String {
        let style = match line.tone {
            Tone::Plain => return line.text.clone(),
            Tone::Progress => Style::new().cyan(),
            Tone::Strong => Style::new().bold(),
            Tone::Dim => Style::new().dim(),
        };
        style.force_styling(self.colours).apply_to(&line.text).to_string()
    }
}

/// How many rows lines of these widths take by now: a terminal that was made narrower has wrapped
/// them.
fn rows(widths: &[usize], size: Size) -> usize {
    let columns = size.columns.max(1);
    widths.iter().map(|width| width.div_ceil(columns).max(1)).sum()
}

/// How many rows there are above the cursor's; what has scrolled off the top is out of reach.
fn reachable(size: Size) -> usize {
    size.rows.saturating_sub(1)
}

/// Text that others chose, without what would steer the terminal.
fn harmless(text: &str) -> String {
    let indented = text.replace('\n', "\n      ");
    indented.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

#[cfg(unix)]
#[cfg(test)]
#[path = "screen_tests.rs"]
mod tests;
