//! TOML text to the tree of the checker. Knows the syntax, never the keys.

use super::line_index::LineIndex;
use super::node::{Content, Node, Origin, Table};
use super::syntax;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeInteger, DeString, DeTable, DeValue};

/// The tree of a whole document, or the place and the words of its first syntax error.
pub(crate) fn parse(text: &str) -> Result<Node, (Origin, String)> {
    let lines = LineIndex::of(text);
    let document = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or(text.len()..text.len());
        (lines.origin(span.start), explained(text, &lines, span, error.message()))
    })?;
    let content = table(document.get_ref(), &|place| lines.origin(place));
    Ok(Node { origin: Origin::File, content })
}

/// Whether a text is a document.
pub(super) fn is_toml(text: &str) -> bool {
    DeTable::parse(text).is_ok()
}

fn explained(text: &str, lines: &LineIndex, span: Range<usize>, message: &str) -> String {
    if message == "duplicate key" {
        return given_twice(text, lines, span);
    }
    let expected = match text.trim_start().starts_with('{') {
        true => "TOML; this is JSON, which needs a file name that ends in .json",
        false => "TOML, as in `key = value`",
    };
    syntax::explained(text, span.start, message, expected)
}

/// Names the key at `span`, and where it was given first, as far as the lines before tell.
fn given_twice(text: &str, lines: &LineIndex, span: Range<usize>) -> String {
    let key = text.get(span.clone()).unwrap_or_default().trim_matches(['"', '\'']);
    let before = text.get(..span.start).and_then(|before| before.rfind('\n'));
    let before = before.and_then(|end| DeTable::parse(&text[..=end]).ok());
    let first = before.and_then(|before| last_place(before.get_ref(), key));
    let first =
        first.map_or_else(String::new, |place| format!(", first at {}", lines.origin(place)));
    format!("key {key:?} is given twice{first}; expected it once")
}

/// Where a key of this name stands last.
fn last_place(table: &DeTable<'_>, name: &str) -> Option<usize> {
    let place = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let key: &Spanned<DeString<'_>> = key;
        let own = (key.get_ref().as_ref() == name).then(|| key.span().start);
        match value.get_ref() {
            DeValue::Table(below) => own.max(last_place(below, name)),
            _ => own,
        }
    };
    table.iter().filter_map(place).max()
}

/// A single value from the command line: TOML if it is TOML, else the text itself.
pub(crate) fn parse_override(text: &str) -> Node {
    let value = DeValue::parse(text).ok().map(Spanned::into_inner);
    let content = match value {
        // `2024-01-01` is more likely to be a name than a date here.
        None | Some(DeValue::Datetime(_)) => Content::Text(text.to_owned()),
        Some(value) => content(&value, &|_| Origin::Override),
    };
    Node { origin: Origin::Override, content }
}

fn table(entries: &DeTable<'_>, origin: &dyn Fn(usize) -> Origin) -> Content {
    let entry = |key: &str, value: &Spanned<DeValue<'_>>| (key.to_owned(), node(value, origin));
    let entries = entries.iter().map(|(key, value)| entry(key.get_ref().as_ref(), value));
    Content::Table(entries.collect::<Table>())
}

fn node(value: &Spanned<DeValue<'_>>, origin: &dyn Fn(usize) -> Origin) -> Node {
    Node { origin: origin(value.span().start), content: content(value.get_ref(), origin) }
}

fn content(value: &DeValue<'_>, origin: &dyn Fn(usize) -> Origin) -> Content {
    match value {
        DeValue::String(text) => Content::Text(text.to_string()),
        DeValue::Integer(number) => whole(number),
        DeValue::Float(number) => Content::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Content::Bool(*flag),
        DeValue::Datetime(date) => Content::Foreign(date.to_string()),
        DeValue::Array(items) => {
            Content::List(items.iter().map(|item| node(item, origin)).collect())
        }
        DeValue::Table(entries) => table(entries, origin),
    }
}

/// A number past 128 bits becomes the largest of its sign, which no key accepts either.
fn whole(number: &DeInteger<'_>) -> Content {
    let past = if number.as_str().starts_with('-') { i128::MIN } else { i128::MAX };
    Content::Int(i128::from_str_radix(number.as_str(), number.radix()).unwrap_or(past))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(node: &Node, path: &[&str]) -> (Origin, String) {
        match (path, &node.content) {
            ([], content) => (node.origin, content.to_string()),
            ([first, rest @ ..], Content::Table(table)) => at(&table[*first], rest),
            (_, other) => panic!("{other} is no table"),
        }
    }

    #[test]
    fn every_value_knows_its_line() {
        let tree = parse("[a]\nb = 1_000\n\n[c.d]\ne = [\n 0x10,\n 'x']\nf.g = 1e-3\n").unwrap();
        assert_eq!(at(&tree, &["a", "b"]), (Origin::Line(2), "1000".into()));
        assert_eq!(at(&tree, &["c", "d", "e"]), (Origin::Line(5), "[16, \"x\"]".into()));
        assert_eq!(at(&tree, &["c", "d", "f", "g"]), (Origin::Line(8), "0.001".into()));
        assert_eq!(at(&tree, &["a"]).0, Origin::Line(1));
        assert_eq!(at(&tree, &["c"]).0, Origin::Line(4));
    }

    #[test]
    fn an_error_of_syntax_shows_its_line_and_what_was_expected() {
        let told = |text| parse(text).unwrap_err();
        let (origin, words) = told("a = 1\nname == \"p\"\n");
        assert_eq!(origin, Origin::Line(2));
        assert!(words.starts_with("`name == \"p\"`: "), "{words}");
        assert!(words.ends_with("; expected TOML, as in `key = value`"), "{words}");
        let (_, words) = told("{ \"study\": {} }");
        assert!(words.ends_with("which needs a file name that ends in .json"), "{words}");
    }

    #[test]
    fn a_key_that_is_given_twice_is_named_with_its_first_place() {
        let told = |text| parse(text).unwrap_err();
        let expected = |key: &str, line| {
            (Origin::Line(line), format!("key \"{key}\" is given twice, first at line "))
        };
        for (text, key, first, second) in [
            ("[b]\ne = 1\n[c]\ne = 1\nf = 2\ne = 3\n", "e", 4, 6),
            ("[b]\n\n[c]\n[b]\n", "b", 1, 4),
            ("[b]\n\"e\" = 1\ne = 2\n", "e", 2, 3),
        ] {
            let (origin, words) = expected(key, second);
            assert_eq!(told(text), (origin, format!("{words}{first}; expected it once")), "{text}");
        }
        let inline = told("a = { low = 1, low = 2 }\n").1;
        assert_eq!(inline, "key \"low\" is given twice; expected it once");
    }

    #[test]
    fn an_override_is_a_value_or_else_a_text() {
        let shown = |text| parse_override(text).content.to_string();
        assert_eq!(shown("[64, 32]"), "[64, 32]");
        assert_eq!(shown("1e-3"), "0.001");
        assert_eq!(shown("asha"), "\"asha\"");
        assert_eq!(shown("2024-01-01"), "\"2024-01-01\"");
        assert_eq!(shown("[64"), "\"[64\"");
        assert_eq!(shown(""), "\"\"");
    }

    #[test]
    fn numbers_past_all_bounds_stay_numbers() {
        let huge = "9".repeat(60);
        assert_eq!(parse_override(&huge).content, Content::Int(i128::MAX));
        assert_eq!(parse_override("1e999").content, Content::Float(f64::INFINITY));
    }
}
