//! `wallaby bench cluster`.

use crate::cli::Outcome;
use clap::Args;
use wallaby_train::Registry;

/// Detection, recovery, throughput and memory of three real nodes on this machine
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby bench cluster
  wallaby bench cluster --json --full

Starts three nodes of one slot in a folder beside the runs, which is removed at the end, as the
nodes are ended, also on Ctrl-C. Takes about four minutes, with --full about ten. Times are taken
by this process, which looks every 25 ms. Where it says median and max, it is done five times.

  kill -9, loss recorded    from kill -9 of a node that runs a unit to the record that this unit was
                            lost, as the leader gives it out
  kill -9, not alive        from the same to another node's calling it anything but alive
  SIGSTOP, ...              the same for a node that stands still but keeps its connections
  ..., lost unit runs again from the record of the loss to the start of the try that counts;
                            longer if the trial's newest checkpoint went with the node
  new leader                from kill -9 of the leader to the first record of the next term
  units committed           units of a model of 58 weights on three slots, each committed by a
                            majority; validations count
  ..., 10,000 trials        the same with 10,000 trials under way at once
  idle slots                1 - time of units / (slots x time); checkpoints of 10 MB, units of 1 s
  slots waiting             the part of the slots' time from a unit's assignment to its record
                            that it did not run: dispatch, hop, commit; same study
  put N MB, hop N MB        a blob brought to a node, and fetched from it by this process over
                            the same paths as a checkpoint: TLS, BLAKE3, durable; median
  ... while training        the same while all slots compute
  memory                    resident: of each node after a study of a few trials and hundreds of
                            MB of blobs, and of the leader with 10,000 trials under way
  false deaths (--full)     times that a node was called anything but alive by any node in five
                            minutes in which a busy thread for every core ran beside it

A value that could not be taken is shown as -. If the measurement fails, what was measured before is
shown all the same, and the exit code is not 0.")]
pub(super) struct ClusterBenchArgs {
    /// As a JSON array of {name, value, unit, goal, met}; goals are upper bounds
    #[arg(long)]
    json: bool,
    /// Also five minutes with all cores saturated, and blobs of 1,000 MB
    #[arg(long)]
    full: bool,
}

#[cfg(not(unix))]
pub(super) fn cluster(args: &ClusterBenchArgs, _: &Registry) -> Outcome {
    let _ = (args.json, args.full);
    let why = "`wallaby bench cluster` needs a system with signals";
    Err(crate::Error::Usage(why.to_owned()))
}

#[cfg(unix)]
pub(super) fn cluster(args: &ClusterBenchArgs, registry: &Registry) -> Outcome {
    use crate::bench::cluster::measure;
    use crate::cli::{report, show};
    use crate::error::Code;
    let Some(measured) = measure(args.full, registry, &|what: &str| report(what))? else {
        // All nodes have ended and the folder is gone.
        std::process::exit(130);
    };
    let rows = &measured.rows;
    show(&if args.json { shown::json(rows) } else { shown::table(rows) });
    measured.trouble.map_or(Ok(Code::Done), Err)
}

#[cfg(unix)]
mod shown {
    use crate::bench::cluster::Row;
    use crate::table::aligned;
    use serde_json::{Value as Json, json};

    pub(super) fn json(rows: &[Row]) -> String {
        let row = |row: &Row| {
            json!({"name": row.name, "value": row.value, "unit": row.unit, "goal": row.goal,
                "met": row.met()})
        };
        format!("{:#}\n", Json::Array(rows.iter().map(row).collect()))
    }

    pub(super) fn table(rows: &[Row]) -> String {
        let head = ["what", "value", "unit", "goal", ""].map(str::to_owned).to_vec();
        let line = |row: &Row| {
            let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), rounded);
            let goal = row.goal.map_or_else(String::new, |goal| format!("≤ {}", rounded(goal)));
            let met = match row.met() {
                Some(true) => "met",
                Some(false) => "missed",
                None => "",
            };
            vec![row.name.clone(), number(row.value), row.unit.to_owned(), goal, met.to_owned()]
        };
        let rows: Vec<Vec<String>> = [head].into_iter().chain(rows.iter().map(line)).collect();
        aligned(&rows)
    }

    /// Whole from 100 on.
    fn rounded(value: f64) -> String {
        if value.abs() >= 100.0 || value == value.round() {
            format!("{value:.0}")
        } else {
            format!("{value:.2}")
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn row(value: Option<f64>, goal: Option<f64>) -> Row {
            Row { name: "x".to_owned(), value, unit: "ms", goal }
        }

        #[test]
        fn a_value_that_is_missing_misses_its_goal_and_one_without_goal_meets_none() {
            let rows = [
                row(Some(1500.4), Some(1500.0)),
                row(Some(0.754), Some(1.0)),
                row(None, Some(1.0)),
                row(Some(3.0), None),
            ];
            let expected = "what  value  unit  goal\n\
                            x     1500   ms    ≤ 1500  missed\n\
                            x     0.75   ms    ≤ 1     met\n\
                            x     -      ms    ≤ 1     missed\n\
                            x     3      ms\n";
            assert_eq!(table(&rows), expected);
            let told: Json = serde_json::from_str(&json(&rows)).unwrap();
            assert_eq!(told[2]["value"], Json::Null);
            assert_eq!(told[3]["met"], Json::Null);
        }
    }
}
