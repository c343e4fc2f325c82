//! The live view on a real terminal: `script` (of util-linux) makes one, an emulator tells what it
//! shows. Says so and skips where there is no `script`.

use crate::process::{Finished, Invocation, Process};
use crate::sandbox::Sandbox;
use std::io::Write;
use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use vt100::Parser;

const ROWS: NonZero<u16> = NonZero::new(24).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(80).unwrap();

/// `wallaby run study.toml --run RUN` on a terminal; notes its process in the file `pid`,
/// its terminal in the file `tty`.
fn on_terminal(sandbox: &Sandbox, run: &str, arguments: &str) -> Option<Invocation> {
    if Command::new("script").arg("--version").output().is_err() {
        // Past the test runner, which keeps what is printed to itself.
        let words = b"SKIPPED: the live view on a terminal, as there is no `script` here\n";
        std::io::stderr().write_all(words).unwrap();
        return None;
    }
    let program = env!("CARGO_BIN_EXE_wallaby");
    let inside = format!(
        "stty rows {ROWS} cols {COLUMNS}; echo $$ > pid; tty > tty; \
         exec '{program}' run study.toml --run {run} {arguments}"
    );
    let arguments = ["-q", "-e", "-f", "-c", &inside, "/dev/null"];
    let invocation = Invocation::new(Path::new("script"), &sandbox.path(""), &arguments);
    let invocation = invocation.variable("TERM", "xterm-256color").without("NO_COLOR");
    Some(invocation.without("WALLABY_LOG").variable("SHELL", "/bin/sh"))
}

/// Waits until a frame shows `words`.
fn await_frame(process: &mut Process, words: &str) {
    while let Some(line) = process.next_line() {
        if line.contains(words) {
            return;
        }
    }
    panic!("it ended before it showed {words:?}");
}

fn signal(sandbox: &Sandbox, name: &str) {
    let kill = format!("kill -{name} {}", sandbox.read("pid").trim());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
}

/// What stands on the terminal at the end, which is in order: the last thing said about the cursor
/// is that it is shown, and it stands at the start of a line.
#[track_caller]
fn last_screen(finished: &Finished) -> String {
    let mut terminal = Parser::new(ROWS, COLUMNS, 0);
    terminal.process(finished.out.as_bytes());
    let (screen, out) = (terminal.screen(), &finished.out);
    assert_eq!(out.rfind("\x1b[?25").map(|at| &out[at..at + 6]), Some("\x1b[?25h"), "{out:?}");
    assert_eq!(screen.cursor_position().1, 0, "{out:?}");
    screen.contents()
}

/// Nothing of the view is left on the terminal.
#[track_caller]
fn assert_no_leftovers(screen: &str) {
    for leftover in ["█", "░", "slot 0", "under way", "best  "] {
        assert!(!screen.contains(leftover), "{leftover:?} is left:\n{screen}");
    }
}

#[test]
fn the_view_shows_slots_and_leaves_only_the_results() {
    let sandbox = Sandbox::new();
    let Some(invocation) = on_terminal(&sandbox, "run", "") else { return };
    let finished = invocation.faults("delay:20,panic:3").finish().expect(0);
    assert!(finished.out.contains("slot 0  trial "), "{finished:#?}");
    assert!(finished.out.contains("\x1b[1mbest  accuracy "), "{finished:#?}");
    let screen = last_screen(&finished);
    assert_no_leftovers(&screen);
    assert!(screen.starts_with("running small in run: "), "{screen}");
    assert_eq!(screen.matches("\ntrial 3 failed; the study goes on\n").count(), 1, "{screen}");
    assert!(screen.contains("\nresults in run: best/"), "{screen}");
}

#[test]
fn a_terminal_that_is_resized_in_the_middle_gets_a_view_that_fits() {
    let sandbox = Sandbox::new();
    let Some(invocation) = on_terminal(&sandbox, "run", "") else { return };
    let mut process = invocation.faults("delay:100").start();
    await_frame(&mut process, "slot 0  trial ");
    for (columns, expected) in [(40, "s0  t"), (100, "slot 0  trial ")] {
        let resize = format!("stty -F {} cols {columns}", sandbox.read("tty").trim());
        assert!(Command::new("sh").args(["-c", &resize]).status().unwrap().success(), "{resize}");
        await_frame(&mut process, expected);
    }
    let finished = process.finish().expect(0);
    assert_no_leftovers(&last_screen(&finished));
}

#[test]
fn the_ranking_fits_the_terminal() {
    let sandbox = Sandbox::new();
    let searched = "--set search.space.dropout=[0.0,0.25] --set 'search.space.hidden=[[64,32,16],[8]]' \
                    --set 'search.space.activation=[\"relu\",\"leaky_relu\"]' \
                    --set search.space.batch_size=[8,16]";
    let Some(invocation) = on_terminal(&sandbox, "run", searched) else { return };
    let finished = invocation.finish().expect(0);
    let table = finished.out.rsplit_once("\nrank ").unwrap().1;
    assert!(table.lines().all(|line| line.trim_end().chars().count() <= 80), "{table}");
    assert!(last_screen(&finished).contains("more columns in trials.csv\n"), "{table}");
    let whole = sandbox.study("run", &[]).finish();
    assert!(!whole.out.contains("more columns"), "{whole:#?}");
}

#[test]
fn a_pause_leaves_a_clean_terminal() {
    let sandbox = Sandbox::new();
    let Some(invocation) = on_terminal(&sandbox, "run", "") else { return };
    let mut process = invocation.faults("delay:50").start();
    await_frame(&mut process, "slot 0  trial ");
    signal(&sandbox, "INT");
    let finished = process.finish().expect(12);
    let screen = last_screen(&finished);
    assert_no_leftovers(&screen);
    assert!(screen.contains("\nwallaby: pausing after the units at hand"), "{screen}");
    assert!(screen.ends_with("`wallaby resume run` goes on"), "{screen}");
}

#[test]
fn a_second_signal_leaves_a_clean_terminal() {
    let sandbox = Sandbox::new();
    let Some(invocation) = on_terminal(&sandbox, "run", "") else { return };
    let mut process = invocation.faults("delay:600000").start();
    await_frame(&mut process, "slot 0  trial ");
    signal(&sandbox, "INT");
    await_frame(&mut process, "pausing after the units at hand\x1b");
    signal(&sandbox, "INT");
    let finished = process.finish().expect(130);
    let screen = last_screen(&finished);
    assert_no_leftovers(&screen);
    assert!(screen.ends_with("once more to leave at once"), "{screen}");
}

#[test]
fn a_process_that_dies_leaves_the_cursor_shown_and_below_its_last_frame_if_that_is_whole() {
    let sandbox = Sandbox::new();
    for (faults, name) in [("delay:100", Some("KILL")), ("delay:100,abort:0:2", None)] {
        let run = name.unwrap_or("abort");
        let Some(invocation) = on_terminal(&sandbox, run, "") else { return };
        let mut process = invocation.faults(faults).start();
        await_frame(&mut process, "slot 0  trial ");
        name.iter().for_each(|name| signal(&sandbox, name));
        let finished = process.finish();
        // It may die in the middle of a frame.
        if finished.out.ends_with("\x1b[?25h") {
            last_screen(&finished);
        }
        assert!(!finished.out.contains("\x1b[?25l"), "{:?}", finished.out);
        sandbox.wallaby(&["resume", run]).finish().expect(0);
    }
}

#[test]
fn a_plain_manner_a_dumb_terminal_and_diagnostics_get_plain_lines() {
    let sandbox = Sandbox::new();
    for (run, arguments, (name, value)) in [
        ("plain", "--plain", ("TERM", "xterm")),
        ("dumb", "", ("TERM", "dumb")),
        ("diagnostics", "", ("WALLABY_LOG", "off")),
    ] {
        let Some(invocation) = on_terminal(&sandbox, run, arguments) else { return };
        let finished = invocation.variable(name, value).finish().expect(0);
        assert!(!finished.out.contains('\x1b'), "{run}: {finished:#?}");
        assert!(finished.out.contains("  epoch 3/3  accuracy "), "{run}: {finished:#?}");
    }
}

#[test]
fn no_color_is_respected() {
    let sandbox = Sandbox::new();
    let Some(invocation) = on_terminal(&sandbox, "run", "") else { return };
    let finished = invocation.variable("NO_COLOR", "1").faults("delay:20").finish().expect(0);
    assert!(finished.out.contains("slot 0  "), "{finished:#?}");
    let mut codes = finished.out.split("\x1b[").skip(1);
    assert!(codes.all(|code| code.trim_start_matches(|c: char| !c.is_alphabetic()).get(..1) != Some("m")));
    assert_no_leftovers(&last_screen(&finished));
}
