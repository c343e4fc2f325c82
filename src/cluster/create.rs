//! The files of a new cluster: its secret and a configuration to begin with. Overwrites nothing.

use super::config::FILE;
use crate::error::Error;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use wallaby_links::secret::Secret;

/// The name of the secret in a cluster's folder.
pub(crate) const SECRET: &str = "cluster.secret";

const SAMPLE: &str = r#"# A cluster of one node, to begin with. Every key is also a flag of `wallaby node` and a variable,
# for example WALLABY_NODE_SLOTS: a flag beats a variable, a variable beats this file.

[cluster]                             # the same on all nodes, and all that a client needs
secret_file = "cluster.secret"        # relative to this file
seeds = ["127.0.0.1:7701"]            # addresses of some nodes; any one that lives is enough
voters = ["node1"]                    # 1, 3 or 5 names: more than half of these nodes must run
replicas = 2                          # how many nodes hold each partition of the data

[node]                                # each node has its own
name = "node1"                        # if absent, the host's name
data = "node1"                        # a folder for what it stores, relative to this file
listen = "127.0.0.1:7701"             # both TCP and UDP
# advertise = "192.168.0.10:7701"     # how others reach it, if not by `listen`
# slots = 1                           # units at the same time; if absent, the number of cores
device = "cpu"                        # cpu, wgpu, cuda
"#;

/// Makes a folder with a new secret and a sample configuration; gives back what was written.
///
/// # Errors
/// One of both is there already, or the folder cannot be written to.
pub(crate) fn cluster(folder: &Path) -> Result<[PathBuf; 2], Error> {
    let (secret, config) = (folder.join(SECRET), folder.join(FILE));
    for path in [&secret, &config] {
        if path.symlink_metadata().is_ok() {
            return Err(there_already(path));
        }
    }
    std::fs::create_dir_all(folder).map_err(|source| Error::file(folder, source))?;
    self::secret(&secret)?;
    write_new(&config, SAMPLE)?;
    Ok([secret, config])
}

/// A new secret in a new file that only its owner may read.
///
/// # Errors
/// The file is there already, or cannot be written.
pub(super) fn secret(path: &Path) -> Result<(), Error> {
    Secret::generate().write_new(path).map_err(|source| refused(path, source))
}

/// A new file.
///
/// # Errors
/// The file is there already, or cannot be written.
pub(super) fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    let write = || -> std::io::Result<()> {
        let mut file: File = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|source| refused(path, source))
}

fn refused(path: &Path, source: std::io::Error) -> Error {
    match source.kind() {
        ErrorKind::AlreadyExists => there_already(path),
        _ => Error::file(path, source),
    }
}

fn there_already(path: &Path) -> Error {
    let path = path.display();
    Error::Usage(format!("{path} is there already, and is not overwritten: choose another folder"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::config::{ClusterConfig, Given, NodeConfig};

    #[test]
    fn the_sample_is_without_mistakes_and_its_secret_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new");
        let [secret, config] = cluster(&folder).unwrap();
        let client = ClusterConfig::read(&folder, &Given::nothing()).unwrap();
        assert_eq!(client.secret_file, secret);
        assert!(Secret::read(&client.secret_file).is_ok());
        let node = NodeConfig::read(Some(&config), &Given::nothing()).unwrap();
        assert_eq!((node.name.as_str(), node.cluster), ("node1", client));
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "mine").unwrap();
        let error = cluster(folder.path()).unwrap_err().to_string();
        assert!(error.contains("cluster.toml is there already"), "{error}");
        assert!(!folder.path().join(SECRET).exists());
    }
}
