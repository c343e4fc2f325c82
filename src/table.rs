//! Tables for people: columns of equal width, one line a row. Knows text only; what a cell
//! means and how it is rounded is its caller's affair.

/// The rows as text, columns two blanks apart, everything to the left, no blanks at line ends.
pub(crate) fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// How many of the first columns fit into lines of `width` characters.
pub(crate) fn fitting(rows: &[Vec<String>], width: usize) -> usize {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let wide = |columns: usize| {
        let first = |row: &Vec<String>| row[..columns.min(row.len())].to_vec();
        let lines = aligned(&rows.iter().map(first).collect::<Vec<_>>());
        lines.lines().map(|line| line.chars().count()).max().unwrap_or(0)
    };
    (1..=columns).rev().find(|columns| wide(*columns) <= width).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_columns_fit_as_the_widest_line_allows() {
        let rows = [["a", "bcd", "é"], ["long", "", ""]].map(|row| row.map(str::to_owned).to_vec());
        for (width, columns) in [(99, 3), (12, 3), (11, 2), (9, 2), (8, 1), (4, 1), (3, 0)] {
            assert_eq!(fitting(&rows, width), columns, "{width}");
        }
        assert_eq!(fitting(&[], 80), 0);
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_lines_end_in_text() {
        let rows = [["a", "bcd", "é"], ["long", "", ""]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(aligned(&rows), "a     bcd  é\nlong\n");
        assert_eq!(aligned(&[]), "");
    }
}
