//! What can go wrong between this process and a peer, told apart by what helps.

use std::error::Error;
use std::io;
use std::time::Duration;

use http::StatusCode;
use hyper_util::client::legacy::Error as ClientError;
use rustls::Error as TlsError;

use super::dial::DialError;

/// Why a peer gave no answer, or not the one that was hoped for.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// No connection: nobody listens there, the name is unknown, the network is cut.
    #[error("cannot reach {address}: {source}")]
    Unreachable {
        /// The peer's address.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// The peer belongs to another cluster, or this process does.
    #[error("{address} has another cluster secret")]
    OtherSecret {
        /// The peer's address.
        address: String,
    },
    /// The peer speaks another version, or is no node at all.
    #[error("{address} is of another version: {words}")]
    OtherProtocol {
        /// The peer's address.
        address: String,
        /// What it says.
        words: String,
    },
    /// The peer did not answer in time; what was asked may have been done nevertheless.
    #[error("{address} did not answer within {after:?}")]
    TimedOut {
        /// The peer's address.
        address: String,
        /// How long was waited.
        after: Duration,
    },
    /// The peer answered that it will not.
    #[error("{address} refuses with {status}: {words}")]
    Refused {
        /// The peer's address.
        address: String,
        /// The status of its answer.
        status: StatusCode,
        /// What it says.
        words: String,
    },
    /// The connection broke; what was asked may have been done nevertheless.
    #[error("the connection to {address} broke: {detail}")]
    Broken {
        /// The peer's address.
        address: String,
        /// How.
        detail: String,
    },
}

impl LinkError {
    /// The peer's address.
    #[must_use]
    pub fn address(&self) -> &str {
        match self {
            Self::Unreachable { address, .. }
            | Self::OtherSecret { address }
            | Self::OtherProtocol { address, .. }
            | Self::TimedOut { address, .. }
            | Self::Refused { address, .. }
            | Self::Broken { address, .. } => address,
        }
    }

    /// The status with which the peer refused, if it did.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    pub(super) fn timed_out(address: &str, after: Duration) -> Self {
        Self::TimedOut { address: address.to_owned(), after }
    }

    pub(super) fn not_an_address(address: &str, error: &http::Error) -> Self {
        let words = format!("expected host:port and a path: {error}");
        let source = io::Error::new(io::ErrorKind::InvalidInput, words);
        Self::Unreachable { address: address.to_owned(), source }
    }

    pub(super) fn broken(address: &str, error: &(dyn Error + 'static)) -> Self {
        match find::<TlsError>(error) {
            Some(tls) => Self::from_tls(address, tls),
            None => Self::Broken { address: address.to_owned(), detail: chain(error) },
        }
    }

    pub(super) fn from_dial(address: &str, error: DialError) -> Self {
        let address = address.to_owned();
        match error {
            DialError::Address(error) | DialError::Connect(error) => {
                Self::Unreachable { address, source: error }
            }
            DialError::Slow(after) => Self::TimedOut { address, after },
            DialError::Handshake(error) => Self::broken(&address, &error),
        }
    }

    pub(super) fn from_client(address: &str, error: &ClientError) -> Self {
        match find::<DialError>(error) {
            Some(dial) => Self::from_dial(address, dial.same()),
            None => Self::broken(address, error),
        }
    }

    fn from_tls(address: &str, error: &TlsError) -> Self {
        let address = address.to_owned();
        match error {
            TlsError::InvalidCertificate(_) | TlsError::NoCertificatesPresented => {
                Self::OtherSecret { address }
            }
            TlsError::AlertReceived(rustls::AlertDescription::NoApplicationProtocol) => {
                let words = "it does not speak what was asked for".to_owned();
                Self::OtherProtocol { address, words }
            }
            TlsError::AlertReceived(alert) if is_about_certificates(*alert) => {
                Self::OtherSecret { address }
            }
            other => Self::Broken { address, detail: format!("TLS: {other}") },
        }
    }
}

fn is_about_certificates(alert: rustls::AlertDescription) -> bool {
    use rustls::AlertDescription as Alert;
    matches!(
        alert,
        Alert::BadCertificate
            | Alert::CertificateRequired
            | Alert::CertificateUnknown
            | Alert::DecryptError
            | Alert::AccessDenied
            | Alert::UnknownCA
    )
}

/// The first error of a type among the causes of an error. An I/O error hides what it wraps from
/// its list of causes, so that is looked into as well.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = wrapped.and_then(|inner| find::<E>(inner)) {
            return Some(found);
        }
        current = error.source();
    }
    None
}

/// An error and its causes in one line, none twice.
fn chain(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut current = error.source();
    while let Some(cause) = current {
        let text = cause.to_string();
        if !words.contains(&text) {
            words = format!("{words}: {text}");
        }
        current = cause.source();
    }
    words
}
