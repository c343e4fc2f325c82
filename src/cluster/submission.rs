//! Hands a study to a cluster: asks where its data is to go, brings there what is missing, then
//! creates the study. Doing it twice is as doing it once.

use super::{Client, ClusterError};
use crate::error::Error;
use crate::launch::Prepared;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::task::JoinSet;
use wallaby_actors::cluster::api_types::{Created, Holder, PlanRequest, PlannedBlob};
use wallaby_core::ids::Digest;
use wallaby_core::journal::Creation;

/// Uploads at the same time.
const UPLOADS: usize = 4;

/// How often a study is planned anew because data that was there has gone.
const ROUNDS_MAX: usize = 3;

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
    ) -> Result<(Created, Upload), Error> {
        let request = self.plan();
        let mut total = Upload::default();
        for round in 1.. {
            let plan = client.plan(&request).await?;
            let mut seen = BTreeSet::new();
            let wanted = self.blobs.iter().zip(plan.holders).zip(plan.missing);
            let wanted = wanted.filter(|((blob, _), missing)| *missing && seen.insert(blob.digest));
            let wanted: Vec<(Blob, Vec<Holder>)> =
                wanted.map(|((blob, holders), _)| (blob.clone(), holders)).collect();
            total = send_all(client, wanted, total, &show).await?;
            match client.create(&self.name, self.priority, &self.creation).await {
                // A node that had some of the data may have gone since; of a name that is taken
                // the plan will tell.
                Err(ClusterError::Refused { status: CONFLICT, .. }) if round < ROUNDS_MAX => {}
                created => return Ok((created?, total)),
            }
        }
        unreachable!("the last round returns")
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
