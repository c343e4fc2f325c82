//! Claims about files that changed while nobody had them open: whatever happened to one, opening
//! it gives back what was appended, or says what is lost, or refuses. It never invents, never
//! forgets in silence, and never panics.

use super::journal_tests::{NODE, entry, folder, in_folder, numbered};
use super::*;
use std::path::PathBuf;

/// Entries in the files under test, and how many of them went into the last commit.
const ENTRIES: u64 = 60;
const LAST_GROUP: u64 = 3;

/// The bytes of a journal as a clean close leaves it, and as a killed process leaves it.
async fn images() -> [Vec<u8>; 2] {
    let folder = folder();
    let path = in_folder(&folder);
    let (journal, _) = Journal::open(&path, NODE).await.unwrap();
    for group in (0..ENTRIES).collect::<Vec<_>>().chunks(LAST_GROUP as usize) {
        journal.append(group.iter().copied().map(entry).collect()).await.unwrap();
    }
    let killed = std::fs::read(&path).unwrap();
    journal.close().await.unwrap();
    [std::fs::read(&path).unwrap(), killed]
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Whole,
    Repaired,
    WentBack,
    Named,
    Refused,
}

/// Opens damaged bytes as a journal and checks that the outcome is an honest one.
fn judge(path: &PathBuf, bytes: &[u8], what: &str) -> Verdict {
    std::fs::write(path, bytes).unwrap();
    match read_journal(path) {
        Ok((entries, recovery)) => {
            let count = entries.len() as u64;
            assert_eq!(entries, numbered(0..count), "{what}: {recovery:?}");
            assert_eq!(recovery.entries, count, "{what}");
            match recovery.torn {
                None => assert_eq!(count, ENTRIES, "{what}: lost in silence"),
                Some(_) => assert!(count >= ENTRIES - LAST_GROUP, "{what}: {count} left"),
            }
            match (count, recovery.torn) {
                (ENTRIES, None) => Verdict::Whole,
                (ENTRIES, Some(_)) => Verdict::Repaired,
                _ => Verdict::WentBack,
            }
        }
        Err(JournalError::Damaged { place: Place::File, .. }) => Verdict::Refused,
        Err(JournalError::Damaged { .. }) => Verdict::Named,
        Err(other) => panic!("{what}: {other:?}"),
    }
}

fn tally(verdicts: impl IntoIterator<Item = Verdict>) -> std::collections::BTreeMap<Verdict, u32> {
    let mut tally = std::collections::BTreeMap::new();
    for verdict in verdicts {
        *tally.entry(verdict).or_default() += 1;
    }
    tally
}

#[tokio::test(flavor = "multi_thread")]
async fn one_flipped_byte_anywhere_is_repaired_or_refused_but_never_believed() {
    let folder = folder();
    let path = in_folder(&folder);
    for (image, name) in images().await.iter().zip(["closed", "killed"]) {
        let used = image.iter().rposition(|byte| *byte != 0).unwrap();
        let header = 0..320;
        let anywhere = (320..used).step_by(211);
        let verdicts = header.chain(anywhere).map(|place| {
            let mut damaged = image.clone();
            damaged[place] ^= 1 << (place % 8);
            judge(&path, &damaged, &format!("{name}, byte {place}"))
        });
        let tally = tally(verdicts);
        // Harmless, survivable and fatal places must all have been met for this to mean much.
        for verdict in [Verdict::Whole, Verdict::Repaired, Verdict::Named, Verdict::Refused] {
            assert!(tally.contains_key(&verdict), "{name}: {tally:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_or_extended_end_is_repaired_or_refused() {
    let folder = folder();
    let path = in_folder(&folder);
    for (image, name) in images().await.iter().zip(["closed", "killed"]) {
        for lost in [1, 100, 4096, 4097, 20_000, 100_000, image.len() / 2, image.len() - 100] {
            let kept = image.len().saturating_sub(lost).max(1);
            let verdict = judge(&path, &image[..kept], &format!("{name}, {lost} bytes cut off"));
            assert_ne!(verdict, Verdict::Whole, "{name}, {lost} bytes cut off");
            let whole_pages_lost = lost / 4096;
            assert!(whole_pages_lost > 0 || verdict == Verdict::Repaired, "{name}, {lost} bytes");
        }
        for added in [1, 100, 4096, 100_000] {
            let mut longer = image.clone();
            longer.extend((0..added).map(|number| (number * 31 % 251) as u8));
            let verdict = judge(&path, &longer, &format!("{name}, {added} bytes added"));
            assert_eq!(verdict, Verdict::Repaired, "{name}, {added} bytes added");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_is_named_and_the_file_left_as_it_was() {
    let folder = folder();
    let path = in_folder(&folder);
    let [mut image, _] = images().await;
    let wanted = entry(17);
    let places: Vec<usize> =
        (0..image.len() - wanted.len()).filter(|at| image[*at..].starts_with(&wanted)).collect();
    for place in &places {
        image[*place] ^= 1;
    }
    std::fs::write(&path, &image).unwrap();
    let error = read_journal(&path).unwrap_err();
    let expected = format!("journal record 17 of {} is damaged: checksum differs", path.display());
    assert_eq!(error.to_string(), expected);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), image.len() as u64);
    let opened = Journal::open(&path, NODE).await.map(drop);
    assert_eq!(opened.unwrap_err().to_string(), expected);
}

#[test]
fn a_file_that_is_no_journal_is_refused() {
    let folder = folder();
    let path = in_folder(&folder);
    for (bytes, found) in [
        (Vec::new(), "it is empty, expected a journal"),
        (b"redb".to_vec(), "it ends after 4 bytes, inside its header"),
        (b"name,value\n1,2\n".repeat(500), "its first bytes are not those of a journal"),
        (vec![0; 100_000], "its first bytes are not those of a journal"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let error = read_journal(&path).unwrap_err().to_string();
        assert_eq!(error, format!("journal file {} is damaged: {found}", path.display()));
    }
}

#[test]
fn a_database_of_another_kind_is_refused() {
    let folder = folder();
    let path = in_folder(&folder);
    let database = redb::Database::create(&path).unwrap();
    let other = database.begin_write().unwrap();
    other.open_table(redb::TableDefinition::<u64, u64>::new("other")).unwrap();
    other.commit().unwrap();
    database.close().unwrap();
    let error = read_journal(&path).unwrap_err();
    assert!(matches!(error, JournalError::Damaged { place: Place::File, .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_of_a_newer_build_is_told_from_a_damaged_one() {
    let folder = folder();
    let path = in_folder(&folder);
    let (journal, _) = Journal::open(&path, NODE).await.unwrap();
    let store = Arc::clone(&journal.member.store);
    let newer = |change: &tables::Change<'_>| change.create_tables(codec::VERSION + 1);
    store.write(Durability::Immediate, newer).unwrap();
    journal.close().await.unwrap();
    let error = read_journal(&path).unwrap_err();
    assert!(matches!(error, JournalError::Newer { found: 2, known: 1, .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repaired_journal_goes_on() {
    let folder = folder();
    let path = in_folder(&folder);
    let [_, killed] = images().await;
    std::fs::write(&path, &killed).unwrap();
    let (journal, recovery) = Journal::open(&path, NODE).await.unwrap();
    assert_eq!(recovery.entries, ENTRIES);
    assert_eq!(recovery.torn.as_deref(), Some("it was not closed"));
    assert_eq!(journal.append(vec![entry(ENTRIES)]).await.unwrap(), Seq(ENTRIES));
    assert_eq!(journal.read(Seq(0)).await.unwrap(), numbered(0..=ENTRIES));
    journal.close().await.unwrap();
}
