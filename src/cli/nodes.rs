//! `wallaby nodes`.

use super::{Outcome, show};
use crate::cluster::{ClusterArgs, block_on};
use crate::error::Code;
use crate::portrait::bytes_text;
use crate::table::aligned;
use clap::Args;
use serde_json::json;
use wallaby_actors::cluster::api_types::NodeInfo;

/// Show the nodes of a cluster: role, state, slots, load, what they hold
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby nodes --cluster my-cluster
  wallaby nodes --json | jq -r '.[] | select(.role == \"leader\").name'

A node is alive, suspected (not heard of for a moment), draining, full (no room for checkpoints) or
left.")]
pub(super) struct NodesArgs {
    #[command(flatten)]
    cluster: ClusterArgs,
    /// As a JSON array of objects: id, name, role, pid, slots, api, state, partitions and more
    #[arg(long)]
    json: bool,
}

pub(super) fn nodes(args: &NodesArgs) -> Outcome {
    let client = args.cluster.client()?;
    let nodes = block_on(async { Ok(client.nodes().await?) })?;
    show(&if args.json { format!("{:#}\n", json!(nodes)) } else { table(&nodes) });
    Ok(Code::Done)
}

fn table(nodes: &[NodeInfo]) -> String {
    let head = [
        "node",
        "role",
        "state",
        "slots",
        "running",
        "partitions",
        "stored",
        "address",
        "pid",
        "numerics",
        "version",
    ];
    let row = |node: &NodeInfo| {
        vec![
            node.name.clone(),
            node.role.to_string(),
            node.state.to_string(),
            node.slots.to_string(),
            node.running.to_string(),
            node.partitions.to_string(),
            bytes_text(node.bytes),
            node.api.clone(),
            node.pid.to_string(),
            node.numerics.chars().take(8).collect(),
            node.version.clone(),
        ]
    };
    let head = head.map(str::to_owned).to_vec();
    aligned(&std::iter::once(head).chain(nodes.iter().map(row)).collect::<Vec<_>>())
}
