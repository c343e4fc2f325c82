//! Words for an error of syntax: the line that is wrong, what is wrong with it, what was expected.

/// How much of a line is shown.
const SHOWN: usize = 60;

/// The line at byte `place` of a text, and what is wrong there.
pub(super) fn explained(text: &str, place: usize, message: &str, expected: &str) -> String {
    let start = text.get(..place).unwrap_or(text).rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next().unwrap_or_default().trim();
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(SHOWN) {
        _ if line.is_empty() => format!("{message}; expected {expected}"),
        Some((end, _)) => format!("`{}…`: {message}; expected {expected}", &line[..end]),
        None => format!("`{line}`: {message}; expected {expected}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_shown_and_no_more_than_a_terminal_takes() {
        let text = format!("ab\n  c\td  \n\n{}", "é".repeat(99));
        assert_eq!(explained(&text, 1, "no", "yes"), "`ab`: no; expected yes");
        assert_eq!(explained(&text, 5, "no", "yes"), "`c d`: no; expected yes");
        assert_eq!(explained(&text, 11, "no", "yes"), "no; expected yes");
        let long = explained(&text, text.len(), "no", "yes");
        assert_eq!(long, format!("`{}…`: no; expected yes", "é".repeat(60)));
    }
}
