//! A disk of a chosen size, to be filled or protected. Only where mounting one is allowed; a check
//! that is to be relied on (`CI` is set) must allow it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A mounted disk in memory; unmounted when dropped.
pub(crate) struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    /// Mounts the disk on a folder, or says that the test is skipped; fails if it must not be.
    pub(crate) fn mount(folder: &'a Path, kilobytes: u32) -> Option<Self> {
        let options = format!("size={kilobytes}k");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "none"]).arg(folder);
        Self::mounted(mount, folder)
    }

    /// Mounts a file on itself: nobody can remove it. Otherwise as [`SmallDisk::mount`].
    pub(crate) fn hold(file: &'a Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.arg("--bind").args([file, file]);
        Self::mounted(mount, file)
    }

    fn mounted(mut mount: Command, path: &'a Path) -> Option<Self> {
        if mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            return Some(Self(path));
        }
        let must = std::env::var_os("CI").is_some() && is_root();
        assert!(!must, "a disk cannot be mounted, and with CI set no test is skipped for it");
        // Past the test runner, which keeps what is printed to itself.
        let words = b"SKIPPED: a small disk, as mounting one is not allowed\n";
        std::io::stderr().write_all(words).unwrap();
        None
    }

    /// Gives it another size.
    pub(crate) fn resize(&self, kilobytes: u32) {
        self.remount(&format!("size={kilobytes}k"));
    }

    /// From now on nothing can be written to it.
    pub(crate) fn protect(&self) {
        self.remount("ro");
    }

    fn remount(&self, option: &str) {
        let options = format!("remount,{option}");
        let status = Command::new("mount").args(["-o", &options]).arg(self.0).status().unwrap();
        assert!(status.success(), "the disk cannot be mounted with {option}");
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n")
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "the test disk stays mounted");
    }
}
