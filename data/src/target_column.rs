//! The column to be predicted, before it is known whether it holds classes or numbers.
//! Keeps numbers as long as it sees nothing else; decides nothing about the split.

use crate::cell::shortened;
use std::collections::BTreeMap;

/// What decides between classes and numbers if the study does not: so many different values.
pub(crate) const LABELS_MAX: usize = 100;

/// All targets, in file order.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct TargetColumn {
    cells: Cells,
    first_text: Option<(u64, String)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Cells {
    Numbers(Vec<f64>),
    Labels { codes: BTreeMap<String, u32>, rows: Vec<u32> },
}

impl Default for Cells {
    fn default() -> Self {
        Cells::Numbers(Vec::new())
    }
}

/// Classes: the sorted labels, and the number of its label for each row.
pub(crate) struct Classes {
    pub(crate) labels: Vec<String>,
    pub(crate) rows: Vec<u32>,
}

impl TargetColumn {
    pub(crate) fn len(&self) -> usize {
        match &self.cells {
            Cells::Numbers(numbers) => numbers.len(),
            Cells::Labels { rows, .. } => rows.len(),
        }
    }

    /// Appends a cell, `false` if it is empty or a number that is not finite.
    pub(crate) fn push(&mut self, cell: &str, line: &impl Fn() -> u64) -> bool {
        let number = cell.parse::<f64>().ok();
        if cell.is_empty() || number.is_some_and(|number| !number.is_finite()) {
            return false;
        }
        match (&mut self.cells, number) {
            (Cells::Numbers(numbers), Some(number)) => numbers.push(number),
            (Cells::Labels { codes, rows }, Some(number)) => {
                rows.push(code_of(codes, &label_of(number)));
            }
            (Cells::Labels { codes, rows }, None) => rows.push(code_of(codes, cell)),
            (Cells::Numbers(_), None) => self.turn_to_labels(cell, line()),
        }
        true
    }

    /// The first text makes labels of the numbers before it.
    fn turn_to_labels(&mut self, cell: &str, line: u64) {
        let mut codes = BTreeMap::new();
        let mut rows: Vec<u32> = match &self.cells {
            Cells::Numbers(numbers) => {
                numbers.iter().map(|number| code_of(&mut codes, &label_of(*number))).collect()
            }
            Cells::Labels { .. } => return,
        };
        rows.push(code_of(&mut codes, cell));
        self.cells = Cells::Labels { codes, rows };
        self.first_text = Some((line, shortened(cell)));
    }

    /// The line and the cell of the first text, if there is any.
    pub(crate) fn first_text(&self) -> Option<&(u64, String)> {
        self.first_text.as_ref()
    }

    /// Number of different values, counted no further than `limit + 1` for numbers.
    pub(crate) fn distinct(&self, limit: usize) -> usize {
        match &self.cells {
            Cells::Labels { codes, .. } => codes.len(),
            Cells::Numbers(numbers) => {
                let mut seen: Vec<f64> = Vec::new();
                for number in numbers {
                    if seen.len() > limit {
                        break;
                    }
                    if let Err(place) = seen.binary_search_by(|other| order(other, number)) {
                        seen.insert(place, *number);
                    }
                }
                seen.len()
            }
        }
    }

    /// Whether all targets are whole numbers.
    pub(crate) fn is_whole(&self) -> bool {
        match &self.cells {
            Cells::Numbers(numbers) => numbers.iter().all(|number| number.fract() == 0.0),
            Cells::Labels { .. } => false,
        }
    }

    /// The targets as numbers, `None` if there is a text among them.
    pub(crate) fn values(&self) -> Option<&[f64]> {
        match &self.cells {
            Cells::Numbers(numbers) => Some(numbers),
            Cells::Labels { .. } => None,
        }
    }

    /// The targets as classes: numbers in their order, texts in the order of their characters.
    pub(crate) fn classes(&self) -> Classes {
        match &self.cells {
            Cells::Numbers(numbers) => classes_of_numbers(numbers),
            Cells::Labels { codes, rows } => {
                let mut class_of_code = vec![0; codes.len()];
                for (class, code) in (0..).zip(codes.values()) {
                    class_of_code[*code as usize] = class;
                }
                let rows = rows.iter().map(|code| class_of_code[*code as usize]).collect();
                Classes { labels: codes.keys().cloned().collect(), rows }
            }
        }
    }
}

fn classes_of_numbers(numbers: &[f64]) -> Classes {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(order);
    sorted.dedup();
    let class = |number: &f64| sorted.partition_point(|other| other < number) as u32;
    let rows = numbers.iter().map(class).collect();
    Classes { labels: sorted.iter().map(|number| label_of(*number)).collect(), rows }
}

/// Zero and minus zero are one value here, unlike in the total order of floats.
fn order(a: &f64, b: &f64) -> std::cmp::Ordering {
    a.partial_cmp(b).expect("targets are finite")
}

/// `3` for 3, 3.0 and 03: the same number is the same label however it is written.
fn label_of(number: f64) -> String {
    (number + 0.0).to_string()
}

fn code_of(codes: &mut BTreeMap<String, u32>, label: &str) -> u32 {
    if let Some(code) = codes.get(label) {
        return *code;
    }
    let code = codes.len() as u32;
    codes.insert(label.to_owned(), code);
    code
}

#[cfg(test)]
#[path = "target_column_tests.rs"]
mod tests;
