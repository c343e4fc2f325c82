//! Nodes that introduce themselves: reports that come in parts, put together.

use super::super::letter::Introduction;
use std::collections::BTreeMap;
use wallaby_core::cluster::Report;
use wallaby_core::ids::{Digest, Stamp};

/// Reports of which parts are still to come, by session.
#[derive(Default)]
pub(super) struct Introductions {
    unfinished: BTreeMap<String, Report>,
}

impl Introductions {
    /// A node introduces itself; its report, if that is all of it.
    pub(super) fn introduce(&mut self, session: &str, from: Introduction) -> Option<Report> {
        let Introduction { node, boot, name, slots, numerics, room, draining, told, empty } = from;
        if session != format!("{name}#{boot}") {
            return None;
        }
        let held = Vec::new();
        let report = Report { node, boot, name, slots, numerics, room, held, draining, told };
        if empty {
            return Some(report);
        }
        self.unfinished.insert(session.to_owned(), report);
        None
    }

    /// Another part of a report; the whole of it with the last.
    pub(super) fn add_blobs(
        &mut self,
        session: &str,
        boot: u64,
        blobs: Vec<(Digest, Stamp)>,
        last: bool,
    ) -> Option<Report> {
        let report = self.unfinished.get_mut(session).filter(|report| report.boot == boot)?;
        report.held.extend(blobs);
        if !last {
            return None;
        }
        self.unfinished.remove(session)
    }

    /// The other parts will not come.
    pub(super) fn forget(&mut self, session: &str) {
        self.unfinished.remove(session);
    }
}
