//! WebKit's load errors with Chromium's numbers and names, which programs for Electron expect.

use gtk::{gio, glib};
use webkit2gtk::{NetworkError, PolicyError};

use crate::LoadError;

/// Chromium's number and name for a failed load.
pub(super) fn load_error(url: &str, error: &glib::Error) -> LoadError {
    let (code, description) = classify(error);
    LoadError { url: url.into(), code, description: description.into(), detail: error.message().into() }
}

/// The error of a load that WebKit refused without a reason: the port, if the URL contains one.
pub(super) fn refusal(url: &str) -> LoadError {
    let port = url::Url::parse(url).is_ok_and(|url| url.has_host() && url.port().is_some());
    let (code, description) = if port { (-312, "ERR_UNSAFE_PORT") } else { (-2, "ERR_FAILED") };
    LoadError { url: url.into(), code, description: description.into(), detail: "the web engine refused to load it".into() }
}

fn classify(error: &glib::Error) -> (i32, &'static str) {
    if let Some(kind) = error.kind::<NetworkError>() {
        return match kind {
            NetworkError::Cancelled => (-3, "ERR_ABORTED"),
            NetworkError::FileDoesNotExist => (-6, "ERR_FILE_NOT_FOUND"),
            NetworkError::UnknownProtocol => (-301, "ERR_UNKNOWN_URL_SCHEME"),
            _ => (-2, "ERR_FAILED"),
        };
    }
    if let Some(kind) = error.kind::<PolicyError>() {
        return match kind {
            PolicyError::CannotShowUri => (-301, "ERR_UNKNOWN_URL_SCHEME"),
            PolicyError::CannotUseRestrictedPort => (-312, "ERR_UNSAFE_PORT"),
            // A download, or content that cannot be shown.
            _ => (-3, "ERR_ABORTED"),
        };
    }
    if let Some(kind) = error.kind::<gio::IOErrorEnum>() {
        use gio::IOErrorEnum as Io;
        return match kind {
            Io::NotFound => (-6, "ERR_FILE_NOT_FOUND"),
            Io::PermissionDenied => (-10, "ERR_ACCESS_DENIED"),
            Io::Cancelled => (-3, "ERR_ABORTED"),
            Io::TimedOut => (-7, "ERR_TIMED_OUT"),
            Io::ConnectionRefused => (-102, "ERR_CONNECTION_REFUSED"),
            Io::HostNotFound => (-105, "ERR_NAME_NOT_RESOLVED"),
            Io::HostUnreachable | Io::NetworkUnreachable => (-109, "ERR_ADDRESS_UNREACHABLE"),
            Io::BrokenPipe => (-101, "ERR_CONNECTION_RESET"),
            _ => (-2, "ERR_FAILED"),
        };
    }
    if error.kind::<gio::ResolverError>().is_some() {
        return (-105, "ERR_NAME_NOT_RESOLVED");
    }
    if error.kind::<gio::TlsError>().is_some() {
        return (-107, "ERR_SSL_PROTOCOL_ERROR");
    }
    (-2, "ERR_FAILED")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_chromiums_names() {
        let check = |error: glib::Error, expected: (i32, &str)| assert_eq!(classify(&error), expected, "{error:?}");
        check(glib::Error::new(gio::IOErrorEnum::NotFound, ""), (-6, "ERR_FILE_NOT_FOUND"));
        check(glib::Error::new(gio::IOErrorEnum::ConnectionRefused, ""), (-102, "ERR_CONNECTION_REFUSED"));
        check(glib::Error::new(gio::ResolverError::NotFound, ""), (-105, "ERR_NAME_NOT_RESOLVED"));
        check(glib::Error::new(NetworkError::Cancelled, ""), (-3, "ERR_ABORTED"));
        check(glib::Error::new(glib::FileError::Io, ""), (-2, "ERR_FAILED"));
    }
}
