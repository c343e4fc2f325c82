//! `wallaby completions SHELL`.

use super::{Cli, Outcome, show_bytes};
use crate::error::Code;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Write completions for a shell to standard output
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby completions bash > ~/.local/share/bash-completion/completions/wallaby
  wallaby completions zsh > ~/.zfunc/_wallaby
  wallaby completions fish > ~/.config/fish/completions/wallaby.fish")]
pub(super) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn completions(args: &CompletionsArgs) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "wallaby", &mut script);
    show_bytes(&script);
    Ok(Code::Done)
}
