//! Operations on open files (<https://nodejs.org/api/fs.html#file-descriptors>). Their first number
//! is a descriptor.

use std::fs::{File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::sync::Arc;

use rustix::fs::{Timestamps, fchown, futimens};
use rustix::io::{Errno, retry_on_intr};
use serde_json::json;

use crate::files::{owner, read_rest, told, whole};
use crate::{Call, Failure, Gives, NOTHING, Outcome};

impl Call {
    /// Calls `action` with the descriptor's file, and converts an error of `call`.
    fn with<T>(&self, call: &'static str, action: impl FnOnce(Arc<File>) -> io::Result<T>) -> Result<T, Failure> {
        self.files.get(self.numbers[0]).and_then(action).map_err(|error| Failure::of(error, call))
    }
}

/// `first`; `numbers`: flags, mode. Gives the descriptor.
pub(crate) fn open(call: &Call) -> Outcome {
    let file = call.open(call.numbers[0], call.numbers[1])?;
    Ok(Gives::Json(json!(call.files.keep(file))))
}

/// `numbers[0]`
pub(crate) fn close(call: &Call) -> Outcome {
    call.files.close(call.numbers[0]).map(|()| NOTHING).map_err(|error| Failure::of(error, "close"))
}

/// The position of an operation; `None` for the file's present position.
fn place(number: f64) -> Option<u64> {
    (number >= 0.0).then_some(number as u64)
}

/// `numbers`: descriptor, maximum length, position (negative: the file's present one). Gives the
/// bytes read, none at the end.
pub(crate) fn read(call: &Call) -> Outcome {
    let [_, most, start] = call.numbers;
    call.with("read", |file| {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(most as usize).map_err(|_| io::Error::from(Errno::NOMEM))?;
        bytes.resize(most as usize, 0);
        let length = retry_on_intr(|| {
            let result = match place(start) {
                Some(start) => file.read_at(&mut bytes, start),
                None => (&*file).read(&mut bytes),
            };
            result.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
        })?;
        bytes.truncate(length);
        Ok(Gives::Bytes(bytes))
    })
}

/// `data`; `numbers`: descriptor, position (negative: the file's present one). Gives the number of
/// bytes written.
pub(crate) fn write(call: &Call) -> Outcome {
    let start = call.numbers[1];
    call.with("write", |file| {
        let length = retry_on_intr(|| {
            let result = match place(start) {
                Some(start) => file.write_at(&call.data, start),
                None => (&*file).write(&call.data),
            };
            result.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
        })?;
        Ok(Gives::Json(json!(length)))
    })
}

/// `numbers[0]`: descriptor. Gives all bytes from the file's present position on.
pub(crate) fn read_all(call: &Call) -> Outcome {
    let file = call.with("fstat", Ok)?;
    read_rest(&file)
}

/// `data`; `numbers[0]`: descriptor. Writes at the file's present position.
pub(crate) fn write_all(call: &Call) -> Outcome {
    call.with("write", |file| (&*file).write_all(&call.data)).map(|()| NOTHING)
}

/// `numbers`: descriptor, exact
pub(crate) fn stat(call: &Call) -> Outcome {
    call.with("fstat", |file| file.metadata()).map(|data| told(&data, call.is_exact()))
}

/// `numbers`: descriptor, length
pub(crate) fn truncate(call: &Call) -> Outcome {
    call.with("ftruncate", |file| file.set_len(call.numbers[1] as u64)).map(|()| NOTHING)
}

/// `numbers[0]`
pub(crate) fn sync(call: &Call) -> Outcome {
    call.with("fsync", |file| file.sync_all()).map(|()| NOTHING)
}

/// `numbers[0]`
pub(crate) fn sync_data(call: &Call) -> Outcome {
    call.with("fdatasync", |file| file.sync_data()).map(|()| NOTHING)
}

/// `numbers`: descriptor, mode
pub(crate) fn change_mode(call: &Call) -> Outcome {
    call.with("fchmod", |file| file.set_permissions(Permissions::from_mode(call.numbers[1] as u32))).map(|()| NOTHING)
}

/// `numbers`: descriptor, user, group
pub(crate) fn change_owner(call: &Call) -> Outcome {
    let (user, group) = owner(call.numbers[1], call.numbers[2]);
    call.with("fchown", |file| Ok(fchown(&*file, user, group)?)).map(|()| NOTHING)
}

/// `numbers`: descriptor, the times of the last access and change in seconds
pub(crate) fn change_times(call: &Call) -> Outcome {
    let times = Timestamps { last_access: whole(call.numbers[1]), last_modification: whole(call.numbers[2]) };
    call.with("futime", |file| Ok(futimens(&*file, &times)?)).map(|()| NOTHING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Descriptors;
    use crate::operation;
    use serde_json::Value;

    struct Program(Arc<Descriptors>);

    impl Program {
        fn ask(&self, name: &str, first: &str, numbers: [f64; 3], data: &[u8]) -> Outcome {
            let call = Call { first: first.into(), second: String::new(), numbers, data: data.to_vec(), files: Arc::clone(&self.0) };
            operation(name).expect(name)(&call)
        }

        fn value(&self, name: &str, first: &str, numbers: [f64; 3], data: &[u8]) -> Value {
            match self.ask(name, first, numbers, data) {
                Ok(Gives::Json(value)) => value,
                other => panic!("{name}: {other:?}"),
            }
        }

        fn bytes(&self, name: &str, numbers: [f64; 3]) -> Vec<u8> {
            match self.ask(name, "", numbers, &[]) {
                Ok(Gives::Bytes(bytes)) => bytes,
                other => panic!("{name}: {other:?}"),
            }
        }

        fn code(&self, name: &str, first: &str, numbers: [f64; 3]) -> String {
            let failure = self.ask(name, first, numbers, &[]).expect_err(name);
            format!("{} {}", failure.told()["code"].as_str().unwrap(), failure.told()["syscall"].as_str().unwrap())
        }
    }

    const READ: f64 = 0.0;
    const NEW: f64 = (1 | 64 | 128) as f64;
    const BOTH: f64 = 2.0;
    const APPEND: f64 = (1 | 64 | 1024) as f64;

    #[test]
    fn a_file_is_written_piece_by_piece() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file").to_string_lossy().into_owned();
        let program = Program(Arc::default());
        let file = program.value("open", &path, [NEW, 0o640 as f64, 0.0], &[]).as_f64().unwrap();
        assert_eq!(program.value("write", "", [file, -1.0, 0.0], b"hello"), 5);
        assert_eq!(program.value("write", "", [file, -1.0, 0.0], b" world"), 6);
        assert_eq!(program.value("write", "", [file, 0.0, 0.0], b"J"), 1);
        program.value("fsync", "", [file, 0.0, 0.0], &[]);
        program.value("fdatasync", "", [file, 0.0, 0.0], &[]);
        assert_eq!(program.value("fstat", "", [file, 0.0, 0.0], &[])[8], 11);
        assert_eq!(program.code("read", "", [file, 4.0, -1.0]), "EBADF read");
        program.value("close", "", [file, 0.0, 0.0], &[]);
        assert_eq!(std::fs::read(&path).unwrap(), b"Jello world");
        for name in ["close", "write", "fstat", "fsync", "ftruncate", "readAll"] {
            assert!(program.code(name, "", [file, 0.0, 0.0]).starts_with("EBADF"), "{name}");
        }
        assert_eq!(program.code("open", &path, [NEW, 0o640 as f64, 0.0]), "EEXIST open");
    }

    #[test]
    fn it_is_read_from_anywhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file").to_string_lossy().into_owned();
        std::fs::write(&path, "0123456789").unwrap();
        let program = Program(Arc::default());
        let file = program.value("open", &path, [BOTH, 0.0, 0.0], &[]).as_f64().unwrap();
        assert_eq!(program.bytes("read", [file, 3.0, -1.0]), b"012");
        assert_eq!(program.bytes("read", [file, 2.0, 8.0]), b"89");
        assert_eq!(program.bytes("read", [file, 100.0, -1.0]), b"3456789");
        assert_eq!(program.bytes("read", [file, 100.0, -1.0]), b"");
        program.value("ftruncate", "", [file, 4.0, 0.0], &[]);
        assert_eq!(program.bytes("read", [file, 100.0, 0.0]), b"0123");
        let again = program.value("open", &path, [READ, 0.0, 0.0], &[]).as_f64().unwrap();
        assert_eq!(program.bytes("read", [again, 1.0, -1.0]), b"0");
        assert_eq!(program.bytes("readAll", [again, 0.0, 0.0]), b"123");
        assert_eq!(program.code("ftruncate", "", [again, 0.0, 0.0]), "EINVAL ftruncate");
        assert_eq!(program.code("open", "/no/such", [READ, 0.0, 0.0]), "ENOENT open");
    }

    #[test]
    fn what_is_appended_is_behind_what_another_has_appended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file").to_string_lossy().into_owned();
        let program = Program(Arc::default());
        let [one, other] = [(); 2].map(|()| program.value("open", &path, [APPEND, 0o600 as f64, 0.0], &[]).as_f64().unwrap());
        for (file, text) in [(one, "a"), (other, "b"), (one, "c")] {
            program.value("writeAll", "", [file, 0.0, 0.0], text.as_bytes());
        }
        program.value("writeFile", &path, [APPEND, 0o600 as f64, 0.0], b"d");
        assert_eq!(std::fs::read(&path).unwrap(), b"abcd");
        assert_eq!(program.0.count(), 2);
    }

    #[test]
    fn times_modes_and_owners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file").to_string_lossy().into_owned();
        let program = Program(Arc::default());
        let file = program.value("open", &path, [NEW, 0o600 as f64, 0.0], &[]).as_f64().unwrap();
        program.value("futimes", "", [file, 1000.5, 2000.25], &[]);
        program.value("fchmod", "", [file, 0o444 as f64, 0.0], &[]);
        // -1 leaves the present owner, which needs no privileges.
        program.value("fchown", "", [file, -1.0, -1.0], &[]);
        program.value("chown", &path, [-1.0, -1.0, 0.0], &[]);
        program.value("lchown", &path, [-1.0, -1.0, 0.0], &[]);
        let stat = program.value("fstat", "", [file, 0.0, 0.0], &[]);
        assert_eq!(
            (stat[1].as_u64().unwrap() & 0o777, stat[10].as_f64(), stat[11].as_f64()),
            (0o444, Some(1_000_500.0), Some(2_000_250.0))
        );
        program.value("lutimes", &path, [1.0, 2.0, 0.0], &[]);
        assert_eq!(program.value("lstat", &path, [0.0; 3], &[])[11], 2000.0);
        assert_eq!(program.code("chown", "/no/such", [-1.0, -1.0, 0.0]), "ENOENT chown");
    }
}
