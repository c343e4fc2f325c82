//! `ip` and `iptables`, which root may use.

use std::process::Command;

/// Whether both are there and may be used; else what is missing.
pub(super) fn are_there() -> Result<(), String> {
    if run("id", "-u")?.trim() != "0" {
        return Err("only root can make them".to_owned());
    }
    run("ip", "-Version")?;
    run("iptables", "--version").map(drop)
}

/// What a command prints that must succeed; its arguments are words.
#[track_caller]
pub(super) fn ip(arguments: &str) -> String {
    run("ip", arguments).unwrap_or_else(|why| panic!("{why}"))
}

/// As [`ip`], in a namespace.
#[track_caller]
pub(super) fn ip_inside(space: &str, arguments: &str) -> String {
    ip(&format!("-n {space} {arguments}"))
}

/// `iptables` in a namespace.
#[track_caller]
pub(super) fn iptables(space: &str, arguments: &str) -> String {
    // One program at a time may hold the lock of all namespaces.
    ip(&format!("netns exec {space} iptables -w 10 {arguments}"))
}

/// What a command prints, or what it complains of.
pub(super) fn run(program: &str, arguments: &str) -> Result<String, String> {
    let mut command = Command::new(program);
    let ended = command.args(arguments.split_whitespace()).output();
    let ended = ended.map_err(|error| format!("{program}: {error}"))?;
    if ended.status.success() {
        return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&ended.stderr);
    Err(format!("{program} {arguments}: {}", complaint.trim()))
}
