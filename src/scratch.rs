//! A folder for what is needed for a moment, removed with everything in it when it is dropped.

use crate::error::Error;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// How often a removal is tried that finds new files in its way.
const TRIES_MAX: usize = 10;

/// A folder of this process alone.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A new folder in `parent`.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn new(parent: &Path) -> Result<Self, Error> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!(".wallaby-{}-{count}", std::process::id()));
        // One of that name is of an earlier process, which did not live to remove it.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).map_err(|source| Error::file(&path, source))?;
        Ok(Self(path))
    }

    /// A path in it.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Who was writing into it a moment ago may be in the way; nobody is left to be told.
        let is_gone = || std::fs::remove_dir_all(&self.0).is_ok() || !self.0.exists();
        let _ = (0..TRIES_MAX).any(|_| is_gone());
    }
}
