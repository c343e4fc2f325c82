//! The configuration of a cluster and of a node, checked as a whole like a study file: every
//! mistake at once, each with its place, its value and what was expected. Reads one file and the
//! environment; never opens a connection.
//!
//! ```toml
//! [cluster]
//! secret_file = "cluster.secret"        # relative to this file
//! seeds = ["127.0.0.1:7701"]            # addresses of some nodes
//! voters = ["node1", "node2", "node3"]  # 1, 3 or 5 names; the same on all nodes
//! replicas = 2                          # holders of each partition
//!
//! [node]                                # a client needs none of this
//! name = "node1"                        # if absent, the host's name
//! data = "node1"                        # a folder, relative to this file
//! listen = "127.0.0.1:7701"
//! advertise = "127.0.0.1:7701"          # how others reach this node; if absent, `listen`;
//!                                       # ":7701" stands for the host's name and this port
//! slots = 1                             # if absent, the number of cores
//! device = "cpu"                        # cpu, wgpu, cuda
//! ```
//! Every key is also a flag and a variable: a flag beats a variable, a variable beats the file.

mod address;
mod given;
mod names;

pub(crate) use given::{Given, Settings};

use crate::error::Error;
use crate::study_file::field::Field;
use crate::study_file::node::{Content, Node, Origin, Table};
use crate::study_file::report::Report;
use crate::study_file::run_section::{DEVICES, Device};
use crate::study_file::section::{Section, Sections, refuse_other_sections};
use crate::study_file::{Mistakes, toml_tree};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The name of the configuration in a cluster's folder.
pub(crate) const FILE: &str = "cluster.toml";

/// The sections and their keys.
const SECTIONS: Sections = &[
    ("cluster", &["secret_file", "seeds", "voters", "replicas"]),
    ("node", &["name", "data", "listen", "advertise", "slots", "device"]),
];

/// What stands for the name of the file where there is none.
const NO_FILE: &str = "configuration";

const REPLICAS_MAX: u32 = 16;
const SLOTS_MAX: u32 = 1024;
const SEEDS_MAX: usize = 64;

/// What a client needs of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClusterConfig {
    /// The file that holds the secret.
    pub(crate) secret_file: PathBuf,
    /// Addresses of some nodes.
    pub(crate) seeds: Vec<String>,
}

/// Everything that a node is started from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NodeConfig {
    /// What it shares with all others.
    pub(crate) cluster: ClusterConfig,
    /// Who founds the cluster and votes: 1, 3 or 5 names.
    pub(crate) voters: Vec<String>,
    /// How many nodes hold each partition.
    pub(crate) replicas: u32,
    /// Its name.
    pub(crate) name: String,
    /// Its folder.
    pub(crate) data: PathBuf,
    /// The address it listens on.
    pub(crate) listen: String,
    /// The address under which others reach it.
    pub(crate) advertise: String,
    /// Units that it runs at the same time; `None` for the number of cores.
    pub(crate) slots: Option<u32>,
    /// What computes them.
    pub(crate) device: Device,
}

impl ClusterConfig {
    /// The cluster of a configuration file, or of a folder that holds one.
    ///
    /// # Errors
    /// No such file, or mistakes in it.
    pub(crate) fn read(path: &Path, given: &Given) -> Result<Self, Error> {
        let path = if path.is_dir() { path.join(FILE) } else { path.to_owned() };
        let text = read_text(&path)?;
        Self::parse(&text, &path.to_string_lossy(), given).map_err(Error::Configuration)
    }

    /// A cluster that is told by variables alone; `None` if they say nothing of it.
    ///
    /// # Errors
    /// Mistakes in the variables.
    pub(crate) fn from_variables(given: &Given) -> Result<Option<Self>, Error> {
        if !given.names("cluster", "seeds") || !given.names("cluster", "secret_file") {
            return Ok(None);
        }
        Self::parse("", NO_FILE, given).map(Some).map_err(Error::Configuration)
    }

    /// The text of the file `name`, with what is given besides. A node's file does as well.
    pub(crate) fn parse(text: &str, name: &str, given: &Given) -> Result<Self, Mistakes> {
        let mut report = Report::new(name, SECTIONS);
        let Some(root) = tree(text, given, &mut report) else {
            return Err(report.into_mistakes());
        };
        refuse_other_sections(&root, &mut report);
        let section = Section::of(&root, "cluster", &mut report);
        section.refuse_unknown(&mut report);
        Section::of(&root, "node", &mut report).refuse_unknown(&mut report);
        let cluster = cluster(&section, folder_of(name), &mut report);
        report.finish(cluster)
    }
}

impl NodeConfig {
    /// A node's configuration: of a file, if there is one, and what is given besides.
    ///
    /// # Errors
    /// No such file, or mistakes.
    pub(crate) fn read(path: Option<&Path>, given: &Given) -> Result<Self, Error> {
        let (text, name) = match path {
            Some(path) => (read_text(path)?, path.to_string_lossy().into_owned()),
            None => (String::new(), NO_FILE.to_owned()),
        };
        Self::parse(&text, &name, given, names::host()).map_err(Error::Configuration)
    }

    /// The text of the file `name`, with what is given besides; `host` is the host's name.
    pub(crate) fn parse(
        text: &str,
        name: &str,
        given: &Given,
        host: Option<String>,
    ) -> Result<Self, Mistakes> {
        let mut report = Report::new(name, SECTIONS);
        let Some(root) = tree(text, given, &mut report) else {
            return Err(report.into_mistakes());
        };
        refuse_other_sections(&root, &mut report);
        let folder = folder_of(name);
        let section = Section::of(&root, "cluster", &mut report);
        section.refuse_unknown(&mut report);
        let cluster = cluster(&section, folder, &mut report);
        let voters = section.require("voters", names::VOTERS, &mut report);
        let voters = voters.and_then(|field| names::voters(&field, &mut report));
        let replicas = section.get("replicas");
        let replicas = replicas.and_then(|field| field.whole(1..=REPLICAS_MAX, &mut report));
        let section = Section::of(&root, "node", &mut report);
        section.refuse_unknown(&mut report);
        let listen = section.require("listen", address::EXPECTED, &mut report);
        let listen = listen.and_then(|field| address::of(&field, &mut report));
        let slots = section.get("slots");
        let device = section.get("device");
        let config = Self {
            cluster,
            voters: voters.unwrap_or_default(),
            replicas: replicas.unwrap_or(2),
            name: node_name(&section, host.clone(), &mut report),
            data: path(&section, "data", "a folder for what the node stores", folder, &mut report),
            advertise: advertised(&section, listen.as_deref(), host.as_deref(), &mut report),
            listen: listen.unwrap_or_default(),
            slots: slots.and_then(|field| field.whole(1..=SLOTS_MAX, &mut report)),
            device: device
                .and_then(|field| field.word(DEVICES, &mut report))
                .unwrap_or(Device::Cpu),
        };
        report.finish(config)
    }
}

fn read_text(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| {
        let (shown, expected) = (path.display(), "expected the configuration of a cluster, TOML");
        match source.kind() {
            ErrorKind::NotFound => Error::Usage(format!("{shown}: no such file, {expected}")),
            ErrorKind::IsADirectory => Error::Usage(format!("{shown}: is a folder, {expected}")),
            ErrorKind::InvalidData => Error::Usage(format!("{shown}: not UTF-8, {expected}")),
            _ => Error::file(path, source),
        }
    })
}

/// What file, variables and flags say together; where each stands is not forgotten.
fn tree(text: &str, given: &Given, report: &mut Report) -> Option<Table> {
    match toml_tree::parse(text) {
        Ok(Node { content: Content::Table(mut root), .. }) => {
            given.overlay(&mut root);
            Some(root)
        }
        // A document of TOML is always a table.
        Ok(_) => Some(Table::new()),
        Err((origin, problem)) => {
            report.add(origin, "", None, problem, None);
            None
        }
    }
}

fn folder_of(file: &str) -> &Path {
    Path::new(file).parent().unwrap_or(Path::new(""))
}

/// What is missing is empty; the report makes sure that nobody sees it.
fn cluster(section: &Section<'_>, folder: &Path, report: &mut Report) -> ClusterConfig {
    let expected = "the file that holds the cluster's secret; `wallaby cluster init` makes one";
    let seeds = section.require("seeds", address::SEEDS, report);
    ClusterConfig {
        secret_file: path(section, "secret_file", expected, folder, report),
        seeds: seeds.and_then(|field| address::seeds(&field, report)).unwrap_or_default(),
    }
}

/// A path; one of the file is relative to it, any other to where the program was started.
fn path(
    section: &Section<'_>,
    key: &str,
    expected: &str,
    folder: &Path,
    report: &mut Report,
) -> PathBuf {
    let field = section.require(key, expected, report);
    let read = |field: Field<'_>| {
        let text = field.text(expected, report)?;
        let of_file = matches!(field.node.origin, Origin::Line(_) | Origin::File);
        Some(if of_file { folder.join(text) } else { PathBuf::from(text) })
    };
    field.and_then(read).unwrap_or_default()
}

fn node_name(section: &Section<'_>, host: Option<String>, report: &mut Report) -> String {
    let given = match section.get("name") {
        Some(field) => names::of(&field, report),
        None => {
            let usable = host.filter(|name| names::is_usable(name));
            if usable.is_none() {
                section.require("name", names::EXPECTED, report);
            }
            usable
        }
    };
    given.unwrap_or_default()
}

/// `listen` is what others dial, unless it means every address of the host.
fn advertised(
    section: &Section<'_>,
    listen: Option<&str>,
    host: Option<&str>,
    report: &mut Report,
) -> String {
    match (section.get("advertise"), listen) {
        (Some(field), _) => address::advertised(&field, host, report).unwrap_or_default(),
        (None, Some(listen)) if address::is_unspecified(listen) => {
            let expected = format!(
                "the address under which others reach this node, since node.listen = {listen:?} \
                 means every address"
            );
            section.require("advertise", &expected, report);
            String::new()
        }
        (None, listen) => listen.unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
#[path = "config/config_tests.rs"]
mod tests;
