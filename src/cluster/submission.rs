//! Hands a study to a cluster: asks where its data is to go, brings there what is missing, creates
//! the study, then waits until its data lies on as many nodes as it is to lie on: from then on the
//! cluster answers for it. Doing it twice is as doing it once.

use super::{Client, ClusterError};
use crate::error::Error;
use crate::launch::Prepared;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use wallaby_actors::cluster::api_types::{Created, Holder, PlanRequest, PlannedBlob, StudyPhase};
use wallaby_core::ids::Digest;
use wallaby_core::journal::Creation;

/// Uploads at the same time.
const UPLOADS: usize = 4;

/// How often a study is planned anew because data that was there has gone.
const ROUNDS_MAX: usize = 3;

/// How long the nodes may take to make another copy of its data before it is looked whether some
/// of it has gone with a node.
const COPY_WAIT: Duration = Duration::from_secs(5);

/// How long they may take before it is not waited for any more.
const COPY_WAIT_MAX: Duration = Duration::from_secs(30);

/// Between two looks at how many copies are still to be made.
const LOOK: Duration = Duration::from_millis(50);

/// The status of a study that cannot be created as things are.
const CONFLICT: u16 = 409;

/// A blob on its way.
#[derive(Debug, Clone)]
pub(crate) struct Blob {
    /// Its name.
    pub(crate) digest: Digest,
    /// What it holds.
    pub(crate) bytes: Bytes,
}

/// How far the data has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Upload {
    /// Blobs that were sent.
    pub(crate) blobs: usize,
    /// Blobs that are to be sent.
    pub(crate) blobs_max: usize,
    /// Bytes that were sent.
    pub(crate) bytes: u64,
    /// Bytes that are to be sent.
    pub(crate) bytes_max: u64,
}

/// What has become of a submission.
pub(crate) struct Submitted {
    /// The study.
    pub(crate) study: Created,
    /// What was sent.
    pub(crate) upload: Upload,
    /// Copies of its data that the nodes have not made although they had time to; `None` if nobody
    /// leads that could tell.
    pub(crate) lacking: Option<u64>,
}

/// A study that is to be handed over.
pub(crate) struct Submission {
    name: String,
    priority: Option<u32>,
    creation: Creation,
    blobs: Vec<Blob>,
}

impl Submission {
    /// A study whose data was read, under this name.
    pub(crate) fn new(prepared: Prepared, name: Option<String>, priority: Option<u32>) -> Self {
        let blob = |bytes: Vec<u8>| Blob { digest: Digest::of(&bytes), bytes: bytes.into() };
        let name = name.unwrap_or_else(|| prepared.creation.spec.name.clone());
        let blobs = prepared.blobs.into_iter().map(blob).collect();
        Self { name, priority, creation: prepared.creation, blobs }
    }

    /// Does it; `show` is told of every blob.
    ///
    /// # Errors
    /// No answer, another study of that name, no holder for a blob.
    pub(crate) async fn send(
        self,
        client: &Arc<Client>,
        show: impl Fn(Upload),
    ) -> Result<Submitted, Error> {
        let (study, mut upload) = self.create(client, Upload::default(), &show).await?;
        let mut lacking = await_copies(client, &self.name, COPY_WAIT).await;
        for patience in [COPY_WAIT, COPY_WAIT_MAX] {
            if lacking == Some(0) {
                break;
            }
            // Some of the data may have gone with a node. The study is there: that its data cannot
            // be looked after now is no failure of it.
            if let Ok((_, more)) = self.create(client, upload, &show).await {
                upload = more;
            }
            lacking = await_copies(client, &self.name, patience).await;
        }
        Ok(Submitted { study, upload, lacking })
    }

    /// Brings what no node has, and creates the study, if it is not there.
    async fn create(
        &self,
        client: &Arc<Client>,
        mut upload: Upload,
        show: &impl Fn(Upload),
    ) -> Result<(Created, Upload), Error> {
        let mut round = 1;
        loop {
            upload = self.bring(client, upload, show).await?;
            match client.create(&self.name, self.priority, &self.creation).await {
                // A node that had some of the data may have gone since; of a name that is taken
                // the plan will tell.
                Err(ClusterError::Refused { status: CONFLICT, .. }) if round < ROUNDS_MAX => {}
                created => return Ok((created?, upload)),
            }
            round += 1;
        }
    }

    /// Brings what no node has to where it is to be.
    async fn bring(
        &self,
        client: &Arc<Client>,
        upload: Upload,
        show: &impl Fn(Upload),
    ) -> Result<Upload, Error> {
        let plan = client.plan(&self.plan()).await?;
        let mut seen = BTreeSet::new();
        let wanted = self.blobs.iter().zip(plan.holders).zip(plan.missing);
        let wanted = wanted.filter(|((blob, _), missing)| *missing && seen.insert(blob.digest));
        let wanted = wanted.map(|((blob, holders), _)| (blob.clone(), holders)).collect();
        Ok(send_all(client, wanted, upload, show).await?)
    }

    fn plan(&self) -> PlanRequest {
        let planned = |blob: &Blob| PlannedBlob {
            digest: blob.digest.to_string(),
            bytes: blob.bytes.len() as u64,
        };
        PlanRequest {
            name: self.name.clone(),
            fingerprint: self.creation.fingerprint.to_string(),
            blobs: self.blobs.iter().map(planned).collect(),
        }
    }
}

/// Waits until a study's data lies on as many nodes as it is to lie on, or until nothing has
/// happened to it for so long. Gives back how many copies are still to be made, if somebody tells.
async fn await_copies(client: &Client, name: &str, patience: Duration) -> Option<u64> {
    let (mut least, mut since) = (None, Instant::now());
    loop {
        let study = client.study(name).await.ok();
        if study.as_ref().is_some_and(|study| study.phase == StudyPhase::Ended) {
            return Some(0);
        }
        let lacking = study.and_then(|study| study.data_lacking);
        if lacking == Some(0) {
            return lacking;
        }
        if lacking.is_some_and(|lacking| least.is_none_or(|least| lacking < least)) {
            (least, since) = (lacking, Instant::now());
        } else if since.elapsed() >= patience {
            return lacking;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Several at a time; the first that nobody takes ends it.
async fn send_all(
    client: &Arc<Client>,
    wanted: Vec<(Blob, Vec<Holder>)>,
    mut upload: Upload,
    show: &impl Fn(Upload),
) -> Result<Upload, ClusterError> {
    upload.blobs_max += wanted.len();
    upload.bytes_max += wanted.iter().map(|(blob, _)| blob.bytes.len() as u64).sum::<u64>();
    let mut wanted = wanted.into_iter();
    let mut sending = JoinSet::new();
    loop {
        while sending.len() < UPLOADS {
            let Some((blob, holders)) = wanted.next() else { break };
            let client = Arc::clone(client);
            sending.spawn(async move {
                client.put(&blob, &holders).await.map(|()| blob.bytes.len() as u64)
            });
        }
        let Some(sent) = sending.join_next().await else { return Ok(upload) };
        upload.bytes += sent.expect("an upload neither panics nor is cancelled")?;
        upload.blobs += 1;
        show(upload);
    }
}
