//! Why connections were refused, said once a minute for each address: a stranger that tries a
//! thousand times a second does not fill a disk.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::Error as TlsError;

/// How often an address is written about.
const PERIOD: Duration = Duration::from_secs(60);
/// How many addresses are remembered; while there are more, further ones go without a line.
const ADDRESSES_MAX: usize = 1024;

/// Why a connection was refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// It shows no certificate of this cluster, or does not take ours for one of its own.
    #[error("it has another cluster secret, or none")]
    Stranger,
    /// What it says is not TLS 1.3.
    #[error("it speaks something else than TLS 1.3 ({0})")]
    NotTls(String),
    /// It did not finish its handshake.
    #[error("its handshake took more than {0:?}")]
    Silent(Duration),
    /// It asks for a protocol that is not spoken here, or for none.
    #[error("it asks for no protocol that is spoken here; it may be another version")]
    NoProtocol,
    /// There are too many connections of its kind.
    #[error("there are too many {0}")]
    Full(&'static str),
    /// It went away.
    #[error("it was lost: {0}")]
    Lost(io::Error),
}

impl Refusal {
    /// What a handshake that failed says about the peer.
    pub(super) fn from_handshake(error: io::Error) -> Self {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
        match tls {
            None => Self::Lost(error),
            Some(TlsError::NoApplicationProtocol) => Self::NoProtocol,
            Some(
                TlsError::InvalidCertificate(_)
                | TlsError::NoCertificatesPresented
                | TlsError::AlertReceived(_),
            ) => Self::Stranger,
            Some(other) => Self::NotTls(other.to_string()),
        }
    }
}

/// Writes refusals into the log, seldom.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    told: Mutex<HashMap<Option<IpAddr>, Instant>>,
}

impl Refusals {
    /// Says why a connection from `address` was refused, unless that was said a moment ago.
    pub(super) fn report(&self, address: IpAddr, refusal: &Refusal) {
        if let Refusal::Lost(error) = refusal {
            // Scans and health checks connect and go away.
            tracing::debug!(peer = %address, "lost a connection in its handshake: {error}");
        } else if self.is_due(Some(address), Instant::now()) {
            tracing::warn!("refused a connection from {address}: {refusal}");
        }
    }

    /// Says why no connection can be accepted, unless that was said a moment ago.
    pub(super) fn report_accept(&self, error: &io::Error) {
        if self.is_due(None, Instant::now()) {
            tracing::error!("cannot accept connections at the moment: {error}");
        }
    }

    fn is_due(&self, address: Option<IpAddr>, now: Instant) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= ADDRESSES_MAX {
            told.retain(|_, at| now.duration_since(*at) < PERIOD);
        }
        let due = match told.get(&address) {
            Some(at) => now.duration_since(*at) >= PERIOD,
            None => told.len() < ADDRESSES_MAX,
        };
        if due {
            told.insert(address, now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_about_once_a_minute() {
        let (refusals, start) = (Refusals::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let (one, two) = (Some([10, 0, 0, 1].into()), Some([10, 0, 0, 2].into()));
        assert!(refusals.is_due(one, at(0)));
        assert!(!refusals.is_due(one, at(1)));
        assert!(refusals.is_due(two, at(1)));
        assert!(!refusals.is_due(one, at(59)));
        assert!(refusals.is_due(one, at(60)));
    }

    #[test]
    fn ten_thousand_addresses_are_not_all_remembered() {
        let (refusals, start) = (Refusals::default(), Instant::now());
        let lines = (0..10_000_u32)
            .filter(|number| refusals.is_due(Some(IpAddr::from(number.to_be_bytes())), start))
            .count();
        assert_eq!(lines, ADDRESSES_MAX);
        let later = start + PERIOD;
        assert!(refusals.is_due(Some([255, 0, 0, 1].into()), later));
    }
}
