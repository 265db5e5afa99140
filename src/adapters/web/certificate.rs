//! When the certificate of an answer ends.

use reqwest::Response;
use reqwest::tls::TlsInfo;
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// The end of the server's certificate, UTC milliseconds; `None` without TLS, or for a certificate
/// that cannot be read.
pub(super) fn ends_ms(response: &Response) -> Option<i64> {
    let info = response.extensions().get::<TlsInfo>()?;
    let certificate = Certificate::from_der(info.peer_certificate()?).ok()?;
    let end = certificate.tbs_certificate().validity().not_after;
    i64::try_from(end.to_unix_duration().as_millis()).ok()
}
