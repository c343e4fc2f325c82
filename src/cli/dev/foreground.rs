//! What `wallaby dev` does on systems with signals: starts nodes, tells of those that end and
//! come back, and stops them.

use super::DevArgs;
use crate::cli::{Outcome, report, show};
use crate::cluster::dev::{DevFolder, NodeProcess, Plan, ending, ready, stop as stop_nodes};
use crate::error::{Code, Error};
use crate::signals::Signals;
use crate::table::aligned;
use serde_json::{Value as Json, json};
use std::path::Path;
use std::process::Child;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use wallaby_actors::cluster::api_types::NodeInfo;

/// How often it is looked which nodes run.
const EVERY: Duration = Duration::from_millis(200);

type Children = Vec<(NodeProcess, Child)>;

pub(super) async fn run(args: &DevArgs) -> Outcome {
    let plan = Plan {
        nodes: args.nodes.unwrap_or(3),
        voters: args.voters,
        slots: args.slots,
        replicas: args.replicas,
    };
    let folder = DevFolder::open_or_create(&args.dir, plan, args.nodes.is_some())?;
    let nodes = folder.nodes()?;
    // Before the first node, so that none is left behind.
    let mut signals = Signals::listen().map_err(|error| Error::Unexpected(error.to_string()))?;
    let mut children = Children::new();
    let time = Duration::from_secs(args.timeout);
    let begun = tokio::select! {
        begun = begin(&folder, &nodes, &mut children, time) => begun.map(Some),
        () = signals.next() => Ok(None),
    };
    let seen = match begun {
        Ok(Some(seen)) => seen,
        not_begun => {
            stop_started(&mut children).await?;
            not_begun?;
            return Ok(Code::Done);
        }
    };
    present(&folder, &nodes, &seen);
    if args.detach {
        let dir = folder.path().display();
        show(&format!("\n`wallaby dev stop --dir {dir}` stops all of them\n"));
        return Ok(Code::Done);
    }
    show("\nCtrl-C stops all of them\n");
    attend(&folder, &nodes, &mut children, &mut signals).await?;
    stop_nodes(&nodes).await?;
    reap(&mut children);
    Ok(Code::Done)
}

/// Starts the nodes that do not run, and waits until they are a cluster.
async fn begin(
    folder: &DevFolder,
    nodes: &[NodeProcess],
    children: &mut Children,
    time: Duration,
) -> Result<Vec<NodeInfo>, Error> {
    for node in nodes {
        if node.running()?.is_none() {
            children.push((node.clone(), node.start(false)?));
        }
    }
    ready(folder, nodes, children, time).await
}

async fn stop_started(children: &mut Children) -> Result<(), Error> {
    let started: Vec<NodeProcess> = children.iter().map(|(node, _)| node.clone()).collect();
    let stopped = stop_nodes(&started).await;
    reap(children);
    stopped.map(|_| ())
}

/// Takes note of children that have ended; gives back how.
fn reap(children: &mut Children) -> Vec<(String, String)> {
    let mut ended = Vec::new();
    children.retain_mut(|(node, child)| match child.try_wait() {
        Ok(Some(status)) => {
            ended.push((node.name().to_owned(), ending(status)));
            false
        }
        _ => true,
    });
    ended
}

fn present(folder: &DevFolder, nodes: &[NodeProcess], seen: &[NodeInfo]) {
    let mut rows =
        vec![["node", "role", "slots", "address", "pid", "log"].map(str::to_owned).to_vec()];
    for node in nodes {
        let Some(info) = seen.iter().find(|info| info.name == node.name()) else { continue };
        rows.push(vec![
            info.name.clone(),
            info.role.to_string(),
            info.slots.to_string(),
            info.api.clone(),
            info.pid.to_string(),
            node.log().display().to_string(),
        ]);
    }
    let dir = folder.path().display();
    show(&aligned(&rows));
    show(&format!(
        "\nready; now, in another terminal:\n  export WALLABY_CLUSTER={dir}\n  \
         wallaby submit examples/digits.toml && wallaby watch digits\n"
    ));
}

/// Tells of every node that ends or comes back, until a signal says that it is enough.
async fn attend(
    folder: &DevFolder,
    nodes: &[NodeProcess],
    children: &mut Children,
    signals: &mut Signals,
) -> Result<(), Error> {
    let hang_up = signal(SignalKind::hangup());
    let mut hang_up = hang_up.map_err(|error| Error::Unexpected(error.to_string()))?;
    let mut known: Vec<Option<u32>> =
        nodes.iter().map(NodeProcess::running).collect::<Result<_, _>>()?;
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = signals.next() => return Ok(()),
            // A terminal that is closed must not leave processes behind.
            _ = hang_up.recv() => return Ok(()),
            _ = ticks.tick() => {}
        }
        let ended = reap(children);
        for (node, known) in nodes.iter().zip(&mut known) {
            let now = node.running()?;
            if *known != now {
                tell(folder, node.name(), *known, now, &ended);
                *known = now;
            }
        }
    }
}

fn tell(
    folder: &DevFolder,
    name: &str,
    before: Option<u32>,
    now: Option<u32>,
    ended: &[(String, String)],
) {
    let how = ended.iter().find(|(ended, _)| ended == name);
    let how = how.map_or("it ended", |(_, how)| how.as_str());
    let dir = folder.path().display();
    match (before, now) {
        (Some(pid), None) => report(&format!(
            "{name} (process {pid}) is gone: {how}; `wallaby dev start {name} --dir {dir}` brings \
             it back"
        )),
        (_, Some(pid)) => show(&format!("{name} is back, as process {pid}\n")),
        (None, None) => {}
    }
}

pub(super) async fn start(name: &str, dir: &Path, rejoin: bool) -> Outcome {
    let folder = DevFolder::open(dir)?;
    let node = folder.node(name)?;
    let child = node.start(rejoin)?;
    let pid = child.id();
    // The rest of the cluster need not run: that it stays is all that can be waited for.
    let mut children = vec![(node.clone(), child)];
    let nodes = std::slice::from_ref(&node);
    match ready(&folder, nodes, &mut children, START).await {
        Ok(_) => show(&format!("{name} is back, as process {pid}\n")),
        Err(Error::TimedOut(why)) => {
            show(&format!("{name} runs as process {pid}\n"));
            report(&format!("{name} is not in its cluster yet: {why}"));
        }
        Err(error) => return Err(error),
    }
    Ok(Code::Done)
}

/// How long a node that was started has to be seen by its cluster before nobody waits for it.
const START: Duration = Duration::from_secs(15);

pub(super) async fn stop(name: Option<&str>, dir: &Path) -> Outcome {
    let folder = DevFolder::open(dir)?;
    let nodes = match name {
        Some(name) => vec![folder.node(name)?],
        None => folder.nodes()?,
    };
    let stopped = stop_nodes(&nodes).await?;
    if stopped.is_empty() {
        report(&format!("{} does not run", name.unwrap_or("the cluster")));
    }
    for name in stopped {
        show(&format!("{name} stopped\n"));
    }
    Ok(Code::Done)
}

pub(super) fn status(dir: &Path, json: bool) -> Outcome {
    let nodes = DevFolder::open(dir)?.nodes()?;
    let mut lines = Vec::new();
    let mut rows = vec![["node", "pid", "log"].map(str::to_owned).to_vec()];
    for node in &nodes {
        let (pid, log) = (node.running()?, node.log().display().to_string());
        lines.push(json!({"name": node.name(), "pid": pid, "log": log}));
        let pid = pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        rows.push(vec![node.name().to_owned(), pid, log]);
    }
    show(&if json { format!("{:#}\n", Json::Array(lines)) } else { aligned(&rows) });
    Ok(Code::Done)
}
