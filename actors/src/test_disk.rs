//! A small disk for tests of what happens when it is full. Only on systems that let us mount one.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A disk of four megabytes; unmounted when dropped.
pub(crate) struct SmallDisk(TempDir);

impl SmallDisk {
    /// Mounts the disk, or says that the test is skipped.
    pub(crate) fn mount() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let mount = ["-t", "tmpfs", "-o", "size=4m", "none"];
        let mounted = Command::new("mount").args(mount).arg(folder.path()).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(folder));
        }
        writeln!(std::io::stderr(), "SKIPPED: a full disk, as mounting one is not allowed")
            .unwrap();
        None
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.0.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "the test disk stays mounted");
    }
}
