//! What the nodes hold in memory, as the system tells it.

use super::local::{Local, leader};
use super::row::Row;
use crate::error::Error;
use std::process::Command;

/// A row for each node.
///
/// # Errors
/// The cluster does not say who its nodes are.
pub(super) async fn measure(local: &Local) -> Result<Vec<Row>, Error> {
    let nodes = local.client().nodes().await?;
    let row = |node: &wallaby_actors::cluster::api_types::NodeInfo| {
        let name = format!("memory, {} ({})", node.name, node.role);
        Row::new(&name, resident(node.pid), "MB")
    };
    Ok(nodes.iter().map(row).collect())
}

/// A row for the node that leads.
///
/// # Errors
/// The cluster does not say who its nodes are, or nobody leads.
pub(super) async fn of_leader(local: &Local, name: &str) -> Result<Row, Error> {
    let nodes = local.client().nodes().await?;
    Ok(Row::new(name, resident(leader(&nodes)?.pid), "MB"))
}

/// Megabytes (10⁶ bytes) of a process.
fn resident(pid: u32) -> Option<f64> {
    let kibibytes = match std::fs::read_to_string(format!("/proc/{pid}/status")) {
        Ok(status) => kibibytes(&status),
        // Other systems have no such file, but this command.
        Err(_) => {
            let output = Command::new("ps").args(["-o", "rss=", "-p", &pid.to_string()]).output();
            String::from_utf8(output.ok()?.stdout).ok()?.trim().parse().ok()
        }
    };
    kibibytes.map(|kibibytes| kibibytes * 1024.0 / 1e6)
}

fn kibibytes(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resident_set_is_found_among_what_the_system_says() {
        let status = "Name:\twallaby\nVmHWM:\t  9000 kB\nVmRSS:\t   8500 kB\nThreads:\t3\n";
        assert_eq!(kibibytes(status), Some(8500.0));
        assert_eq!(kibibytes("Name:\tkernel\n"), None);
    }
}
