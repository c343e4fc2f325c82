//! A page as a browser without a window shows it: what its scripts leave in the document.

use std::io::{Write, stderr};
use std::path::Path;
use std::process::{Command, Stdio};

/// Under which names Chromium may be installed.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// What a page said about itself.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The document once its scripts have run.
    pub(crate) document: String,
    /// What the browser logged about the page.
    pub(crate) console: String,
}

impl Shown {
    /// An attribute of the root element.
    #[track_caller]
    pub(crate) fn attribute(&self, name: &str) -> &str {
        let root = self.document.split_once("<html").unwrap().1.split_once('>').unwrap().0;
        let start = format!(" {name}=\"");
        let value = root.split_once(&start).unwrap_or_else(|| panic!("no {name} in {root}")).1;
        value.split_once('"').unwrap().0
    }

    /// An attribute of the root element that is a number.
    #[track_caller]
    pub(crate) fn number(&self, name: &str) -> u64 {
        self.attribute(name).parse().unwrap()
    }
}

/// Opens a page from its file, without network, and lets its scripts run. `None`, and said so, if
/// no Chromium is installed.
pub(crate) fn open(page: &Path) -> Option<Shown> {
    let installed = NAMES.into_iter().find(|name| {
        let version = Command::new(name).arg("--version").stdout(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    });
    let Some(browser) = installed else {
        // Not through the test's captured output: a check that did not take place is said aloud.
        let _ = stderr().write_all(b"SKIPPED: a page in a browser, as no chromium is installed\n");
        return None;
    };
    let profile = tempfile::TempDir::with_prefix("wallaby-browser-").unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        .args(["--window-size=1400,3000", "--virtual-time-budget=20000", "--dump-dom"])
        .args(["--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let console = String::from_utf8_lossy(&output.stderr);
    let console = console.lines().filter(|line| line.contains(":CONSOLE"));
    Some(Shown {
        document: String::from_utf8_lossy(&output.stdout).into_owned(),
        console: console.collect::<Vec<_>>().join("\n"),
    })
}
