//! The Docker engine and Compose as commands. Whatever they refuse ends the test with their words.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The image of the binary under test.
pub(crate) const IMAGE: &str = "wallaby:nemesis";

/// The repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where reports are left: what the variable says, or beside the build.
pub(crate) fn reports() -> PathBuf {
    let chosen = std::env::var_os("WALLABY_NEMESIS_REPORTS").map(PathBuf::from);
    let folder = chosen.unwrap_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("nemesis"));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Why no nemesis can work here, if none can: faults of the network need an engine on this very
/// machine, and the rights to reach into its containers.
pub(crate) fn missing() -> Option<String> {
    static MISSING: OnceLock<Option<String>> = OnceLock::new();
    let missing = MISSING.get_or_init(|| {
        if output("docker", &["version", "--format", "{{.Server.Version}}"]).is_none() {
            return Some("no Docker engine answers".to_owned());
        }
        if compose_program().is_none() {
            return Some("neither `docker compose` nor `docker-compose` is there".to_owned());
        }
        let tools = ["nsenter --version", "iptables --version", "tc -V"];
        let absent = |tool: &&&str| {
            let words: Vec<&str> = tool.split(' ').collect();
            output(words[0], &words[1..]).is_none()
        };
        if let Some(tool) = tools.iter().find(absent) {
            return Some(format!("{} is not there", tool.split(' ').next().unwrap_or(tool)));
        }
        let user = output("id", &["-u"]).unwrap_or_default();
        (user != "0").then(|| "only root may reach into the containers' networks".to_owned())
    });
    missing.clone()
}

/// Says loudly that nothing was tested, and why; true if something can be.
pub(crate) fn present() -> bool {
    let Some(why) = missing() else { return true };
    let line = "!".repeat(78);
    let said = format!("{line}\n!! NEMESIS SKIPPED, NO FAULT WAS TRIED: {why}\n{line}\n");
    // Past the capture of the test runner, which hides what passing tests print.
    let terminal = std::fs::OpenOptions::new().append(true).open("/dev/stderr");
    match terminal {
        Ok(mut terminal) => {
            let _ = std::io::Write::write_all(&mut terminal, said.as_bytes());
        }
        Err(_) => eprintln!("{said}"),
    }
    assert!(std::env::var_os("WALLABY_NEMESIS_REQUIRED").is_none(), "{why}");
    false
}

/// `docker compose`, or else `docker-compose`.
pub(crate) fn compose_program() -> Option<&'static [&'static str]> {
    static PROGRAM: OnceLock<Option<&'static [&'static str]>> = OnceLock::new();
    *PROGRAM.get_or_init(|| {
        let all: [&[&str]; 2] = [&["docker", "compose"], &["docker-compose"]];
        let works =
            |words: &&&[&str]| output(words[0], &[&words[1..], &["version"]].concat()).is_some();
        all.iter().find(works).copied()
    })
}

/// Makes the image of the binary under test, once; its size in bytes.
pub(crate) fn image(secret: &Path) -> u64 {
    static SIZE: OnceLock<u64> = OnceLock::new();
    *SIZE.get_or_init(|| {
        let mut build = Command::new(repository().join("docker/build"));
        build.args(["--binary", env!("CARGO_BIN_EXE_wallaby"), "--tag", IMAGE]);
        run(build.env("WALLABY_SECRET_FILE", secret));
        let size = run(&mut docker(&["image", "inspect", "--format", "{{.Size}}", IMAGE]));
        size.parse().unwrap()
    })
}

/// `docker` with these arguments.
pub(crate) fn docker<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new("docker");
    command.args(arguments);
    command
}

/// Runs a command to its end; what it wrote, without the last line break.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> String {
    let done = finish(command);
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim_end().to_owned()
}

/// Runs a command to its end, however it ends: what is undone may be gone already.
pub(crate) fn try_run(command: &mut Command) -> bool {
    finish(command).status.success()
}

fn finish(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let done = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned())
}
