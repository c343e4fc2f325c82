//! A temporary folder with the data and the study of one test, and the program run inside.
//! The study is small (a run takes a tenth of a second) and otherwise like any other.

use crate::process::{Finished, Invocation};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use wallaby::wallaby_core::seed::Seed;

/// Training units of [`STUDY`]: trials × epochs × partitions.
pub(crate) const TRAINING_UNITS: usize = 6 * 3 * 4;

/// The study in every sandbox.
const STUDY: &str = r#"
[study]
name = "small"
seed = 1

[data]
path = "classes.csv"
target = "label"
partitions = 4

[model]
hidden = [8]

[search.space]
learning_rate = { low = 1e-3, high = 1e-1, scale = "log" }

[budget]
trials = 6
epochs = 3

[run]
slots = 2
"#;

/// A folder, removed at the end.
pub(crate) struct Sandbox(TempDir);

impl Sandbox {
    /// With `study.toml`, and its data in `classes.csv`.
    pub(crate) fn new() -> Self {
        let sandbox = Self(TempDir::with_prefix("wallaby-").unwrap());
        sandbox.write("study.toml", STUDY);
        sandbox.write("classes.csv", classes(200));
        sandbox
    }

    /// The folder, or a path in it.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, with the folders on the way to it.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The text of a file.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names in a folder, sorted; none if it does not exist.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(name)).into_iter().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into()).collect();
        names.sort();
        names
    }

    /// The program with these arguments, in the folder.
    pub(crate) fn wallaby(&self, arguments: &[&str]) -> Invocation {
        let program = Path::new(env!("CARGO_BIN_EXE_wallaby"));
        Invocation::new(program, self.0.path(), arguments)
    }

    /// `wallaby run study.toml --run RUN` and more arguments.
    pub(crate) fn study(&self, run: &str, arguments: &[&str]) -> Invocation {
        let fixed = ["run", "study.toml", "--run", run];
        self.wallaby(&[&fixed, arguments].concat())
    }

    /// Runs the study to its end.
    #[track_caller]
    pub(crate) fn run(&self, run: &str, arguments: &[&str]) -> Finished {
        self.study(run, arguments).finish().expect(0)
    }

    /// The lines of `wallaby hashes RUN`.
    #[track_caller]
    pub(crate) fn hashes(&self, run: &str) -> String {
        self.wallaby(&["hashes", run]).finish().expect(0).out
    }

    /// The hashes of an undisturbed run of the study with these arguments.
    #[track_caller]
    pub(crate) fn undisturbed(&self, arguments: &[&str]) -> String {
        self.run("undisturbed", arguments);
        self.hashes("undisturbed")
    }

    /// Copies a folder of files and folders.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        fs::create_dir_all(self.path(to)).unwrap();
        for name in self.list(from) {
            let (source, copy) = (format!("{from}/{name}"), format!("{to}/{name}"));
            if self.path(&source).is_dir() {
                self.copy(&source, &copy);
            } else {
                fs::copy(self.path(source), self.path(copy)).unwrap();
            }
        }
    }
}

/// A number in [0, 1), always the same for the same two numbers.
pub(crate) fn noise(row: usize, column: usize) -> f64 {
    Seed::of_study(row as u64).child(&column.to_string()).unit_interval()
}

/// Rows of three classes that overlap a little.
fn classes(rows: usize) -> String {
    let row = |row: usize| {
        let class = row % 3;
        let centre = |column: usize| if column.is_multiple_of(2) { class as f64 } else { 1.0 };
        let cell = |column: usize| format!("{:.4},", centre(column) + 1.5 * noise(row, column));
        (0..4).map(cell).collect::<String>() + &format!("class-{class}\n")
    };
    "a,b,c,d,label\n".to_owned() + &(0..rows).map(row).collect::<String>()
}
