//! Whether a text ends within quotes, and where those open. The CSV reader takes the end of the
//! file for the closing quote, and all rows in between for one cell. Never looks at cells.
//!
//! Source: RFC 4180, section 2; where a file is none, what the reader makes of it: a quote opens
//! only at the start of a cell, and text after a closing quote is plain.

const QUOTE: u8 = b'"';
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Follows a text line by line.
#[derive(Debug)]
pub(crate) struct Quotes {
    delimiter: u8,
    place: Place,
    /// The line of the quote that opened last.
    opened: u64,
}

/// Where the text is, between two of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    CellStart,
    Plain,
    Quoted,
    /// After a quote within quotes: the closing one, or the first of two that stand for one.
    AfterQuote,
}

impl Quotes {
    /// Before the first line; `delimiter` stands between cells.
    pub(crate) fn new(delimiter: u8) -> Self {
        Self { delimiter, place: Place::CellStart, opened: 0 }
    }

    /// Goes on by a whole line, which ends in `\n` and is number `number`.
    pub(crate) fn follow(&mut self, line: &[u8], number: u64) {
        // Most lines have no quote: they leave open what is open.
        if !line.contains(&QUOTE) {
            return;
        }
        // The reader skips the mark of a file in UTF-8, and a quote after it opens a cell.
        let text = line.strip_prefix(BYTE_ORDER_MARK).filter(|_| number == 1).unwrap_or(line);
        for byte in text {
            let next = self.after(*byte);
            if next == Place::Quoted && self.place == Place::CellStart {
                self.opened = number;
            }
            self.place = next;
        }
    }

    fn after(&self, byte: u8) -> Place {
        let ends_cell = byte == self.delimiter || byte == b'\n';
        match (self.place, byte) {
            (Place::CellStart | Place::AfterQuote, QUOTE) => Place::Quoted,
            (Place::Quoted, QUOTE) => Place::AfterQuote,
            (Place::Quoted, _) => Place::Quoted,
            _ if ends_cell => Place::CellStart,
            _ => Place::Plain,
        }
    }

    /// The line where the quotes open that the text is within.
    pub(crate) fn open_since(&self) -> Option<u64> {
        (self.place == Place::Quoted).then_some(self.opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn open_since(text: &str) -> Option<u64> {
        let mut quotes = Quotes::new(b',');
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            quotes.follow(line.as_bytes(), number);
        }
        quotes.open_since()
    }

    #[test]
    fn a_quote_is_open_from_its_line_until_it_closes() {
        assert_eq!(open_since("a,b\n1,\"x\n2,y\n3,z\n"), Some(2));
        assert_eq!(open_since("a,b\n1,\"x\n2,y\"\n3,z\n"), None);
        assert_eq!(open_since("\"a\n\",\"b\"\"\n"), Some(2), "two quotes stand for one");
        assert_eq!(open_since("\u{feff}\"a,\"\n"), None, "a quote after a byte order mark");
        assert_eq!(open_since("5\" wide,1\n"), None, "a quote within a plain cell");
        assert_eq!(open_since("\"x\" y \"z\n1,2\n"), None, "plain text after a closed quote");
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_reader(text in "[a\",\n]{0,24}") {
            // A line at the end is a record of its own only if no quote swallows it.
            let probed = format!("{text}\nend\n");
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(probed.as_bytes());
            let last = reader.records().last().expect("one record at least").unwrap();
            let swallowed = last != vec!["end"];
            prop_assert_eq!(open_since(&probed).is_some(), swallowed, "{:?}", probed);
        }
    }
}
