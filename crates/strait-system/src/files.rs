//! Files and folders, as in Node's `fs` (<https://nodejs.org/api/fs.html>). Each operation
//! corresponds to one of its functions and has the name of the libuv call. Its comment lists the
//! arguments in [`Call`] that it uses.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, FileType, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt, symlink as make_symlink};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rustix::fs::{Access, AtFlags, CWD, Gid, Mode, OFlags, Timespec, Timestamps, Uid, chownat, openat, utimensat};
use rustix::io::{Errno, retry_on_intr};
use serde_json::{Value, json};

use crate::{Call, Failure, Gives, NOTHING, Outcome};

/// The largest file that Node reads at once, in bytes.
const MOST: u64 = (1 << 31) - 1;

impl Call {
    fn path(&self) -> &Path {
        Path::new(&self.first)
    }

    /// Converts the error of a call, whose name the error contains.
    fn did<T>(&self, call: &'static str, result: Result<T, impl Into<io::Error>>) -> Result<T, Failure> {
        result.map_err(|error| Failure::at(error, call, &self.first))
    }

    fn did_between(&self, call: &'static str, result: io::Result<()>) -> Outcome {
        result.map(|()| NOTHING).map_err(|error| Failure::between(error, call, &self.first, &self.second))
    }

    fn mode(&self) -> u32 {
        self.numbers[0] as u32
    }

    /// Opens the file with these flags (`open(2)`). A new file gets this mode.
    pub(crate) fn open(&self, flags: f64, mode: f64) -> Result<File, Failure> {
        let flags = OFlags::from_bits_retain(flags as u32) | OFlags::CLOEXEC;
        let mode = Mode::from_bits_truncate(mode as u32);
        let opened = retry_on_intr(|| openat(CWD, self.path(), flags, mode));
        self.did("open", opened.map(File::from))
    }
}

/// `first`; `numbers`: flags, mode
pub(crate) fn read(call: &Call) -> Outcome {
    read_rest(&call.open(call.numbers[0], call.numbers[1])?)
}

/// Reads the rest of the file from its present position.
pub(crate) fn read_rest(file: &File) -> Outcome {
    let size = file.metadata().map_err(|error| Failure::of(error, "fstat"))?.len();
    let mut bytes = Vec::new();
    if size <= MOST {
        // Devices and the kernel's virtual files report the size 0.
        bytes.try_reserve_exact(size as usize + 1).map_err(|_| Failure::of(Errno::NOMEM, "read"))?;
        file.take(MOST + 1).read_to_end(&mut bytes).map_err(|error| Failure::of(error, "read"))?;
    }
    if size > MOST || bytes.len() as u64 > MOST {
        return Ok(Gives::Json(json!({ "tooLarge": size.max(bytes.len() as u64) })));
    }
    Ok(Gives::Bytes(bytes))
}

/// `first`; `data`; `numbers`: flags, mode
pub(crate) fn write(call: &Call) -> Outcome {
    let mut file = call.open(call.numbers[0], call.numbers[1])?;
    file.write_all(&call.data).map_err(|error| Failure::of(error, "write"))?;
    Ok(NOTHING)
}

/// `first`; `numbers[0]`: length
pub(crate) fn truncate(call: &Call) -> Outcome {
    let file = call.open(f64::from(OFlags::RDWR.bits()), 0.0)?;
    file.set_len(call.numbers[0] as u64).map_err(|error| Failure::of(error, "ftruncate"))?;
    Ok(NOTHING)
}

fn milliseconds(seconds: i64, nanoseconds: i64) -> f64 {
    seconds as f64 * 1e3 + nanoseconds as f64 / 1e6
}

/// The metadata in the order of the modules' classes: numbers and milliseconds, or, if exact, texts
/// and nanoseconds.
pub(crate) fn told(data: &Metadata, is_exact: bool) -> Gives {
    let birth = data.created().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let birth = birth.map_or((data.ctime(), data.ctime_nsec()), |birth| (birth.as_secs() as i64, birth.subsec_nanos().into()));
    let times = [(data.atime(), data.atime_nsec()), (data.mtime(), data.mtime_nsec()), (data.ctime(), data.ctime_nsec()), birth];
    let whole = [
        data.dev(),
        data.mode().into(),
        data.nlink(),
        data.uid().into(),
        data.gid().into(),
        data.rdev(),
        data.blksize(),
        data.ino(),
        data.size(),
        data.blocks(),
    ];
    Gives::Json(if is_exact {
        let times = times.map(|(seconds, nanoseconds)| i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds));
        whole.iter().map(u64::to_string).chain(times.iter().map(i128::to_string)).collect()
    } else {
        let times = times.map(|(seconds, nanoseconds)| milliseconds(seconds, nanoseconds));
        whole.iter().map(|number| json!(number)).chain(times.iter().map(|time| json!(time))).collect()
    })
}

impl Call {
    /// `numbers[1]`: whether numbers must be exact (BigInt in JavaScript).
    pub(crate) fn is_exact(&self) -> bool {
        self.numbers[1] != 0.0
    }
}

/// `first`; `numbers[1]`: exact
pub(crate) fn stat(call: &Call) -> Outcome {
    call.did("stat", fs::metadata(call.path())).map(|data| told(&data, call.is_exact()))
}

/// `first`; `numbers[1]`: exact
pub(crate) fn lstat(call: &Call) -> Outcome {
    call.did("lstat", fs::symlink_metadata(call.path())).map(|data| told(&data, call.is_exact()))
}

/// libuv's number of a file type.
fn kind_of(kind: FileType) -> u32 {
    let kinds =
        [kind.is_file(), kind.is_dir(), kind.is_symlink(), kind.is_fifo(), kind.is_socket(), kind.is_char_device(), kind.is_block_device()];
    kinds.iter().zip(1..).find_map(|(is, number)| is.then_some(number)).unwrap_or_default()
}

/// `first`; `numbers[0]`: recursive. Gives triples of a name, a type, and the folder relative to
/// the first one.
pub(crate) fn list(call: &Call) -> Outcome {
    let (deep, mut waiting, mut all) = (call.numbers[0] != 0.0, VecDeque::from([PathBuf::new()]), Vec::new());
    while let Some(folder) = waiting.pop_front() {
        let path = call.path().join(&folder);
        let read = |path: &Path| -> io::Result<Vec<_>> {
            fs::read_dir(path)?.map(|entry| entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?)))).collect()
        };
        // For the first folder, the error names the path as given.
        let named = if folder.as_os_str().is_empty() { call.first.clone() } else { text(path.as_os_str()) };
        let mut entries = read(&path).map_err(|error| Failure::at(error, "scandir", &named))?;
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (name, kind) in entries {
            all.push(json!([text(&name), kind_of(kind), text(folder.as_os_str())]));
            if deep && kind.is_dir() {
                waiting.push_back(folder.join(name));
            }
        }
    }
    Ok(Gives::Json(Value::Array(all)))
}

fn text(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

/// `first`; `numbers[0]`: mode
pub(crate) fn make_folder(call: &Call) -> Outcome {
    call.did("mkdir", DirBuilder::new().mode(call.mode()).create(call.path())).map(|()| NOTHING)
}

/// `first`, with all missing folders above it; `numbers[0]`: mode. Gives the first new folder.
pub(crate) fn make_folders(call: &Call) -> Outcome {
    let missing = |path: &&Path| {
        !path.as_os_str().is_empty() && matches!(fs::symlink_metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
    };
    let first = call.path().ancestors().take_while(missing).last().map(|path| text(path.as_os_str()));
    call.did("mkdir", DirBuilder::new().recursive(true).mode(call.mode()).create(call.path()))?;
    Ok(Gives::Json(json!(first)))
}

/// Letters and digits. There are 62, so the remainder of a random byte is nearly uniform; a name
/// that exists is tried again.
const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// `first`: the beginning of the folder's name
pub(crate) fn make_temporary_folder(call: &Call) -> Outcome {
    let failed = |error: io::Error| Failure::at(error, "mkdtemp", &format!("{}XXXXXX", call.first));
    loop {
        let mut random = [0; 6];
        getrandom::fill(&mut random).map_err(|_| failed(Errno::IO.into()))?;
        let end: String = random.iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect();
        let path = format!("{}{end}", call.first);
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok(Gives::Json(json!(path))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// `first`
pub(crate) fn remove_folder(call: &Call) -> Outcome {
    call.did("rmdir", fs::remove_dir(call.path())).map(|()| NOTHING)
}

/// `first`; `numbers`: recursive, force
pub(crate) fn remove(call: &Call) -> Outcome {
    let [deep, force, _] = call.numbers.map(|flag| flag != 0.0);
    let data = match fs::symlink_metadata(call.path()) {
        Err(error) if force && error.kind() == io::ErrorKind::NotFound => return Ok(NOTHING),
        data => call.did("lstat", data)?,
    };
    let removed = match (data.is_dir(), deep) {
        (true, false) => Err(Errno::ISDIR.into()),
        (true, true) => fs::remove_dir_all(call.path()),
        (false, _) => fs::remove_file(call.path()),
    };
    match removed {
        // Another program has removed it meanwhile.
        Err(error) if force && error.kind() == io::ErrorKind::NotFound => Ok(NOTHING),
        removed => call.did("rm", removed).map(|()| NOTHING),
    }
}

/// `first`
pub(crate) fn unlink(call: &Call) -> Outcome {
    call.did("unlink", fs::remove_file(call.path())).map(|()| NOTHING)
}

/// `first`, `second`
pub(crate) fn rename(call: &Call) -> Outcome {
    call.did_between("rename", fs::rename(call.path(), &call.second))
}

/// `first`, `second`; `numbers[0]`: fail if the second exists
pub(crate) fn copy(call: &Call) -> Outcome {
    let copied = || {
        if fs::metadata(call.path())?.is_dir() {
            return Err(Errno::ISDIR.into());
        }
        if call.numbers[0] != 0.0 {
            File::create_new(&call.second)?;
        }
        fs::copy(call.path(), &call.second)
    };
    call.did_between("copyfile", copied().map(drop))
}

/// `first`; `numbers[0]`: the access mode to check
pub(crate) fn access(call: &Call) -> Outcome {
    let wanted = Access::from_bits_truncate(call.mode());
    call.did("access", rustix::fs::access(call.path(), wanted)).map(|()| NOTHING)
}

/// `first`; `numbers[0]`: with the errors of the system's own call, instead of those of Node's walk
/// along the path
pub(crate) fn real_path(call: &Call) -> Outcome {
    let real = fs::canonicalize(call.path());
    if call.numbers[0] == 0.0 && real.is_err() {
        let mut above: Vec<_> = call.path().ancestors().filter(|path| !path.as_os_str().is_empty()).collect();
        above.reverse();
        for path in above {
            fs::metadata(path).map_err(|error| {
                let last = fs::symlink_metadata(path);
                Failure::at(error, if last.is_ok() { "stat" } else { "lstat" }, &text(path.as_os_str()))
            })?;
        }
    }
    call.did("realpath", real).map(|path| Gives::Json(json!(text(path.as_os_str()))))
}

/// `first`
pub(crate) fn read_link(call: &Call) -> Outcome {
    call.did("readlink", fs::read_link(call.path())).map(|path| Gives::Json(json!(text(path.as_os_str()))))
}

/// `first`: the link's content; `second`: the link's path
pub(crate) fn symlink(call: &Call) -> Outcome {
    call.did_between("symlink", make_symlink(call.path(), &call.second))
}

/// `first`, `second`
pub(crate) fn link(call: &Call) -> Outcome {
    call.did_between("link", fs::hard_link(call.path(), &call.second))
}

/// `first`; `numbers[0]`: mode
pub(crate) fn change_mode(call: &Call) -> Outcome {
    call.did("chmod", fs::set_permissions(call.path(), fs::Permissions::from_mode(call.mode()))).map(|()| NOTHING)
}

/// A user and group number; -1 leaves the present one.
pub(crate) fn owner(user: f64, group: f64) -> (Option<Uid>, Option<Gid>) {
    let given = |number: f64| (number >= 0.0 && number < f64::from(u32::MAX)).then_some(number as u32);
    (given(user).map(Uid::from_raw), given(group).map(Gid::from_raw))
}

fn give_to(call: &Call, name: &'static str, flags: AtFlags) -> Outcome {
    let (user, group) = owner(call.numbers[0], call.numbers[1]);
    call.did(name, chownat(CWD, call.path(), user, group, flags)).map(|()| NOTHING)
}

/// `first`; `numbers`: user, group
pub(crate) fn change_owner(call: &Call) -> Outcome {
    give_to(call, "chown", AtFlags::empty())
}

/// Like `change_owner`, for a symbolic link itself.
pub(crate) fn change_owner_of_link(call: &Call) -> Outcome {
    give_to(call, "lchown", AtFlags::SYMLINK_NOFOLLOW)
}

/// Converts a time in seconds to the system's form.
pub(crate) fn whole(seconds: f64) -> Timespec {
    let whole = seconds.floor();
    Timespec { tv_sec: whole as i64, tv_nsec: (((seconds - whole) * 1e9) as i64).min(999_999_999) }
}

fn touch(call: &Call, name: &'static str, flags: AtFlags) -> Outcome {
    let times = Timestamps { last_access: whole(call.numbers[0]), last_modification: whole(call.numbers[1]) };
    call.did(name, utimensat(CWD, call.path(), &times, flags)).map(|()| NOTHING)
}

/// `first`; `numbers`: the times of the last access and change in seconds
pub(crate) fn change_times(call: &Call) -> Outcome {
    touch(call, "utime", AtFlags::empty())
}

/// Like `change_times`, for a symbolic link itself.
pub(crate) fn change_times_of_link(call: &Call) -> Outcome {
    touch(call, "lutime", AtFlags::SYMLINK_NOFOLLOW)
}

/// `first`: any path in the file system; `numbers[1]`: exact. Gives values in the order of the
/// modules' class.
pub(crate) fn describe_system(call: &Call) -> Outcome {
    let data = call.did("statfs", rustix::fs::statfs(call.path()))?;
    let figures = [
        data.f_type as i128,
        data.f_bsize.into(),
        data.f_blocks.into(),
        data.f_bfree.into(),
        data.f_bavail.into(),
        data.f_files.into(),
        data.f_ffree.into(),
    ];
    let told = |figure: &i128| if call.is_exact() { json!(figure.to_string()) } else { json!(*figure as u64) };
    Ok(Gives::Json(figures.iter().map(told).collect()))
}
