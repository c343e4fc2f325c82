//! When a terminal whose size changes can be drawn on again.

use super::layout::Size;
use std::time::{Duration, Instant};

/// For how long a terminal must have kept its size. A multiplexer wraps what stands there at once
/// and tells of the new size up to a quarter of a second later; a frame drawn in between counts
/// the rows of the view wrongly and leaves some of them behind.
const SETTLED: Duration = Duration::from_millis(300);

/// The size of a terminal as it was seen from frame to frame.
#[derive(Debug, Default)]
pub(crate) struct Resizing {
    size: Option<Size>,
    changed: Option<Instant>,
}

impl Resizing {
    /// Whether the terminal, now of this size, is not to be drawn on yet.
    pub(crate) fn goes_on(&mut self, size: Size, now: Instant) -> bool {
        if self.size.replace(size).is_some_and(|before| before != size) {
            self.changed = Some(now);
        }
        self.changed.is_some_and(|changed| now.duration_since(changed) < SETTLED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_drawn_on_at_once_and_again_when_its_size_has_held() {
        let began = Instant::now();
        let at = |millis| began + Duration::from_millis(millis);
        let (wide, narrow) = (Size { columns: 80, rows: 24 }, Size { columns: 50, rows: 24 });
        let mut resizing = Resizing::default();
        let seen = [
            (wide, 0, false),
            (wide, 100, false),
            (narrow, 200, true),
            (narrow, 300, true),
            (wide, 400, true),
            (wide, 600, true),
            (wide, 700, false),
            (wide, 800, false),
        ];
        for (size, millis, expected) in seen {
            assert_eq!(resizing.goes_on(size, at(millis)), expected, "after {millis} ms");
        }
    }
}
