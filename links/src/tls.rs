//! Who a process is towards its peers: a certificate that the cluster's authority signed. The
//! authority's key follows from the secret, so every process signs for itself, and whoever shows
//! a certificate of that authority has the secret. Both sides of a connection must show one.

use std::fmt;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ED25519, SerialNumber,
};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::secret::Secret;

/// The protocol of the actors' sessions, as connections name it (ALPN).
pub const ALPN_ACTORS: &[u8] = b"wallaby-actors/1";
/// The protocol of everything else (ALPN).
pub const ALPN_HTTP: &[u8] = b"http/1.1";

/// The name in every certificate. Addresses are not in it: nodes move, the secret stays.
const SERVER_NAME: &str = "node.wallaby";

/// What precedes the 32 bytes of an Ed25519 key in PKCS#8. Source: RFC 8410, section 7.
const PKCS8_ED25519: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// The identity of this process in the cluster of one secret.
pub struct Identity {
    server: Arc<ServerConfig>,
    client_http: Arc<ClientConfig>,
    client_actors: Arc<ClientConfig>,
    cluster: String,
    #[cfg(test)]
    authority: CertificateDer<'static>,
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A key or certificate cannot be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The certificates do not make a configuration.
    #[error("cannot set up TLS: {0}")]
    Setup(#[from] rustls::Error),
    /// The verification of peers cannot be set up.
    #[error("cannot set up the verification of peers: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

impl Identity {
    /// A fresh certificate for this process, signed by the authority that follows from `secret`.
    ///
    /// # Errors
    /// The cryptography refuses; that does not depend on the secret.
    pub fn new(secret: &Secret) -> Result<Self, TlsError> {
        let cluster = secret.cluster_id();
        let authority_key = authority_key(secret)?;
        let authority = authority_params(&cluster);
        let authority_certificate = authority.self_signed(&authority_key)?;
        let key = KeyPair::generate_for(&PKCS_ED25519)?;
        let issuer = Issuer::from_params(&authority, &authority_key);
        let certificate = leaf_params()?.signed_by(&key, &issuer)?;

        let mut roots = RootCertStore::empty();
        roots.add(authority_certificate.der().clone())?;
        let own = OwnCertificate { certificate: certificate.der().clone(), key };
        let roots = Arc::new(roots);
        Ok(Self {
            server: Arc::new(server_config(&roots, &own)?),
            client_http: Arc::new(client_config(&roots, &own, ALPN_HTTP)?),
            client_actors: Arc::new(client_config(&roots, &own, ALPN_ACTORS)?),
            cluster,
            #[cfg(test)]
            authority: authority_certificate.der().clone(),
        })
    }

    #[cfg(test)]
    pub(crate) fn authority(&self) -> CertificateDer<'static> {
        self.authority.clone()
    }

    /// The name of the cluster, 16 hex digits.
    #[must_use]
    pub fn cluster_id(&self) -> &str {
        &self.cluster
    }

    /// What accepts connections of both protocols.
    #[must_use]
    pub fn acceptor(&self) -> tokio_rustls::TlsAcceptor {
        Arc::clone(&self.server).into()
    }

    /// What opens connections for HTTP.
    #[must_use]
    pub fn http_connector(&self) -> tokio_rustls::TlsConnector {
        Arc::clone(&self.client_http).into()
    }

    /// What opens connections for the actors.
    #[must_use]
    pub fn actors_connector(&self) -> tokio_rustls::TlsConnector {
        Arc::clone(&self.client_actors).into()
    }

    /// The name that every peer's certificate bears.
    #[must_use]
    pub fn server_name() -> ServerName<'static> {
        ServerName::try_from(SERVER_NAME).expect("the fixed name is a DNS name")
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Identity").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

struct OwnCertificate {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl OwnCertificate {
    fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![self.certificate.clone()]
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }
}

fn authority_key(secret: &Secret) -> Result<KeyPair, rcgen::Error> {
    let seed = secret.derive("certificate authority");
    let pkcs8 = [&PKCS8_ED25519[..], &seed].concat();
    KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(pkcs8), &PKCS_ED25519)
}

/// The same in every process, to the byte.
fn authority_params(cluster: &str) -> CertificateParams {
    let mut params = validity(CertificateParams::default());
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("wallaby cluster {cluster}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.serial_number = Some(SerialNumber::from_slice(&[1]));
    params
}

fn leaf_params() -> Result<CertificateParams, rcgen::Error> {
    let mut params = validity(CertificateParams::new([SERVER_NAME.to_owned()])?);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, SERVER_NAME);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// Certificates live as long as their process, and who can make one has the secret. Dates would
/// add nothing but nodes that are refused because a clock is wrong.
fn validity(mut params: CertificateParams) -> CertificateParams {
    params.not_before = rcgen::date_time_ymd(1970, 1, 1);
    params.not_after = rcgen::date_time_ymd(4096, 1, 1);
    params
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn server_config(
    roots: &Arc<RootCertStore>,
    own: &OwnCertificate,
) -> Result<ServerConfig, TlsError> {
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider()).build()?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(own.chain(), own.key())?;
    config.alpn_protocols = vec![ALPN_ACTORS.to_vec(), ALPN_HTTP.to_vec()];
    // Every connection shows its certificate again: a full handshake takes a millisecond.
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn client_config(
    roots: &Arc<RootCertStore>,
    own: &OwnCertificate,
    protocol: &[u8],
) -> Result<ClientConfig, TlsError> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(Arc::clone(roots))
        .with_client_auth_cert(own.chain(), own.key())?;
    config.alpn_protocols = vec![protocol.to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_follows_from_the_secret_alone() {
        let certificate = |secret: &Secret| {
            let params = authority_params(&secret.cluster_id());
            params.self_signed(&authority_key(secret).unwrap()).unwrap().der().to_vec()
        };
        let (ours, theirs) = (Secret::generate(), Secret::generate());
        assert_eq!(certificate(&ours), certificate(&ours.clone()));
        assert_ne!(certificate(&ours), certificate(&theirs));
    }

    #[test]
    fn nothing_of_an_identity_is_in_its_debug_output_but_the_cluster() {
        let identity = Identity::new(&Secret::from_hex(&"ab".repeat(32)).unwrap()).unwrap();
        let text = format!("{identity:?}");
        assert_eq!(text, format!("Identity {{ cluster: {:?}, .. }}", identity.cluster_id()));
    }
}
