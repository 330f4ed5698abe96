//! The system as Node's modules see it, for pages and preload scripts, whose engine has no Node.
//!
//! Two halves that belong together. The operations ([`operation`]): each a function of Rust on plain arguments ([`Call`]) with Node's errors ([`Failure`]), which a host
//! calls in its own thread or has done by a [`Pool`]. And the modules ([`module`]): texts of JavaScript which make Node's API of them, and of which each host evaluates
//! the same. What is between the two is the host's: how arguments, bytes and answers cross is its module `strait:system`.
//!
//! Knows no engine, no pages and no event loop.

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

/// What an operation is asked to do: its entry in the table says what of it it looks at.
#[derive(Debug)]
pub struct Call {
    /// Mostly a path.
    pub first: String,
    /// Mostly another path.
    pub second: String,
    /// Mostly a file's mode or flags; what has to do with an open file begins with its descriptor.
    pub numbers: [f64; 3],
    /// What is to be written.
    pub data: Vec<u8>,
    /// The files that whoever asks has open.
    pub files: Arc<Descriptors>,
}

/// What it gives.
#[derive(Debug)]
pub enum Gives {
    /// A value.
    Json(Value),
    /// What was read.
    Bytes(Vec<u8>),
}

type Outcome = Result<Gives, Failure>;

const NOTHING: Gives = Gives::Json(Value::Null);

/// Does what it is asked.
pub type Operation = fn(&Call) -> Result<Gives, Failure>;

/// Every operation with the name that the modules call it.
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

/// The operation of that name.
pub fn operation(name: &str) -> Option<Operation> {
    OPERATIONS.iter().find(|(known, _)| *known == name).map(|(_, operation)| *operation)
}

/// What an operation came to, as the modules read it.
#[derive(Debug)]
pub struct Answer {
    /// JSON: `{ value }`, `{ bytes }` (how many there are beside) or `{ error }`.
    pub text: String,
    /// What was read.
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
