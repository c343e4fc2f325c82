//! The courier: looks after blobs on behalf of the scheduler, outside its mailbox. On a single
//! node nothing has to be moved; it removes checkpoints that nobody needs.

use crate::blobs::BlobStore;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use std::collections::BTreeSet;
use std::sync::Arc;
use wallaby_core::ids::Digest;

/// What the courier is told.
pub enum CourierMsg {
    /// Remove this checkpoint.
    Release(Digest),
    /// Remove every blob but these, what an earlier process left behind, and say when it is done:
    /// a blob that is stored meanwhile would be removed too.
    Sweep(BTreeSet<Digest>, RpcReplyPort<()>),
}

impl ractor::Message for CourierMsg {}

/// The actor that owns the removal of blobs.
pub struct Courier;

impl Actor for Courier {
    type Msg = CourierMsg;
    type State = Arc<BlobStore>;
    type Arguments = Arc<BlobStore>;

    async fn pre_start(
        &self,
        _: ActorRef<CourierMsg>,
        blobs: Arc<BlobStore>,
    ) -> Result<Arc<BlobStore>, ActorProcessingErr> {
        Ok(blobs)
    }

    async fn handle(
        &self,
        _: ActorRef<CourierMsg>,
        message: CourierMsg,
        blobs: &mut Arc<BlobStore>,
    ) -> Result<(), ActorProcessingErr> {
        let blobs = Arc::clone(blobs);
        // A blob that cannot be removed costs room and nothing else: the next sweep tries again.
        tokio::task::spawn_blocking(move || match message {
            CourierMsg::Release(state) => remove(&blobs, &state),
            CourierMsg::Sweep(kept, reply) => {
                sweep(&blobs, &kept);
                // Whoever asked may be gone.
                let _ = reply.send(());
            }
        })
        .await?;
        Ok(())
    }
}

fn remove(blobs: &BlobStore, digest: &Digest) {
    if let Err(error) = blobs.remove(digest) {
        tracing::warn!(%digest, %error, "a released blob stays");
    }
}

fn sweep(blobs: &BlobStore, kept: &BTreeSet<Digest>) {
    match blobs.list() {
        Ok(all) => {
            all.iter().filter(|digest| !kept.contains(digest)).for_each(|d| remove(blobs, d))
        }
        Err(error) => tracing::warn!(%error, "blobs cannot be listed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[tokio::test]
    async fn a_sweep_is_over_when_it_says_so_and_spares_what_comes_after() {
        let folder = TempDir::new().unwrap();
        let blobs = Arc::new(BlobStore::open(folder.path()).unwrap());
        let old: Vec<Digest> =
            (0..100u8).map(|byte| blobs.put(vec![byte], false).unwrap()).collect();
        let (courier, handle) = Actor::spawn(None, Courier, Arc::clone(&blobs)).await.unwrap();

        let kept = BTreeSet::from([old[7]]);
        ractor::call_t!(courier, CourierMsg::Sweep, 60_000, kept).unwrap();
        let new = blobs.put(b"new".to_vec(), false).unwrap();
        courier.cast(CourierMsg::Release(Digest::of(b"unknown"))).unwrap();
        courier.stop(None);
        handle.await.unwrap();

        let mut expected = [old[7], new];
        expected.sort();
        assert_eq!(blobs.list().unwrap(), expected);
    }
}
