//! What has come from each sender: how much of it still waits for the inbox, and how much has been
//! taken that the sender has not been told of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::windows::Windows;
use super::{CREDIT_BYTES, Envelope, PEERS_MAX, QUEUE_BYTES_MAX, Wire, member};

/// The accounts of all senders.
#[derive(Debug)]
pub(super) struct Ledger {
    me: String,
    windows: Arc<Windows>,
    accounts: Mutex<BTreeMap<String, Account>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Account {
    waiting: u64,
    untold: u64,
}

impl Ledger {
    pub(super) fn new(me: &str, windows: Arc<Windows>) -> Self {
        Self { me: me.to_owned(), windows, accounts: Mutex::default() }
    }

    /// Counts a letter that has come; false if it is too much and has to be dropped. A sender is
    /// told of those as well: they do not wait.
    pub(super) fn arrived(&self, from: &str, cost: u64) -> bool {
        let mut room = true;
        self.change(from, |account| {
            room = account.waiting + cost <= QUEUE_BYTES_MAX;
            if room {
                account.waiting += cost;
            } else {
                account.untold += cost;
            }
        });
        room
    }

    /// A letter has left the queue.
    pub(super) fn taken(&self, from: &str, cost: u64) {
        self.change(from, |account| {
            account.waiting = account.waiting.saturating_sub(cost);
            account.untold += cost;
        });
    }

    fn change(&self, from: &str, change: impl FnOnce(&mut Account)) {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= PEERS_MAX && !accounts.contains_key(from) {
            accounts.retain(|from, account| account.waiting > 0 || member(from).is_some());
        }
        let account = accounts.entry(from.to_owned()).or_default();
        change(account);
        if account.untold >= CREDIT_BYTES {
            let untold = std::mem::take(&mut account.untold);
            drop(accounts);
            self.tell(from, untold);
        }
    }

    fn tell(&self, from: &str, untold: u64) {
        if from == self.me {
            return self.windows.credit(from, untold);
        }
        // Without a session there is no window any more either.
        if let Some(member) = member(from) {
            let _ = member.send_message(Wire(Envelope::Credit(untold).encode(&self.me)));
        }
    }
}
