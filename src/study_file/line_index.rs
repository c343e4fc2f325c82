//! Finds the line of a byte in a text. Knows nothing of formats.

use super::node::Origin;

/// The places where lines start.
pub(super) struct LineIndex(Vec<usize>);

impl LineIndex {
    pub(super) fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(std::iter::once(0).chain(breaks.map(|(place, _)| place + 1)).collect())
    }

    /// The line that holds the byte at `place`.
    pub(super) fn origin(&self, place: usize) -> Origin {
        let line = self.0.partition_point(|start| *start <= place);
        Origin::Line(u32::try_from(line).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_belongs_to_the_line_it_ends() {
        let index = LineIndex::of("ab\n\nc");
        let lines = [0, 2, 3, 4, 99].map(|place| index.origin(place));
        assert_eq!(lines, [1, 1, 2, 3, 3].map(Origin::Line));
    }
}
