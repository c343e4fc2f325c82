//! A disk that fills up: said clearly, and after some room is made the study ends as if nothing
//! had happened.

use crate::process::Finished;
use crate::sandbox::Sandbox;
use crate::small_disk::SmallDisk;
use std::fs;

/// From too small for a journal to too small for the checkpoints of six trials.
const KILOBYTES: [u32; 5] = [40, 120, 240, 400, 700];

/// Room for everything.
const PLENTY: u32 = 64 << 10;

/// Checkpoints of a megabyte together.
const WIDE: [&str; 2] = ["--set", "model.hidden=[64, 64]"];

fn assert_is_told(stopped: &Finished, kilobytes: u32) {
    let words = stopped.err.to_lowercase();
    assert!(words.contains("no space left"), "{kilobytes} kB: {stopped:#?}");
    assert!(stopped.err.contains("wallaby resume disk/run"), "{kilobytes} kB: {stopped:#?}");
}

#[test]
fn a_full_disk_is_told_and_the_study_goes_on_when_there_is_room() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("disk");
    fs::create_dir(&folder).unwrap();
    let expected = sandbox.undisturbed(&WIDE);
    let mut paused = 0;
    for kilobytes in KILOBYTES {
        let Some(disk) = SmallDisk::mount(&folder, kilobytes) else { return };
        let stopped = sandbox.study("disk/run", &WIDE).finish().expect(8);
        assert_is_told(&stopped, kilobytes);
        paused += u32::from(stopped.out.contains("running"));
        disk.resize(PLENTY);
        let resumed = sandbox.study("disk/run", &WIDE).finish().expect(0);
        assert!(resumed.out.contains("results in disk/run"), "{resumed:#?}");
        assert_eq!(sandbox.hashes("disk/run"), expected, "{kilobytes} kB");
    }
    assert!(paused >= 2, "some of these disks must fill up while the study runs");
}
