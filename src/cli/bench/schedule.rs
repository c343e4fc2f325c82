//! `wallaby bench schedule`.

use super::Outcome;
use crate::cli::show;
use crate::error::Code;
use clap::Args;
use serde_json::{Value as Json, json};
use std::thread::available_parallelism;
use wallaby_core::makespan::{Case, Costs, Policy, ratio};
use wallaby_core::spec::Order;

const SIZES: [(u32, u32); 5] = [(8, 8), (16, 8), (16, 16), (32, 8), (64, 16)];
const COSTS: [(&str, Costs); 3] =
    [("equal", Costs::Equal), ("models", Costs::Models), ("nodes", Costs::Nodes)];
const POLICIES: [(&str, Policy); 3] = [
    ("rotation", Policy::Planner(Order::Rotation)),
    ("free", Policy::Planner(Order::Free)),
    ("cerebro", Policy::Cerebro),
];

/// Makespan over the lower bound max(busiest slot, longest trial), in simulation
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby bench schedule --draws 30

Costs: equal; models, trials up to six-fold apart; nodes, up to twice as slow as the fastest.
5 epochs, 3 % jitter. cerebro is random order with a barrier after each epoch, its validation not
counted; ours is.")]
pub(super) struct ScheduleArgs {
    /// How many times each case is drawn
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    draws: u64,
    /// As a JSON array of {trials, nodes, costs, order, mean, max}
    #[arg(long)]
    json: bool,
}

/// Mean and maximum of one case under one policy.
struct Row {
    case: Case,
    costs: &'static str,
    order: &'static str,
    mean: f64,
    max: f64,
}

pub(super) fn schedule(args: &ScheduleArgs) -> Outcome {
    let mut rows = Vec::new();
    for (trials, nodes) in SIZES {
        for (costs, kind) in COSTS {
            let case = Case { trials, nodes, costs: kind, epochs: 5, jitter: 0.03 };
            rows.extend(POLICIES.map(|(order, policy)| {
                let ratios = draw(&case, policy, args.draws);
                let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
                let max = ratios.iter().copied().fold(1.0, f64::max);
                Row { case, costs, order, mean, max }
            }));
        }
    }
    if args.json {
        show(&format!("{:#}\n", Json::Array(rows.iter().map(as_json).collect())));
    } else {
        show(&table(&rows));
    }
    Ok(Code::Done)
}

/// The ratios of all draws, shared among the processor's cores.
fn draw(case: &Case, policy: Policy, draws: u64) -> Vec<f64> {
    let cores = available_parallelism().map_or(1, |cores| cores.get() as u64);
    let share = move |core: u64| {
        move || {
            (core..draws).step_by(cores as usize).map(|seed| ratio(case, policy, seed)).collect()
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|core| scope.spawn(share(core))).collect();
        let shares = threads.into_iter().map(|thread| thread.join());
        let all = shares.map(|share: std::thread::Result<Vec<f64>>| {
            share.expect("a schedule of valid cases does not panic")
        });
        all.flatten().collect()
    })
}

fn as_json(row: &Row) -> Json {
    json!({"trials": row.case.trials, "nodes": row.case.nodes, "costs": row.costs,
        "order": row.order, "mean": row.mean, "max": row.max})
}

/// A line a case, mean and maximum of each policy.
fn table(rows: &[Row]) -> String {
    let heads = POLICIES.map(|(order, _)| format!("{order:>10}    max"));
    let mut text = format!("trials × nodes  costs  {}\n", heads.join(" "));
    for case in rows.chunks(POLICIES.len()) {
        let cells: Vec<String> =
            case.iter().map(|row| format!("{:>10.3}  {:>5.3}", row.mean, row.max)).collect();
        let Some(Row { case, costs, .. }) = case.first() else { continue };
        text +=
            &format!("{:>6} × {:<5}  {costs:<6} {}\n", case.trials, case.nodes, cells.join(" "));
    }
    text
}
