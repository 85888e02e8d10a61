//! Short reasons for a missing response that tell where to look: certificate, port or receiver.
//! Addresses and messages of the client library are not disclosed.

use rustls::{CertificateError, Error as TlsError};
use std::error::Error;
use std::io::{self, ErrorKind};

/// The reason in a few words.
pub(super) fn reason(error: &reqwest::Error) -> &'static str {
    if let Some(reason) = among_causes(error) {
        return reason;
    }
    if error.is_timeout() && error.is_connect() {
        "no connection in time"
    } else if error.is_timeout() {
        "no response in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    }
}

fn among_causes(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut cause = Some(error);
    while let Some(inner) = cause {
        if let Some(reason) = known(inner) {
            return Some(reason);
        }
        // The inner error of an I/O error is not one of its causes.
        let boxed = inner.downcast_ref::<io::Error>();
        let boxed = boxed.and_then(io::Error::get_ref);
        cause = match boxed {
            Some(boxed) => Some(boxed),
            None => inner.source(),
        };
    }
    None
}

fn known(error: &(dyn Error + 'static)) -> Option<&'static str> {
    if let Some(error) = error.downcast_ref::<TlsError>() {
        return Some(match error {
            TlsError::InvalidCertificate(why) => of_certificate(why),
            TlsError::NoCertificatesPresented => "certificate: none was sent",
            _ => "no TLS with the receiver",
        });
    }
    match error.downcast_ref::<io::Error>()?.kind() {
        ErrorKind::ConnectionRefused => Some("the connection was refused"),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            Some("there is no way to the address")
        }
        _ => None,
    }
}

const fn of_certificate(why: &CertificateError) -> &'static str {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "certificate: it has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "certificate: it is not valid yet"
        }
        CertificateError::UnknownIssuer => {
            "certificate: its issuer is unknown, or its chain is incomplete"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "certificate: it is for another name"
        }
        _ => "certificate: it is not accepted",
    }
}

#[cfg(test)]
mod tests {
    use super::among_causes;
    use rustls::{CertificateError, Error as TlsError};
    use std::error::Error;
    use std::io::{self, ErrorKind};

    fn tls(why: CertificateError) -> io::Error {
        // The nesting that the client produces: an I/O error around an I/O error around the TLS
        // error.
        let inner = io::Error::new(ErrorKind::InvalidData, TlsError::InvalidCertificate(why));
        io::Error::other(inner)
    }

    #[test]
    fn certificate_errors_name_the_fault() {
        let rows: [(Box<dyn Error>, Option<&str>); 9] = [
            (
                tls(CertificateError::Expired).into(),
                Some("certificate: it has expired"),
            ),
            (
                tls(CertificateError::NotValidYet).into(),
                Some("certificate: it is not valid yet"),
            ),
            (
                tls(CertificateError::UnknownIssuer).into(),
                Some("certificate: its issuer is unknown, or its chain is incomplete"),
            ),
            (
                tls(CertificateError::NotValidForName).into(),
                Some("certificate: it is for another name"),
            ),
            (
                tls(CertificateError::Revoked).into(),
                Some("certificate: it is not accepted"),
            ),
            (
                io::Error::other(TlsError::HandshakeNotComplete).into(),
                Some("no TLS with the receiver"),
            ),
            (
                io::Error::from(ErrorKind::ConnectionRefused).into(),
                Some("the connection was refused"),
            ),
            (
                io::Error::from(ErrorKind::HostUnreachable).into(),
                Some("there is no way to the address"),
            ),
            (io::Error::other("something inside").into(), None),
        ];
        for (error, expected) in rows {
            assert_eq!(among_causes(error.as_ref()), expected, "{error:?}");
        }
    }
}
