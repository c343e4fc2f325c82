//! `wallaby man`.

use super::{Cli, Outcome, show_bytes};
use crate::error::{Code, Error};
use clap::{Args, CommandFactory};
use clap_mangen::Man;
use std::path::PathBuf;

/// Write the manual page to standard output, or a page for every command to a folder
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  wallaby man | man -l -
  wallaby man --out ~/.local/share/man/man1")]
pub(super) struct ManArgs {
    /// The folder for wallaby.1, wallaby-run.1 and so on
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn man(args: &ManArgs) -> Outcome {
    let Some(folder) = &args.out else {
        let mut page = Vec::new();
        let rendered = Man::new(Cli::command()).render(&mut page);
        rendered.map_err(|error| Error::Unexpected(error.to_string()))?;
        show_bytes(&page);
        return Ok(Code::Done);
    };
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    written.map_err(|source| Error::out(folder, "a folder for the pages", source))?;
    Ok(Code::Done)
}
