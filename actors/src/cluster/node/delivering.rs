//! Hands letters to whom they are for, and says seldom which of them nobody can read.

use super::super::agent::{AgentMsg, Mail};
use super::super::leader::LeaderMsg;
use super::super::letter::{Letter, News};
use ractor::ActorRef;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{mpsc, watch};
use wallaby_links::complaints::Complaints;

/// Runs until the agent ends, or no more letters come.
pub(super) async fn deliver(
    mut letters: mpsc::Receiver<(String, Vec<u8>)>,
    agent: ActorRef<AgentMsg>,
    mail: Arc<dyn Mail>,
    leader: watch::Receiver<Option<ActorRef<LeaderMsg>>>,
) {
    let mut unreadable = Complaints::default();
    while let Some((from, bytes)) = letters.recv().await {
        match Letter::decode(&bytes) {
            // Here and not by the agent, which may be at something that takes its time.
            Ok(Letter::Beat(term, number)) => {
                mail.send(&from, &Letter::News(term, News::Beat(number)));
            }
            Ok(Letter::Order(term, order)) => {
                if agent.cast(AgentMsg::Order { from, term, order }).is_err() {
                    return;
                }
            }
            Ok(Letter::News(term, news)) => {
                // Without a leader here the news is of an earlier time.
                if let Some(leader) = &*leader.borrow() {
                    let _ = leader.cast(LeaderMsg::News { from, term, news });
                }
            }
            Err(why) => {
                if let Some(due) = unreadable.note(Instant::now(), from) {
                    let from = due.about.as_deref().unwrap_or("many");
                    tracing::warn!(from, why, times = due.times, "a letter that cannot be read");
                }
            }
        }
    }
}
