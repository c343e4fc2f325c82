//! Data files, plain and packed: every column has a cell for every row.
#![no_main]

use std::path::PathBuf;
use wallaby_data::{ColumnRef, CsvSource};

fn source(bytes: &[u8], name: &str, delimiter: char, header: bool) -> CsvSource {
    let folder = PathBuf::from("/dev/shm").join(format!("wallaby-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder in memory");
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("it can be written");
    CsvSource { path, delimiter, header, target: ColumnRef::Number(-1) }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((choice, text)) = bytes.split_first() else { return };
    let delimiter = [',', ';', '\t', '|'][usize::from(choice % 4)];
    let name = if choice & 4 == 0 { "d.csv" } else { "d.csv.gz" };
    let source = source(text, name, delimiter, choice & 8 == 0);
    let (first, second) = (source.read(), source.read());
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
});
