//! The deciding half of a cluster: several studies under one leader, on nodes that come and go.
//!
//! The [`Coordinator`] owns an engine for each study and everything they share: which nodes there
//! are, which blobs lie where, who gets the next slot. Like an engine it takes events, answers
//! with commands, and never reads a clock. The [`Catalog`] is the fold over the cluster's journal,
//! which every voter keeps; a new coordinator is made from it.

mod catalog;
mod coordinator;
mod placement;
mod record;
mod roll;
mod share;
pub mod simulation;

pub use catalog::{Catalog, CatalogError, Listed};
pub use coordinator::{ClusterCommand, ClusterEvent, Coordinator, Purpose, Report, Ticket};
pub use placement::{Placement, Room, place};
pub use record::{CLUSTER_FORMAT, ClusterRecord, PRIORITIES, PRIORITY, StudyId, Wanted};
pub use roll::{Presence, Roll, Sight};
