//! A study file as a tree of values that know where they stand. TOML, JSON and overrides all
//! become this tree, so that one checker serves them. Never knows which keys mean something.

use std::collections::BTreeMap;
use std::fmt;

/// Where a value was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// Nowhere in particular: something that is missing from the file.
    File,
    /// A line of the file, from 1.
    Line(u32),
    /// An override of the command line.
    Override,
    /// A flag of the command line, with its dashes.
    Flag(&'static str),
    /// A variable of the environment.
    Variable(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File => f.write_str("the file"),
            Origin::Line(line) => write!(f, "line {line}"),
            Origin::Override => f.write_str("--set"),
            Origin::Flag(name) | Origin::Variable(name) => f.write_str(name),
        }
    }
}

/// A value and its origin.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) origin: Origin,
    pub(crate) content: Content,
}

/// Keys in alphabetical order.
pub(crate) type Table = BTreeMap<String, Node>;

/// All that either format can say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Bool(bool),
    /// Wide enough for every whole number a study accepts.
    Int(i128),
    Float(f64),
    Text(String),
    /// A date of TOML or a `null` of JSON, as written: no key accepts it.
    Foreign(String),
    List(Vec<Node>),
    Table(Table),
}

impl fmt::Display for Content {
    /// As in a TOML file, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Content::Bool(flag) => write!(f, "{flag}"),
            Content::Int(number) => write!(f, "{number}"),
            Content::Float(number) => write!(f, "{number:?}"),
            Content::Text(text) => write!(f, "{text:?}"),
            Content::Foreign(text) => f.write_str(text),
            Content::List(items) => {
                let items: Vec<String> =
                    items.iter().map(|item| item.content.to_string()).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Content::Table(table) if table.is_empty() => f.write_str("{}"),
            Content::Table(table) => {
                let entry = |(key, node): (&String, &Node)| format!("{key} = {}", node.content);
                let entries: Vec<String> = table.iter().map(entry).collect();
                write!(f, "{{ {} }}", entries.join(", "))
            }
        }
    }
}
