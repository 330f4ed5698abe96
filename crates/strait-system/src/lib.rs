//! Node's modules for the system, for pages and preload scripts, whose engine has no Node.
//!
//! The crate has two parts:
//!
//! - Operations ([`operation`]) are functions of Rust over plain arguments ([`Call`]) with Node's
//!   errors ([`Failure`]). A host calls them in its own thread, or passes them to a [`Pool`].
//! - Modules ([`module`]) are JavaScript texts that make Node's API of the operations. Every host
//!   evaluates the same texts.
//!
//! The host connects the two parts by its module `strait:system`, which passes arguments, bytes and
//! answers.
//!
//! This crate is independent of engines, pages and event loops.

mod descriptors;
mod digests;
mod errors;
mod files;
mod handles;
mod machine;
mod modules;
mod pool;

use std::sync::Arc;

use serde_json::{Value, json};

pub use descriptors::Descriptors;
pub use errors::Failure;
pub use modules::{MODULES, Needs, module};
pub use pool::{Pool, Task};

/// The arguments of an operation. The comment of each operation lists those that it uses.
#[derive(Debug)]
pub struct Call {
    /// Usually a path.
    pub first: String,
    /// Usually a second path.
    pub second: String,
    /// Usually a file's flags and mode. For operations on an open file the first number is its
    /// descriptor.
    pub numbers: [f64; 3],
    /// The bytes to write.
    pub data: Vec<u8>,
    /// The open files of the calling program.
    pub files: Arc<Descriptors>,
}

/// The result of an operation.
#[derive(Debug)]
pub enum Gives {
    /// A value.
    Json(Value),
    /// The bytes read.
    Bytes(Vec<u8>),
}

type Outcome = Result<Gives, Failure>;

const NOTHING: Gives = Gives::Json(Value::Null);

/// The function of an operation.
pub type Operation = fn(&Call) -> Result<Gives, Failure>;

/// Every operation, by its name in the modules.
const OPERATIONS: &[(&str, Operation)] = &[
    ("readFile", files::read),
    ("writeFile", files::write),
    ("truncate", files::truncate),
    ("stat", files::stat),
    ("lstat", files::lstat),
    ("statfs", files::describe_system),
    ("readdir", files::list),
    ("mkdir", files::make_folder),
    ("mkdirAll", files::make_folders),
    ("mkdtemp", files::make_temporary_folder),
    ("rmdir", files::remove_folder),
    ("rm", files::remove),
    ("unlink", files::unlink),
    ("rename", files::rename),
    ("copyFile", files::copy),
    ("access", files::access),
    ("realpath", files::real_path),
    ("readlink", files::read_link),
    ("symlink", files::symlink),
    ("link", files::link),
    ("chmod", files::change_mode),
    ("chown", files::change_owner),
    ("lchown", files::change_owner_of_link),
    ("utimes", files::change_times),
    ("lutimes", files::change_times_of_link),
    ("open", handles::open),
    ("close", handles::close),
    ("read", handles::read),
    ("write", handles::write),
    ("readAll", handles::read_all),
    ("writeAll", handles::write_all),
    ("fstat", handles::stat),
    ("ftruncate", handles::truncate),
    ("fsync", handles::sync),
    ("fdatasync", handles::sync_data),
    ("fchmod", handles::change_mode),
    ("fchown", handles::change_owner),
    ("futimes", handles::change_times),
    ("machine", machine::describe),
    ("getPriority", machine::priority),
    ("setPriority", machine::set_priority),
    ("digest", digests::digest),
    ("hmac", digests::hmac),
];

/// The operation with this name.
pub fn operation(name: &str) -> Option<Operation> {
    OPERATIONS.iter().find(|(known, _)| *known == name).map(|(_, operation)| *operation)
}

/// The outcome of an operation in the form that the modules read.
#[derive(Debug)]
pub struct Answer {
    /// JSON: `{ value }`, `{ bytes }` (the number of bytes in `bytes`) or `{ error }`.
    pub text: String,
    /// The bytes read.
    pub bytes: Option<Vec<u8>>,
}

impl From<Result<Gives, Failure>> for Answer {
    fn from(result: Result<Gives, Failure>) -> Self {
        let (answer, bytes) = match result {
            Ok(Gives::Json(value)) => (json!({ "value": value }), None),
            Ok(Gives::Bytes(bytes)) => (json!({ "bytes": bytes.len() }), Some(bytes)),
            Err(failure) => (json!({ "error": failure.told() }), None),
        };
        Self { text: answer.to_string(), bytes }
    }
}
