//! JSON text to the tree of the checker. Strict: no comments, no trailing commas, no key twice.
//! Knows the syntax, never the keys.

use super::line_index::LineIndex;
use super::node::{Content, Node, Origin, Table};
use super::{syntax, toml_tree};
use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

type SyntaxError = (Origin, String);

/// The tree of a whole document, or the place and the words of its first syntax error.
pub(super) fn parse(text: &str) -> Result<Node, SyntaxError> {
    let lines = LineIndex::of(text);
    let parsed = parse_to_ast(text, &CollectOptions::default(), &STRICT).map_err(|error| {
        let (place, message) = (error.range().start, in_lower_case(&error.kind().to_string()));
        let expected = match toml_tree::is_toml(text) {
            true => "JSON; this is TOML, which needs a file name that ends in .toml",
            false => "JSON",
        };
        (lines.origin(place), syntax::explained(text, place, &message, expected))
    })?;
    match parsed.value {
        Some(Value::Object(root)) => {
            Ok(Node { origin: Origin::File, content: Content::Table(table(&root, &lines)?) })
        }
        Some(other) => Err((lines.origin(other.start()), "expected an object".to_owned())),
        None => Err((lines.origin(0), "empty, expected an object".to_owned())),
    }
}

fn table(object: &Object<'_>, lines: &LineIndex) -> Result<Table, SyntaxError> {
    let mut table = Table::new();
    for property in &object.properties {
        let key = property.name.as_str().to_owned();
        let node = node(&property.value, lines)?;
        if let Some(Node { origin: first, .. }) = table.get(&key) {
            let problem = format!("key {key:?} is given twice, first at {first}; expected it once");
            return Err((lines.origin(property.start()), problem));
        }
        table.insert(key, node);
    }
    Ok(table)
}

fn node(value: &Value<'_>, lines: &LineIndex) -> Result<Node, SyntaxError> {
    let content = match value {
        Value::StringLit(text) => Content::Text(text.value.to_string()),
        Value::NumberLit(number) => number_of(number.value),
        Value::BooleanLit(flag) => Content::Bool(flag.value),
        Value::NullKeyword(_) => Content::Foreign("null".to_owned()),
        Value::Object(object) => Content::Table(table(object, lines)?),
        Value::Array(array) => {
            let items = array.elements.iter().map(|item| node(item, lines));
            Content::List(items.collect::<Result<_, _>>()?)
        }
    };
    Ok(Node { origin: lines.origin(value.start()), content })
}

/// Whole if it is written so, as in TOML: `1` but not `1.0` or `1e3`.
fn number_of(text: &str) -> Content {
    match text.parse::<i128>() {
        Ok(number) => Content::Int(number),
        Err(_) => Content::Float(text.parse().unwrap_or(f64::NAN)),
    }
}

fn in_lower_case(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_strict_json_is_refused_on_its_line() {
        let cases = [
            ("{\n\"a\": 1,\n}", 2, "`\"a\": 1,`: trailing commas are not allowed; expected JSON"),
            ("{\n// no\n}", 2, "`// no`: comments are not allowed; expected JSON"),
            (
                "{\"a\": 1,\n\"a\": 2}",
                2,
                "key \"a\" is given twice, first at line 1; expected it once",
            ),
            (
                "[study]\nname = 1\n",
                1,
                "`[study]`: unexpected token; expected JSON; this is TOML, which needs a file \
                 name that ends in .toml",
            ),
            ("\n[1]", 2, "expected an object"),
            ("", 1, "empty, expected an object"),
            ("{\"a\": 1", 1, "`{\"a\": 1`: unterminated object; expected JSON"),
        ];
        for (text, line, words) in cases {
            assert_eq!(parse(text), Err((Origin::Line(line), words.to_owned())), "{text:?}");
        }
    }

    #[test]
    fn numbers_are_whole_only_if_written_so() {
        let tree = parse("{\"a\": [1, 1.0, 1e3, -0.5, 1e999]}").unwrap();
        assert_eq!(tree.content.to_string(), "{ a = [1, 1.0, 1000.0, -0.5, inf] }");
    }
}
