//! Studies out of nothing, so that they run anywhere. Their trials never end by themselves.

use crate::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// How many partitions: two for each node.
const PARTITIONS: u32 = 6;

/// What a study is to be like.
pub(super) struct Made {
    pub(super) name: &'static str,
    pub(super) rows: u32,
    pub(super) features: u32,
    /// The widths of the hidden layers of its perceptron.
    pub(super) hidden: &'static str,
    /// How many trials, all of them under way.
    pub(super) trials: u32,
}

impl Made {
    /// Writes its file and its data into a new folder; gives back the path of the file.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn write(&self, folder: &Path) -> Result<PathBuf, Error> {
        std::fs::create_dir_all(folder).map_err(|source| Error::file(folder, source))?;
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(|source| Error::file(&path, source))?;
            Ok(path)
        };
        write("data.csv", self.data())?;
        write("study.toml", self.study())
    }

    /// Two classes, told apart by the first feature.
    fn data(&self) -> String {
        let mut text: String = (0..self.features).map(|column| format!("x{column},")).collect();
        text += "class\n";
        for row in 0..self.rows {
            for column in 0..self.features {
                // Spread evenly enough; nothing is to be learned from it.
                let value = (row * 7919 + column * 104_729) % 1009;
                let _ = write!(text, "{:.3},", f64::from(value) / 1009.0);
            }
            text += if row * 7919 % 1009 < 505 { "low\n" } else { "high\n" };
        }
        text
    }

    fn study(&self) -> String {
        let Self { name, hidden, trials, .. } = self;
        format!(
            "[study]\nname = \"{name}\"\nseed = 1\n\n\
             [data]\npath = \"data.csv\"\ntarget = \"class\"\ntask = \"classification\"\n\
             partitions = {PARTITIONS}\n\n\
             [model]\nfamily = \"mlp\"\nhidden = {hidden}\noptimizer = \"adam\"\n\n\
             [search]\nsampler = \"random\"\nconcurrency = {trials}\n\n\
             [search.space]\nlearning_rate = {{ low = 1e-5, high = 1e-4, scale = \"log\" }}\n\n\
             [budget]\ntrials = {trials}\nepochs = 100000\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BUSY, LARGE, MANY, QUICK, TINY};
    use crate::launch::{prepare, read_study};
    use wallaby_train::Registry;

    #[test]
    fn every_study_that_is_measured_with_is_one_whose_file_and_data_have_no_mistakes() {
        let folder = tempfile::tempdir().unwrap();
        for made in [QUICK, TINY, LARGE, BUSY, MANY] {
            let file = made.write(&folder.path().join(made.name)).unwrap();
            let prepared = prepare(read_study(&file, &[], &Registry::built_in()).unwrap()).unwrap();
            assert_eq!(prepared.creation.manifest.partitions.len(), 6, "{}", made.name);
            assert_eq!(prepared.creation.spec.search.concurrency, Some(made.trials));
        }
    }
}
