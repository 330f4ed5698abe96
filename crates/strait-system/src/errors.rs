//! Errors as in Node: a code for the system's error number, and libuv's text.

use std::io;

use rustix::io::Errno;
use serde_json::{Value, json};

/// A failed call, and the paths that the error names.
#[derive(Debug)]
pub struct Failure {
    number: i32,
    call: &'static str,
    path: Option<String>,
    target: Option<String>,
}

impl Failure {
    /// Makes the failure of a call without a path.
    pub fn of(error: impl Into<io::Error>, call: &'static str) -> Self {
        let error = error.into();
        let number = error.raw_os_error().unwrap_or_else(|| number_of(error.kind()).raw_os_error());
        Self { number, call, path: None, target: None }
    }

    /// Makes the failure of a call with one path.
    pub fn at(error: impl Into<io::Error>, call: &'static str, path: &str) -> Self {
        Self { path: Some(path.to_owned()), ..Self::of(error, call) }
    }

    /// Makes the failure of a call with two paths.
    pub fn between(error: impl Into<io::Error>, call: &'static str, path: &str, target: &str) -> Self {
        Self { target: Some(target.to_owned()), ..Self::at(error, call, path) }
    }

    /// The data from which the modules make an error.
    pub fn told(&self) -> Value {
        let known = WORDS.iter().find(|(number, ..)| number.raw_os_error() == self.number);
        let (code, text) = known.map_or_else(
            || (format!("Unknown system error {}", -self.number), io::Error::from_raw_os_error(self.number).to_string()),
            |(_, code, text)| ((*code).to_owned(), (*text).to_owned()),
        );
        json!({ "errno": -self.number, "code": code, "text": text, "syscall": self.call, "path": self.path, "dest": self.target })
    }
}

/// Errors of Rust's standard library have no number.
fn number_of(kind: io::ErrorKind) -> Errno {
    match kind {
        io::ErrorKind::AlreadyExists => Errno::EXIST,
        io::ErrorKind::NotFound => Errno::NOENT,
        io::ErrorKind::InvalidInput => Errno::INVAL,
        io::ErrorKind::OutOfMemory => Errno::NOMEM,
        _ => Errno::IO,
    }
}

const WORDS: &[(Errno, &str, &str)] = &[
    (Errno::ACCESS, "EACCES", "permission denied"),
    (Errno::AGAIN, "EAGAIN", "resource temporarily unavailable"),
    (Errno::BADF, "EBADF", "bad file descriptor"),
    (Errno::BUSY, "EBUSY", "resource busy or locked"),
    (Errno::DQUOT, "EDQUOT", "disk quota exceeded"),
    (Errno::EXIST, "EEXIST", "file already exists"),
    (Errno::FBIG, "EFBIG", "file too large"),
    (Errno::INTR, "EINTR", "interrupted system call"),
    (Errno::INVAL, "EINVAL", "invalid argument"),
    (Errno::IO, "EIO", "i/o error"),
    (Errno::ISDIR, "EISDIR", "illegal operation on a directory"),
    (Errno::LOOP, "ELOOP", "too many symbolic links encountered"),
    (Errno::MFILE, "EMFILE", "too many open files"),
    (Errno::MLINK, "EMLINK", "too many links"),
    (Errno::NAMETOOLONG, "ENAMETOOLONG", "name too long"),
    (Errno::NFILE, "ENFILE", "file table overflow"),
    (Errno::NODEV, "ENODEV", "no such device"),
    (Errno::NOENT, "ENOENT", "no such file or directory"),
    (Errno::NOMEM, "ENOMEM", "not enough memory"),
    (Errno::NOSPC, "ENOSPC", "no space left on device"),
    (Errno::NOSYS, "ENOSYS", "function not implemented"),
    (Errno::NOTDIR, "ENOTDIR", "not a directory"),
    (Errno::NOTEMPTY, "ENOTEMPTY", "directory not empty"),
    (Errno::OPNOTSUPP, "ENOTSUP", "operation not supported on socket"),
    (Errno::NXIO, "ENXIO", "no such device or address"),
    (Errno::OVERFLOW, "EOVERFLOW", "value too large for defined data type"),
    (Errno::PERM, "EPERM", "operation not permitted"),
    (Errno::PIPE, "EPIPE", "broken pipe"),
    (Errno::ROFS, "EROFS", "read-only file system"),
    (Errno::SPIPE, "ESPIPE", "invalid seek"),
    (Errno::SRCH, "ESRCH", "no such process"),
    (Errno::TXTBSY, "ETXTBSY", "text file is busy"),
    (Errno::XDEV, "EXDEV", "cross-device link not permitted"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_as_node_tells_them() {
        let told = Failure::at(Errno::NOENT, "open", "/x").told();
        assert_eq!(
            told,
            json!({ "errno": -2, "code": "ENOENT", "text": "no such file or directory", "syscall": "open", "path": "/x", "dest": null })
        );
        assert_eq!(Failure::of(io::ErrorKind::AlreadyExists, "mkdir").told()["code"], "EEXIST");
        assert_eq!(Failure::of(io::Error::from_raw_os_error(4000), "x").told()["code"], "Unknown system error -4000");
    }
}
