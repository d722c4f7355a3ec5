//! TLS for all clients: rustls with ring, and Mozilla's certificates compiled in. Nothing is installed for the process.

use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// The settings that every client of this crate shares. Make one, clone it.
#[derive(Clone, Debug)]
pub struct Tls(Arc<ClientConfig>);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up TLS")]
pub struct TlsError(#[source] rustls::Error);

impl Tls {
    /// TLS 1.2 and 1.3 with ring.
    ///
    /// # Errors
    /// [`TlsError`] if the provider has none of the protocol versions; not with ring.
    pub fn new() -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let versions =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(TlsError)?;
        Ok(Self(Arc::new(versions.with_root_certificates(roots).with_no_client_auth())))
    }

    pub(crate) fn shared(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }

    pub(crate) fn owned(&self) -> ClientConfig {
        ClientConfig::clone(&self.0)
    }
}
