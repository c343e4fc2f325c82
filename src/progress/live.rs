//! The live view of a run on a terminal: progress, the best so far and a line for each slot, drawn
//! in place; what is out of the ordinary scrolls away above it, as plain lines would.
//!
//! Drawing happens on a thread of its own, a few times a second and only if something changed, so
//! that a slow or stopped terminal delays nobody.

mod board;
mod layout;
mod line;
mod resizing;
mod screen;
mod slot_table;

use super::Progress;
use board::Board;
use console::Term;
use layout::Size;
use resizing::Resizing;
use screen::Screen;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use wallaby_actors::clock::Clock;
use wallaby_actors::running::Running;
use wallaby_core::journal::Entry;
use wallaby_core::study::Study;

/// The shortest time from one frame to the next.
const FRAME: Duration = Duration::from_millis(100);

/// A wait for the next frame that takes so long means that the process was stopped and continued:
/// the shell has written below the view.
const STOPPED: Duration = Duration::from_secs(1);

/// The terminal, shared by the view and by those who have something to say beside it.
#[derive(Clone)]
pub(crate) struct Stage(Arc<Mutex<Screen>>);

impl Stage {
    /// The terminal behind standard output; `None` if it is none, or one that cannot be drawn on.
    pub(crate) fn of_stdout() -> Option<Self> {
        let term = Term::buffered_stdout();
        let able = term.is_term() && !console::is_dumb();
        let screen = Screen::new(term, console::colors_enabled());
        able.then(|| Self(Arc::new(Mutex::new(screen))))
    }

    /// Takes the view away while `say` writes; it comes back with the next frame.
    pub(crate) fn aside<T>(&self, say: impl FnOnce() -> T) -> T {
        let mut screen = self.lock();
        let size = screen.size();
        screen.erase(size);
        say()
    }

    /// From now on the message of a panic is not drawn over.
    pub(crate) fn make_way_for_panics(&self) {
        let (stage, before) = (self.clone(), std::panic::take_hook());
        std::panic::set_hook(Box::new(move |panic| {
            // Who panics while drawing holds the lock already.
            let screen = stage.0.try_lock().map(|mut screen| {
                let size = screen.size();
                screen.erase(size);
                screen
            });
            before(panic);
            drop(screen);
        }));
    }

    fn lock(&self) -> MutexGuard<'_, Screen> {
        // The screen of a frame that panicked is still a screen.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What changes while a study runs and is in no record.
#[derive(Clone)]
pub(crate) struct Surroundings {
    /// What the slots run, each by its number.
    pub(crate) running: watch::Receiver<Vec<Running>>,
    /// Whether a pause was asked for.
    pub(crate) pausing: watch::Receiver<bool>,
    /// The names of the slots by their numbers; none if there is nothing to say beyond the number.
    pub(crate) places: watch::Receiver<Vec<String>>,
}

impl Surroundings {
    /// Of a study on one node.
    pub(crate) fn of_node(
        running: watch::Receiver<Vec<Running>>,
        pausing: watch::Receiver<bool>,
    ) -> Self {
        Self { running, pausing, places: watch::channel(Vec::new()).1 }
    }
}

/// The view of a running study. Dropped, it leaves the terminal without a trace of itself.
pub(crate) struct Live {
    board: Arc<Mutex<Board>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    /// Begins to show `study`, as run on so many slots.
    pub(crate) fn start(
        stage: Stage,
        study: &Study,
        slots: u32,
        surroundings: Surroundings,
    ) -> Self {
        let board = Arc::new(Mutex::new(Board::new(study, slots)));
        let (stop, stopped) = channel();
        let artist = Artist {
            stage,
            board: Arc::clone(&board),
            surroundings,
            resizing: Resizing::default(),
            last: None,
        };
        let thread = std::thread::Builder::new().name("wallaby-view".to_owned());
        // Without a thread there is no view, and the study runs all the same.
        let thread = thread.spawn(move || artist.work(&stopped)).ok();
        Self { board, stop: Some(stop), thread }
    }
}

impl Progress for Live {
    fn entry(&mut self, study: &Study, entry: &Entry) {
        self.board.lock().unwrap_or_else(PoisonError::into_inner).entry(study, entry);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic of that thread was told when it happened.
            let _ = thread.join();
        }
    }
}

/// Draws frame after frame.
struct Artist {
    stage: Stage,
    board: Arc<Mutex<Board>>,
    surroundings: Surroundings,
    resizing: Resizing,
    last: Option<(Vec<line::Line>, Size)>,
}

impl Artist {
    fn work(mut self, stopped: &Receiver<()>) {
        let mut clock = Clock::start();
        loop {
            let waited = Instant::now();
            let end = stopped.recv_timeout(FRAME) != Err(RecvTimeoutError::Timeout);
            if waited.elapsed() > STOPPED {
                self.stage.lock().abandon();
            }
            self.frame(&mut clock, end);
            if end {
                return;
            }
        }
    }

    /// Draws what has changed; the last frame leaves only the news.
    fn frame(&mut self, clock: &mut Clock, last: bool) {
        let mut screen = self.stage.lock();
        let size = screen.size();
        if self.resizing.goes_on(size, Instant::now()) && !last {
            return;
        }
        let (news, lines) = {
            let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
            let Surroundings { running, pausing, places } = &self.surroundings;
            board.running.clone_from(&running.borrow());
            board.pausing = *pausing.borrow();
            board.places.clone_from(&places.borrow());
            if !board.places.is_empty() {
                board.slots = u32::try_from(board.places.len()).unwrap_or(u32::MAX);
            }
            let lines = layout::lines(&board, clock.now(), size);
            (board.take_news(), if last { Vec::new() } else { lines })
        };
        let next = Some((lines, size));
        if news.is_empty() && !screen.is_blank() && next == self.last {
            return;
        }
        if let Some((lines, size)) = &next {
            screen.draw(&news, lines, *size);
        }
        self.last = next;
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use line::{Line, Tone};
    use std::fs::File;
    use std::io::Write;
    use std::num::NonZero;

    #[test]
    fn a_panic_of_any_thread_takes_the_view_away_before_its_message() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let term = Term::read_write_pair(File::open(file.path()).unwrap(), file.reopen().unwrap());
        let stage = Stage(Arc::new(Mutex::new(Screen::new(term, false))));
        let size = Size { columns: 20, rows: 6 };
        let lines = ["one", "two"].map(|text| Line::new(text, Tone::Plain, 19));
        stage.lock().draw(&["news".to_owned()], &lines, size);

        let message = Mutex::new(File::options().append(true).open(file.path()).unwrap());
        let ours = |panic: &std::panic::PanicHookInfo| panic.payload_as_str() == Some("of a test");
        std::panic::set_hook(Box::new(move |panic| {
            if ours(panic) {
                message.lock().unwrap().write_all(b"message\n").unwrap();
            }
        }));
        stage.make_way_for_panics();
        let panicked = std::thread::spawn(|| panic!("of a test")).join();
        drop(std::panic::take_hook());
        assert!(panicked.is_err());

        let written = std::fs::read_to_string(file.path()).unwrap().replace('\n', "\r\n");
        let length = |characters: usize| NonZero::new(characters as u16).unwrap();
        let mut terminal = vt100::Parser::new(length(size.rows), length(size.columns), 0);
        terminal.process(written.as_bytes());
        assert_eq!(terminal.screen().contents(), "news\nmessage");
        assert!(!terminal.screen().hide_cursor());
    }
}
