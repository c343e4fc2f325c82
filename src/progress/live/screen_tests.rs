//! What a terminal shows after frames were drawn on it, told by a terminal emulator.

use super::*;
use std::fs::{self, File};
use std::num::NonZero;
use tempfile::NamedTempFile;
use vt100::Parser;

const SIZE: Size = Size { columns: 20, rows: 6 };

fn length(characters: usize) -> NonZero<u16> {
    NonZero::new(characters as u16).unwrap()
}

/// A screen that writes to a file.
struct Rig {
    file: NamedTempFile,
    screen: Screen,
}

impl Rig {
    fn new(colours: bool) -> Self {
        let file = NamedTempFile::new().unwrap();
        let write = file.reopen().unwrap();
        let term = Term::read_write_pair(File::open(file.path()).unwrap(), write);
        Self { file, screen: Screen::new(term, colours) }
    }

    fn draw(&mut self, above: &[&str], lines: &[&str]) {
        let above: Vec<String> = above.iter().map(|text| (*text).to_owned()).collect();
        let lines: Vec<Line> = lines.iter().map(|text| Line::new(text, Tone::Strong, 19)).collect();
        self.screen.draw(&above, &lines, SIZE);
    }

    fn written(&self) -> Vec<u8> {
        // The terminal turns line feeds into carriage return and line feed.
        let text = fs::read_to_string(self.file.path()).unwrap();
        text.replace('\n', "\r\n").into_bytes()
    }

    fn shown(&self) -> String {
        let mut terminal = Parser::new(length(SIZE.rows), length(SIZE.columns), 0);
        terminal.process(&self.written());
        assert!(!terminal.screen().hide_cursor(), "the cursor is shown between frames");
        assert_eq!(terminal.screen().cursor_position().1, 0, "no line is half written");
        terminal.screen().contents()
    }
}

#[test]
fn a_frame_replaces_the_one_before_also_if_it_is_shorter() {
    let mut rig = Rig::new(false);
    rig.draw(&[], &["one", "two", "three"]);
    assert_eq!(rig.shown(), "one\ntwo\nthree");
    rig.draw(&[], &["four"]);
    assert_eq!(rig.shown(), "four");
    rig.draw(&[], &["five", "six"]);
    assert_eq!(rig.shown(), "five\nsix");
}

#[test]
fn news_stay_above_when_the_view_goes() {
    let mut rig = Rig::new(false);
    rig.draw(&["news"], &["view"]);
    rig.draw(&["more news"], &["view", "view"]);
    assert_eq!(rig.shown(), "news\nmore news\nview\nview");
    rig.screen.erase(SIZE);
    assert!(rig.screen.is_blank());
    assert_eq!(rig.shown(), "news\nmore news");
}

#[test]
fn news_that_do_not_fit_scroll_off_the_top() {
    let mut rig = Rig::new(false);
    for number in 0..9 {
        rig.draw(&[&format!("news {number}")], &["view", "view"]);
    }
    assert_eq!(rig.shown(), "news 6\nnews 7\nnews 8\nview\nview");
}

#[test]
fn an_abandoned_view_is_not_drawn_over() {
    let mut rig = Rig::new(false);
    rig.draw(&[], &["view"]);
    rig.screen.abandon();
    rig.draw(&[], &["next"]);
    assert_eq!(rig.shown(), "view\nnext");
}

/// Draws `lines` on a terminal of so many rows that shows `before`; what it shows then.
fn drawn_over(rig: &mut Rig, before: &str, rows: usize, lines: &[&str]) -> String {
    let written = rig.written().len();
    let lines: Vec<Line> = lines.iter().map(|text| Line::new(text, Tone::Plain, 19)).collect();
    rig.screen.draw(&[], &lines, Size { rows, ..SIZE });
    let mut terminal = Parser::new(length(rows), length(SIZE.columns), 0);
    terminal.process(before.as_bytes());
    terminal.process(&rig.written()[written..]);
    terminal.screen().contents()
}

#[test]
fn a_lower_terminal_keeps_what_it_can_of_the_view_and_a_higher_one_shows_no_old_lines() {
    let mut rig = Rig::new(false);
    assert_eq!(drawn_over(&mut rig, "", 8, &["1", "2", "3", "4", "5"]), "1\n2\n3\n4\n5");
    // Two lines are pushed off the top.
    let lower = drawn_over(&mut rig, "3\r\n4\r\n5\r\n", 4, &["a", "b"]);
    assert_eq!(lower, "a\nb");
    // They are still away, and nothing is to be cleared.
    assert_eq!(drawn_over(&mut rig, "mine\r\na\r\nb\r\n", 4, &["c"]), "mine\nc");
    // They come back.
    let higher = drawn_over(&mut rig, "1\r\n2\r\nc\r\n", 8, &["d", "e", "f"]);
    assert_eq!(higher, "d\ne\nf");
    // From now on all is as before.
    assert_eq!(drawn_over(&mut rig, "mine\r\nd\r\ne\r\nf\r\n", 8, &["g"]), "mine\ng");
}

#[test]
fn without_colours_nothing_but_the_cursor_is_steered() {
    let mut rig = Rig::new(false);
    rig.draw(&[], &["view"]);
    assert!(!rig.written().ends_with(b"m") && !rig.written().windows(2).any(|two| two == b"1m"));
    let mut rig = Rig::new(true);
    rig.draw(&[], &["view"]);
    assert!(rig.written().windows(4).any(|four| four == b"\x1b[1m"));
}

#[test]
fn text_of_others_does_not_steer_the_terminal() {
    assert_eq!(harmless("a\x1b[2Jb\r\tc\nd"), "a [2Jb  c\n      d");
}

#[test]
fn a_narrower_terminal_has_wrapped_the_lines_that_stand_there() {
    let size = |columns, rows| Size { columns, rows };
    assert_eq!(rows(&[79, 40, 0], size(80, 24)), 3);
    assert_eq!(rows(&[79, 40, 0], size(40, 24)), 4);
    assert_eq!(rows(&[79, 79, 79], size(10, 8)), 24);
    assert_eq!(reachable(size(10, 8)), 7, "what scrolled off is out of reach");
    assert_eq!((rows(&[5], size(0, 0)), reachable(size(0, 0))), (5, 0));
}
