//! Journals that were torn, lengthened, cut or changed: mended and said so, or named and refused;
//! never another result.

use crate::run_record::flip_byte;
use crate::sandbox::Sandbox;
use std::fs::{self, OpenOptions};
use wallaby::wallaby_core::ids::{NodeId, Seq};
use wallaby::wallaby_core::journal::FORMAT;
use wallaby::wallaby_core::seed::Seed;
use wallaby_actors::journal::Journal;

/// How many places of a journal are damaged, one after the other.
const PLACES: u64 = 40;

/// Kills a run in its middle.
fn killed(sandbox: &Sandbox, run: &str) {
    let mut process = sandbox.study(run, &["--json"]).faults("delay:5").start();
    for _ in 0..20 {
        process.await_event("unit_committed");
    }
    process.kill();
}

#[test]
fn a_torn_or_lengthened_tail_is_mended_and_said_so() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    for (run, change, words) in [
        ("torn", -100_i64, "100 bytes were missing at its end"),
        ("long", 777, "777 bytes that do not belong to it were cut off its end"),
    ] {
        killed(&sandbox, run);
        let journal = sandbox.path(run).join("journal.redb");
        let length = fs::metadata(&journal).unwrap().len();
        let file = OpenOptions::new().write(true).open(&journal).unwrap();
        file.set_len(length.checked_add_signed(change).unwrap()).unwrap();
        let resumed = sandbox.wallaby(&["resume", run]).finish().expect(0);
        let resumed = resumed.complains("the journal was mended: it was not closed");
        resumed.complains(words);
        assert_eq!(sandbox.hashes(run), expected);
    }
}

#[test]
fn a_changed_byte_anywhere_is_named_or_harmless() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    let length = fs::metadata(sandbox.path("undisturbed/journal.redb")).unwrap().len();
    let mut named = 0;
    for place in 0..PLACES {
        // One in each stretch of the file: header, middle, end.
        let within = Seed::of_study(place).to_u64() % (length / PLACES);
        let at = place * (length / PLACES) + within;
        sandbox.copy("undisturbed", "damaged");
        flip_byte(&sandbox.path("damaged/journal.redb"), at as usize);
        let read = sandbox.wallaby(&["hashes", "damaged"]).finish();
        match read.code() {
            Some(0) => assert_eq!(read.out, expected, "byte {at}"),
            Some(7) => {
                named += 1;
                assert_eq!(read.out, "", "byte {at}: nothing of it is used");
                read.complains("damaged/journal.redb is damaged");
            }
            _ => panic!("byte {at}: {read:#?}"),
        }
    }
    assert!(named > 0, "not one of {PLACES} places was noticed");
}

#[test]
fn a_journal_that_is_empty_or_something_else_is_named_and_left_alone() {
    let sandbox = Sandbox::new();
    sandbox.undisturbed(&[]);
    for (text, words) in [("", "it is empty"), ("not a journal at all", "not those of a journal")] {
        sandbox.write("undisturbed/journal.redb", text);
        for command in ["hashes", "resume", "best", "verify"] {
            let refused = sandbox.wallaby(&[command, "undisturbed"]).finish().expect(7);
            refused.complains(words);
        }
        assert_eq!(sandbox.read("undisturbed/journal.redb"), text);
    }
}

#[test]
fn a_journal_that_is_gone_is_told_and_the_study_starts_again_to_the_same_end() {
    let sandbox = Sandbox::new();
    let expected = sandbox.undisturbed(&[]);
    killed(&sandbox, "run");
    fs::remove_file(sandbox.path("run/journal.redb")).unwrap();
    let resumed = sandbox.wallaby(&["resume", "run"]).finish().expect(0);
    resumed.complains("run/journal.redb is missing: the study starts from its beginning");
    assert_eq!(sandbox.hashes("run"), expected);
}

#[test]
fn a_record_of_a_newer_version_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.undisturbed(&[]);
    let newer = (FORMAT + 1).to_le_bytes().to_vec();
    let path = sandbox.path("undisturbed/journal.redb");
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (journal, recovery) = Journal::open(&path, NodeId(1)).await.unwrap();
        assert_eq!(journal.append(vec![newer]).await.unwrap(), Seq(recovery.entries));
        journal.close().await.unwrap();
    });
    for command in ["hashes", "resume"] {
        let refused = sandbox.wallaby(&[command, "undisturbed"]).finish().expect(6);
        refused.complains(&format!("record format {} is newer than {FORMAT}", FORMAT + 1));
    }
}
