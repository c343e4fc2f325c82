//! From a study file, or from a run folder, to a study that can run: reads and cuts the data,
//! opens the journal, sets up the workbench.

use crate::error::Error;
use crate::recorded::{Facts, facts, replay, study_file};
use crate::run_folder::{About, FolderError, Lock, RunFolder};
use crate::study_file::{Device as DeviceName, StudyFile};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use wallaby_actors::blobs::BlobStore;
use wallaby_actors::fault::Faults;
use wallaby_actors::journal::{Journal, Recovery};
use wallaby_actors::journal_actor::decode_records;
use wallaby_actors::partitions::Partitions;
use wallaby_actors::workbench::{Source, Workbench};
use wallaby_core::ids::{Digest, NodeId, Seq};
use wallaby_core::journal::{Blob, Creation, Entry, Manifest, Record};
use wallaby_core::seed::Seed;
use wallaby_core::study::Study;
use wallaby_data::{DataSet, Partition};
use wallaby_train::{Device, DeviceKind, Family, Registry};

/// The only node of a run on one machine.
pub(crate) const THIS_NODE: NodeId = NodeId(1);

/// The environment variable that injects faults, for tests of the real program.
const FAULTS: &str = "WALLABY_FAULTS";

/// A study whose data has been read.
pub(crate) struct Prepared {
    pub(crate) file: StudyFile,
    pub(crate) data: DataSet,
    pub(crate) creation: Creation,
    /// The partitions in order, then the validation rows, as bytes.
    pub(crate) blobs: Vec<Vec<u8>>,
}

/// A study file, read and checked.
pub(crate) fn read_study(
    path: &Path,
    overrides: &[String],
    registry: &Registry,
) -> Result<StudyFile, Error> {
    let refused = |source| no_study_file(path, source);
    let kind = std::fs::metadata(path).map_err(refused)?.file_type();
    // Reading a pipe would wait for somebody to write.
    if !kind.is_file() && !kind.is_dir() {
        let path = path.display();
        let problem = format!("{path}: is a pipe or a device, expected a study file, TOML or JSON");
        return Err(Error::Usage(problem));
    }
    let bytes = std::fs::read(path).map_err(refused)?;
    let name = path.to_string_lossy();
    let text = String::from_utf8(bytes).map_err(|error| {
        let line =
            error.as_bytes()[..error.utf8_error().valid_up_to()].split(|b| *b == b'\n').count();
        Error::NotUtf8 { path: path.to_owned(), line }
    })?;
    let families: Vec<_> = registry.families().map(|f| (f.name(), f.parameters())).collect();
    StudyFile::parse(&text, &name, overrides, &families).map_err(Error::Mistakes)
}

fn no_study_file(path: &Path, source: std::io::Error) -> Error {
    let (path, expected) = (path.display(), "expected a study file, TOML or JSON");
    match source.kind() {
        ErrorKind::NotFound => Error::Usage(format!("{path}: no such file, {expected}")),
        ErrorKind::IsADirectory => Error::Usage(format!("{path}: is a folder, {expected}")),
        ErrorKind::PermissionDenied => {
            Error::Usage(format!("{path}: permission denied, {expected} that may be read"))
        }
        _ => Error::file(Path::new(&path.to_string()), source),
    }
}

/// Reads and cuts the data of a study.
pub(crate) fn prepare(mut file: StudyFile) -> Result<Prepared, Error> {
    let data = read_data(&file)?;
    let spec = file.spec(&data.problem).map_err(Error::Mistakes)?;
    let blobs: Vec<Vec<u8>> = partitions_of(&data).map(Partition::to_bytes).collect();
    let mut described: Vec<Blob> = partitions_of(&data)
        .zip(&blobs)
        .map(|(partition, bytes)| describe(partition, bytes))
        .collect();
    let validation = described.pop().expect("the validation rows are the last blob");
    let mut whole = file.fingerprint().0.to_vec();
    described.iter().chain([&validation]).for_each(|blob| whole.extend(blob.digest.0));
    // The journal must find the data from wherever the study is resumed.
    if let Ok(absolute) = std::path::absolute(Path::new(&file.data.folder).join(".")) {
        file.data.folder = absolute.to_string_lossy().into_owned();
    }
    let facts = Facts { problem: data.problem.clone(), scaling: data.scaling.clone() };
    let problem = serde_json::to_string(&facts).expect("texts and numbers are JSON");
    let creation = Creation {
        spec,
        manifest: Manifest { partitions: described, validation, problem },
        document: file.canonical(),
        fingerprint: Digest::of(&whole),
    };
    Ok(Prepared { file, data, creation, blobs })
}

fn read_data(file: &StudyFile) -> Result<DataSet, Error> {
    let seed = Seed::of_study(file.seed).child("split").0;
    let read = file.data.source().read().and_then(|table| table.split(&file.data.split(seed)));
    read.map_err(|error| {
        let blame = file.blame(&error);
        Error::StudyData { blame, error: Box::new(error) }
    })
}

/// The training partitions, then the validation rows.
fn partitions_of(data: &DataSet) -> impl Iterator<Item = &Partition> {
    data.train.iter().chain([&data.validation])
}

fn describe(partition: &Partition, bytes: &[u8]) -> Blob {
    let (digest, rows) = (Digest::of(bytes), partition.rows() as u64);
    Blob { digest, rows, bytes: bytes.len() as u64 }
}

/// The device that a study asks for.
pub(crate) fn open_device(file: &StudyFile) -> Result<Device, Error> {
    device_named(file.run.device)
}

/// A device of this machine.
pub(crate) fn device_named(name: DeviceName) -> Result<Device, Error> {
    let kind = match name {
        DeviceName::Cpu => DeviceKind::Cpu,
        DeviceName::Wgpu => DeviceKind::Wgpu { index: 0 },
        DeviceName::Cuda => DeviceKind::Cuda { index: 0 },
    };
    Ok(Device::open(kind)?)
}

/// Which run folder a command is to work in.
pub(crate) fn choose_folder(
    prepared: &Prepared,
    run: Option<&Path>,
    new: bool,
) -> Result<(RunFolder, Lock), Error> {
    let study = &prepared.creation.spec.name;
    let fingerprint = prepared.creation.fingerprint.to_string();
    if let Some(path) = run {
        let folder = RunFolder::at(path);
        // Before the lock, whose file is not to lie in a folder that is somebody else's; and once
        // more, because another process may have made the folder its own in between.
        require_ours(&folder, &fingerprint, new)?;
        let lock = folder.lock()?;
        require_ours(&folder, &fingerprint, new)?;
        return Ok((folder, lock));
    }
    let runs = RunFolder::runs_of(study)?;
    let last = runs.last().map_or(0, |(number, _)| *number);
    for (_, folder) in runs.into_iter().rev().filter(|_| !new) {
        if is_unfinished(&folder, &fingerprint) {
            let lock = folder.lock()?;
            if is_unfinished(&folder, &fingerprint) {
                return Ok((folder, lock));
            }
        }
    }
    new_folder(study, last)
}

/// Refuses the folder of another study, and any study's if a `new` one is to begin.
pub(crate) fn require_ours(
    folder: &RunFolder,
    fingerprint: &str,
    new: bool,
) -> Result<(), FolderError> {
    let path = || folder.path().to_owned();
    match folder.about()? {
        Some(_) if new => Err(FolderError::Taken { path: path() }),
        Some(about) if about.fingerprint != fingerprint => {
            Err(FolderError::OtherStudy { path: path(), found: about.study })
        }
        _ => Ok(()),
    }
}

/// Whether the study can be gone on with here. A folder that cannot be read, or is something else,
/// is not in the way of a new one.
fn is_unfinished(folder: &RunFolder, fingerprint: &str) -> bool {
    matches!(folder.about(), Ok(Some(about)) if about.fingerprint == fingerprint && !about.ended)
}

/// The first folder after number `last` that nobody has.
fn new_folder(study: &str, last: u64) -> Result<(RunFolder, Lock), Error> {
    let mut number = last;
    loop {
        let used_up = || {
            let path = RunFolder::numbered(study, number).path().to_owned();
            FolderError::NoNumber { path }
        };
        number = number.checked_add(1).ok_or_else(used_up)?;
        let folder = RunFolder::numbered(study, number);
        // Two processes may look at the same moment: the lock tells who was first.
        match folder.lock() {
            Ok(lock) if folder.about()?.is_none() => return Ok((folder, lock)),
            Ok(_) | Err(FolderError::InUse { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// A study ready to run.
pub(crate) struct Session {
    pub(crate) folder: RunFolder,
    pub(crate) journal: Journal,
    pub(crate) recovery: Recovery,
    pub(crate) study: Study,
    pub(crate) recorded: Seq,
    pub(crate) workbench: Arc<Workbench>,
    pub(crate) facts: Facts,
    pub(crate) file: StudyFile,
    /// Whether there are blobs of a journal that is gone: the study starts from its beginning.
    pub(crate) journal_lost: bool,
    _lock: Lock,
}

impl Session {
    /// Opens a run, or begins it if its journal is empty: then the data is needed, from
    /// `prepared` or read again.
    pub(crate) async fn open(
        folder: RunFolder,
        lock: Lock,
        prepared: Option<Prepared>,
        registry: &Registry,
    ) -> Result<Self, Error> {
        let begun = folder.about()?;
        if let (None, Some(prepared)) = (&begun, &prepared) {
            folder.write("study.json", prepared.creation.document.as_bytes())?;
            folder.set_about(&About::new(&prepared.file.name, prepared.creation.fingerprint))?;
        }
        let journal_lost = !folder.journal().exists() && has_blobs(&folder);
        let (journal, recovery) = Journal::open(&folder.journal(), THIS_NODE).await?;
        let mut entries = decode_records(journal.read(Seq(0)).await?)?;
        let blobs = Arc::new(BlobStore::open(&folder.blobs())?);
        if entries.is_empty() {
            let prepared = match (prepared, begun) {
                (Some(prepared), _) => prepared,
                (None, about) => prepare_again(&folder, about, registry)?,
            };
            entries.push(begin(prepared, &journal, &blobs).await?);
        }
        let study = replay(&folder, &entries)?;
        let (file, facts) = (study_file(&study, registry)?, facts(&folder, &study)?);
        let workbench = Arc::new(workbench(&study, &file, &facts, blobs, registry)?);
        let recorded = Seq(entries.len() as u64);
        Ok(Self {
            folder,
            journal,
            recovery,
            study,
            recorded,
            workbench,
            facts,
            file,
            journal_lost,
            _lock: lock,
        })
    }

    /// The study as its journal tells it now.
    pub(crate) async fn fold(&self) -> Result<Study, Error> {
        let entries = decode_records(self.journal.read(Seq(0)).await?)?;
        replay(&self.folder, &entries)
    }
}

/// Whether there is anything in the folder of blobs, which a journal is opened before.
fn has_blobs(folder: &RunFolder) -> bool {
    std::fs::read_dir(folder.blobs()).is_ok_and(|mut entries| entries.next().is_some())
}

/// Reads and cuts the data of a run that has begun, but has not recorded that yet: it must be the
/// data that it began with.
fn prepare_again(
    folder: &RunFolder,
    about: Option<About>,
    registry: &Registry,
) -> Result<Prepared, Error> {
    let study = folder.join("study.json");
    let prepared = prepare(read_study(&study, &[], registry)?)?;
    match about {
        Some(about) if about.fingerprint != prepared.creation.fingerprint.to_string() => {
            Err(Error::DataChanged { data: prepared.file.data.source().path, study })
        }
        _ => Ok(prepared),
    }
}

/// Stores the data, then records the study's creation: in this order, so that a recorded study
/// has its data.
async fn begin(prepared: Prepared, journal: &Journal, blobs: &BlobStore) -> Result<Entry, Error> {
    for bytes in prepared.blobs {
        blobs.put(bytes, true)?;
    }
    let at = wallaby_actors::clock::Clock::start().now();
    let record = Record::StudyCreated(Box::new(prepared.creation));
    let entry = Entry { at, record };
    journal.append(vec![entry.encode()]).await?;
    Ok(entry)
}

/// What the trainers of a study work with on this machine alone.
pub(crate) fn workbench(
    study: &Study,
    file: &StudyFile,
    facts: &Facts,
    blobs: Arc<BlobStore>,
    registry: &Registry,
) -> Result<Workbench, Error> {
    let source = file.clone();
    let source: Box<Source> = Box::new(move |wanted| read_again(&source, wanted));
    workbench_on(open_device(file)?, &study.creation, facts, blobs, source, registry)
}

/// What the trainers of a study work with on a device; `source` gives data again.
pub(crate) fn workbench_on(
    device: Device,
    creation: &Creation,
    facts: &Facts,
    blobs: Arc<BlobStore>,
    source: Box<Source>,
    registry: &Registry,
) -> Result<Workbench, Error> {
    let spec = &creation.spec;
    let family = registry.get(&spec.family).ok_or_else(|| {
        let known = registry.names().join(", ");
        Error::Usage(format!("model.family = {:?}: expected one of {known}", spec.family))
    })?;
    let faults: Faults = match std::env::var(FAULTS) {
        Ok(text) => text.parse().map_err(|error| Error::Usage(format!("{FAULTS}: {error}")))?,
        Err(_) => Faults::default(),
    };
    Ok(Workbench {
        family: Arc::<dyn Family>::clone(family),
        problem: facts.problem.clone(),
        device,
        blobs,
        manifest: creation.manifest.clone(),
        seed: spec.seed,
        source,
        faults,
        partitions: Partitions::default(),
    })
}

/// The bytes of a partition from the original data.
pub(crate) fn read_again(file: &StudyFile, wanted: Digest) -> Result<Vec<u8>, String> {
    let data = read_data(file).map_err(|error| error.to_string())?;
    let mut all = partitions_of(&data).map(Partition::to_bytes);
    let path = file.data.source().path;
    all.find(|bytes| Digest::of(bytes) == wanted)
        .ok_or_else(|| format!("{}: the data has changed since the study began", path.display()))
}
