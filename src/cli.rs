//! The command line: a contract that scripts rely on. Parses, calls, maps errors to exit codes.

mod bench;
mod best;
mod cancel;
mod check;
mod clean;
mod cluster;
mod completions;
mod conclusion;
mod delete;
mod dev;
mod drain;
mod export;
mod fetch;
mod hashes;
mod list;
mod man;
mod node;
mod nodes;
mod pause;
mod predict;
mod priority;
mod report;
mod resume;
mod run;
mod run_path;
mod show;
mod simulate;
mod status;
mod submit;
mod trials;
mod verify;
mod wait;
mod watch;

use crate::error::Code;
use clap::{Args, Parser, Subcommand};
use run_path::{RunPath, lock_run, look_at_run, read_run, report_recovery};
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;
use std::sync::OnceLock;
use wallaby_train::Registry;

const EXIT_CODES: &str = "\
Exit codes:
  0   done                          9   no trial has a result
  1   unexpected                    10  a check failed (verify, simulate)
  2   wrong command line            11  another numerics class: bits not comparable
  3   wrong study file              12  paused; the same command goes on
  4   wrong data                    13  no node of the cluster answers, or none leads
  5   no such device                14  another cluster secret or protocol
  6   run folder not usable         15  the time that was given is over (wait, dev)
  7   the journal or a blob is      16  the study was cancelled
      damaged                       130 interrupted twice; the same command goes on
  8   no space left";

/// Fault-tolerant hyper-parameter optimisation by model hopper parallelism.
#[derive(Debug, Parser)]
#[command(name = "wallaby", version, after_help = EXIT_CODES, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::RunArgs),
    Check(check::CheckArgs),
    Resume(resume::ResumeArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Trials(trials::TrialsArgs),
    Best(best::BestArgs),
    Predict(predict::PredictArgs),
    Export(export::ExportArgs),
    Hashes(hashes::HashesArgs),
    Report(report::ReportArgs),
    Verify(verify::VerifyArgs),
    Simulate(simulate::SimulateArgs),
    Bench(bench::BenchArgs),
    Clean(clean::CleanArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    Cluster(cluster::ClusterCommand),
    Node(node::NodeArgs),
    Nodes(nodes::NodesArgs),
    Dev(dev::DevArgs),
    Submit(submit::SubmitArgs),
    Status(status::StatusArgs),
    Watch(watch::WatchArgs),
    Wait(wait::WaitArgs),
    Pause(pause::PauseArgs),
    Cancel(cancel::CancelArgs),
    Priority(priority::PriorityArgs),
    Delete(delete::DeleteArgs),
    Fetch(fetch::FetchArgs),
    Drain(drain::DrainArgs),
}

impl Command {
    /// The diagnostics that it gives without being asked.
    fn diagnostics(&self) -> &'static str {
        match self {
            Command::Node(_) => node::DIAGNOSTICS,
            _ => "off",
        }
    }
}

/// What a study is changed by on the command line.
#[derive(Debug, Clone, Args)]
struct Overrides {
    /// Units that run at the same time; results do not depend on it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    slots: Option<u32>,
    /// The root of all randomness
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Change a key of the study file, for example --set budget.trials=4
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<String>,
}

/// Whether there is such a key is for the study file to say.
fn key_and_value(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((key, _)) if !key.trim().is_empty() => Ok(text.to_owned()),
        _ => Err("expected KEY=VALUE, for example budget.epochs=3".to_owned()),
    }
}

impl Overrides {
    fn to_list(&self) -> Vec<String> {
        let slots = self.slots.map(|slots| format!("run.slots={slots}"));
        let seed = self.seed.map(|seed| format!("study.seed={seed}"));
        self.set.iter().cloned().chain(slots).chain(seed).collect()
    }
}

/// What a run shows.
#[derive(Debug, Clone, Copy, Args)]
struct Manner {
    /// Show nothing but the run folder at the end, and errors
    #[arg(long, conflicts_with = "json")]
    quiet: bool,
    /// Show one JSON event a line
    #[arg(long)]
    json: bool,
    /// Show a line for each epoch instead of the live view, as when the output is no terminal
    #[arg(long, conflicts_with_all = ["quiet", "json"])]
    plain: bool,
}

/// Runs the command line of this process with these model families.
pub fn main(registry: Registry) -> ExitCode {
    let cli = Cli::parse();
    init_logging(cli.command.diagnostics());
    let outcome = match cli.command {
        Command::Run(args) => run::run(&args, &registry),
        Command::Check(args) => check::check(&args, &registry),
        Command::Resume(args) => resume::resume(&args, &registry),
        Command::List(args) => list::list(&args),
        Command::Show(args) => show::show(&args),
        Command::Trials(args) => trials::trials(&args),
        Command::Best(args) => best::best(&args),
        Command::Predict(args) => predict::predict(&args, &registry),
        Command::Export(args) => export::export(&args),
        Command::Hashes(args) => hashes::hashes(&args),
        Command::Report(args) => report::report(&args),
        Command::Verify(args) => verify::verify(&args, &registry),
        Command::Simulate(args) => simulate::simulate(&args),
        Command::Bench(args) => bench::bench(&args, &registry),
        Command::Clean(args) => clean::clean(&args),
        Command::Completions(args) => completions::completions(&args),
        Command::Man(args) => man::man(&args),
        Command::Cluster(args) => cluster::cluster(&args),
        Command::Node(args) => node::node(&args, &registry),
        Command::Nodes(args) => nodes::nodes(&args),
        Command::Dev(args) => dev::dev(&args),
        Command::Submit(args) => submit::submit(&args, &registry),
        Command::Status(args) => status::status(&args),
        Command::Watch(args) => watch::watch(&args),
        Command::Wait(args) => wait::wait(&args),
        Command::Pause(args) => pause::pause(&args),
        Command::Cancel(args) => cancel::cancel(&args),
        Command::Priority(args) => priority::priority(&args),
        Command::Delete(args) => delete::delete(&args),
        Command::Fetch(args) => fetch::fetch(&args, &registry),
        Command::Drain(args) => drain::drain(&args),
    };
    match outcome.and_then(shown) {
        Ok(code) => ExitCode::from(code as u8),
        Err(error) => {
            report(&error.to_string());
            ExitCode::from(error.code() as u8)
        }
    }
}

/// An outcome other than an error.
type Outcome = Result<Code, crate::Error>;

/// How many characters a line of standard output has, if it is a terminal.
fn width() -> Option<usize> {
    let term = console::Term::stdout();
    term.is_term().then(|| term.size().1.into())
}

/// Writes to standard output; a reader that has gone away is no error.
fn show(text: &str) {
    show_bytes(text.as_bytes());
}

/// As [`show`], for what is no text of ours.
fn show_bytes(bytes: &[u8]) {
    use std::io::Write;
    let mut out = std::io::stdout();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let _ = NOT_SHOWN.set(error);
        }
        _ => {}
    }
}

/// The first error of standard output, other than a reader that has gone away.
static NOT_SHOWN: OnceLock<std::io::Error> = OnceLock::new();

/// A command whose output did not arrive has not done what it was asked.
fn shown(code: Code) -> Outcome {
    match NOT_SHOWN.get() {
        None => Ok(code),
        Some(error) => {
            let source = std::io::Error::new(error.kind(), error.to_string());
            Err(crate::Error::file(Path::new("standard output"), source))
        }
    }
}

/// Writes an error or a warning, each line with the program's name.
fn report(text: &str) {
    use std::io::Write;
    let mut out = std::io::stderr().lock();
    for line in text.lines() {
        let _ = writeln!(out, "wallaby: {line}");
    }
}

/// The environment variable that chooses diagnostics.
const LOG: &str = "WALLABY_LOG";

/// Diagnostics go to standard error, chosen by `WALLABY_LOG`, for example `wallaby=debug`.
fn init_logging(otherwise: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_env(LOG)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(otherwise));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed_and_every_command_shows_an_example() {
        let command = Cli::command();
        command.clone().debug_assert();
        for subcommand in command.get_subcommands() {
            let help = subcommand.clone().render_long_help().to_string();
            assert!(help.contains("Example"), "{}: {help}", subcommand.get_name());
        }
    }
}
