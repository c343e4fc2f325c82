//! What is given beside the file: flags and variables. Puts them into the tree that is checked,
//! with their origin, so that a mistake names the flag or the variable.

use crate::study_file::node::{Content, Node, Origin, Table};
use clap::Args;

/// How the text of a flag or a variable becomes a value.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Whole,
    /// Parts between commas.
    List,
}

/// A key, its flag, its variable.
struct Key {
    section: &'static str,
    key: &'static str,
    flag: &'static str,
    variable: &'static str,
    kind: Kind,
}

macro_rules! keys {
    ($(($section:literal, $key:literal, $flag:literal, $variable:literal, $kind:expr)),* $(,)?) => {
        &[$(Key {
            section: $section, key: $key, flag: $flag, variable: $variable, kind: $kind,
        }),*]
    };
}

const KEYS: &[Key] = keys![
    ("cluster", "secret_file", "--secret-file", "WALLABY_CLUSTER_SECRET_FILE", Kind::Text),
    ("cluster", "seeds", "--seeds", "WALLABY_CLUSTER_SEEDS", Kind::List),
    ("cluster", "voters", "--voters", "WALLABY_CLUSTER_VOTERS", Kind::List),
    ("cluster", "replicas", "--replicas", "WALLABY_CLUSTER_REPLICAS", Kind::Whole),
    ("node", "name", "--name", "WALLABY_NODE_NAME", Kind::Text),
    ("node", "data", "--data", "WALLABY_NODE_DATA", Kind::Text),
    ("node", "listen", "--listen", "WALLABY_NODE_LISTEN", Kind::Text),
    ("node", "advertise", "--advertise", "WALLABY_NODE_ADVERTISE", Kind::Text),
    ("node", "slots", "--slots", "WALLABY_NODE_SLOTS", Kind::Whole),
    ("node", "device", "--device", "WALLABY_NODE_DEVICE", Kind::Text),
];

/// The keys of a configuration as flags.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Settings {
    /// The file with the cluster's secret [variable: WALLABY_CLUSTER_SECRET_FILE]
    #[arg(long, value_name = "FILE")]
    pub(super) secret_file: Option<String>,
    /// Addresses of some nodes, with commas between [variable: WALLABY_CLUSTER_SEEDS]
    #[arg(long, value_name = "HOST:PORT,…")]
    pub(super) seeds: Option<String>,
    /// The 1, 3 or 5 nodes that vote, with commas between [variable: WALLABY_CLUSTER_VOTERS]
    #[arg(long, value_name = "NAME,…")]
    pub(super) voters: Option<String>,
    /// How many nodes hold each partition [variable: WALLABY_CLUSTER_REPLICAS]
    #[arg(long, value_name = "N")]
    pub(super) replicas: Option<String>,
    /// The node's name; without it the host's [variable: WALLABY_NODE_NAME]
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,
    /// The folder for what the node stores [variable: WALLABY_NODE_DATA]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<String>,
    /// The address to listen on [variable: WALLABY_NODE_LISTEN]
    #[arg(long, value_name = "HOST:PORT")]
    pub(super) listen: Option<String>,
    /// The address under which others reach it [variable: WALLABY_NODE_ADVERTISE]
    #[arg(long, value_name = "HOST:PORT")]
    pub(super) advertise: Option<String>,
    /// Units that run at the same time; without it one a core [variable: WALLABY_NODE_SLOTS]
    #[arg(long, value_name = "N")]
    pub(super) slots: Option<String>,
    /// What computes them: cpu, wgpu or cuda [variable: WALLABY_NODE_DEVICE]
    #[arg(long, value_name = "DEVICE")]
    pub(super) device: Option<String>,
}

impl Settings {
    /// In the order of [`KEYS`].
    fn texts(&self) -> [&Option<String>; 10] {
        [
            &self.secret_file,
            &self.seeds,
            &self.voters,
            &self.replicas,
            &self.name,
            &self.data,
            &self.listen,
            &self.advertise,
            &self.slots,
            &self.device,
        ]
    }
}

/// Values beside the file, each the strongest of its key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given(Vec<(&'static str, &'static str, Node)>);

impl Given {
    /// Nothing: the file alone counts.
    pub(crate) fn nothing() -> Self {
        Self::default()
    }

    /// Variables, read by `variable`, and flags, which are stronger. An empty variable is none:
    /// that is how it is taken away where variables are only handed on.
    pub(crate) fn of(settings: &Settings, variable: impl Fn(&str) -> Option<String>) -> Self {
        let value = |(key, text): (&Key, &Option<String>)| {
            let flag = text.clone().map(|text| (Origin::Flag(key.flag), text));
            let variable = || variable(key.variable).filter(|text| !text.is_empty());
            let given = flag.or_else(|| variable().map(|t| (Origin::Variable(key.variable), t)));
            given.map(|(origin, text)| (key.section, key.key, node(key.kind, origin, &text)))
        };
        Self(KEYS.iter().zip(settings.texts()).filter_map(value).collect())
    }

    /// The variables of this process, and these flags.
    pub(crate) fn of_process(settings: &Settings) -> Self {
        Self::of(settings, |name| std::env::var(name).ok())
    }

    /// Whether a key is given.
    pub(super) fn names(&self, section: &str, key: &str) -> bool {
        self.0.iter().any(|(in_section, name, _)| *in_section == section && *name == key)
    }

    /// Over what the file says.
    pub(super) fn overlay(&self, root: &mut Table) {
        for (section, key, node) in &self.0 {
            let empty = || Node { origin: Origin::File, content: Content::Table(Table::new()) };
            let table = root.entry((*section).to_owned()).or_insert_with(empty);
            // A section that is no table is reported as such.
            if let Content::Table(table) = &mut table.content {
                table.insert((*key).to_owned(), node.clone());
            }
        }
    }
}

/// What is no number stays a text: that it is none is for the checker to say.
fn node(kind: Kind, origin: Origin, text: &str) -> Node {
    let part = |text: &str| Node { origin, content: Content::Text(text.trim().to_owned()) };
    let content = match kind {
        Kind::Text => Content::Text(text.to_owned()),
        Kind::Whole => match text.trim().parse() {
            Ok(number) => Content::Int(number),
            Err(_) => Content::Text(text.to_owned()),
        },
        Kind::List => Content::List(text.split(',').map(part).collect()),
    };
    Node { origin, content }
}
