//! The study of a test, and what it comes to in one process that nobody disturbs.

use crate::run_record::RunRecord;
use crate::sandbox::Sandbox;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use wallaby::wallaby_core::study::Study;

/// The digits example with a small budget: `trials` × `epochs` × (`partitions` + a validation)
/// units of a few milliseconds each. How long they take is for the nodes' faults to say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Plot {
    /// The study's name.
    pub(crate) name: &'static str,
    pub(crate) trials: u32,
    pub(crate) epochs: u32,
    pub(crate) partitions: u32,
}

impl Default for Plot {
    fn default() -> Self {
        Self { name: "digits", trials: 6, epochs: 2, partitions: 6 }
    }
}

impl Plot {
    /// The study file, with its data beside it, as `NAME.toml` in the sandbox.
    pub(crate) fn write(&self, sandbox: &Sandbox) {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        let text = std::fs::read_to_string(examples.join("digits.toml")).unwrap();
        sandbox.write(&format!("{}.toml", self.name), text);
        let data = std::fs::read(examples.join("digits/digits.csv.gz")).unwrap();
        sandbox.write("digits/digits.csv.gz", data);
    }

    /// The arguments of `run` and of `submit`.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let set = |key: &str, value: String| ["--set".to_owned(), format!("{key}={value}")];
        let settings = [
            set("study.name", self.name.to_owned()),
            set("budget.trials", self.trials.to_string()),
            set("budget.epochs", self.epochs.to_string()),
            set("data.partitions", self.partitions.to_string()),
        ];
        [format!("{}.toml", self.name)].into_iter().chain(settings.into_iter().flatten()).collect()
    }

    /// The study at the end of an undisturbed run of one process. Computed once.
    pub(crate) fn undisturbed(&self) -> Arc<Study> {
        static KNOWN: Mutex<BTreeMap<Plot, Arc<Study>>> = Mutex::new(BTreeMap::new());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let study = known.entry(self.clone()).or_insert_with(|| Arc::new(self.run()));
        Arc::clone(study)
    }

    fn run(&self) -> Study {
        let sandbox = Sandbox::new();
        self.write(&sandbox);
        let arguments = self.arguments();
        let mut all = vec!["run", "--run", "undisturbed", "--quiet"];
        all.extend(arguments.iter().map(String::as_str));
        sandbox.wallaby(&all).finish().expect(0);
        RunRecord::read(&sandbox.path("undisturbed")).study
    }
}
