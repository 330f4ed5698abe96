//! The codec as main processes in Node.js use it, against the Rust one: seeds of the fuzz target `codec`, and their mutants.

use std::{
    cell::RefCell,
    io::{Read, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use strait_clone::JS_CODEC;
use strait_fuzz::{agreement, replay};

/// All of them take a few seconds.
const MUTANTS: usize = 20_000;

/// A Node that runs `codec.js`. It ends with its input.
struct Node {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Node {
    /// `stage` is how much of a message it gets at once.
    fn start(stage: usize) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/codec.js");
        let mut command = Command::new("node");
        command.arg(script).arg(stage.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("node (cargo xtask setup installs it): {error}"));
        let (input, output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let mut node = Self { child, input, output };
        node.send(JS_CODEC.as_bytes());
        node
    }

    fn send(&mut self, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).expect("a short input").to_le_bytes();
        self.input.write_all(&[&length, bytes].concat()).expect("Node reads");
    }

    /// Reads bytes and writes the value again; an error is the text of what `read` threw.
    fn round(&mut self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        self.send(bytes);
        let mut length = [0; 4];
        self.output.read_exact(&mut length).expect("Node answers; what it threw is above");
        let mut answer = vec![0; u32::from_le_bytes(length) as usize];
        self.output.read_exact(&mut answer).expect("Node answers");
        match answer.split_first() {
            Some((1, message)) => Ok(message.to_vec()),
            Some((_, text)) => Err(String::from_utf8_lossy(text).into_owned()),
            None => panic!("an answer without its first byte"),
        }
    }

    /// Ends it, and asserts that nothing went wrong in it.
    fn end(self) {
        let Self { mut child, input, .. } = self;
        drop(input);
        let status = child.wait().expect("wait for Node");
        assert!(status.success(), "{status}");
    }
}

fn reads_what_rust_reads(stage: usize) {
    let node = RefCell::new(Node::start(stage));
    replay("codec", &[], MUTANTS, |bytes| agreement::check(bytes, |bytes| node.borrow_mut().round(bytes)));
    node.into_inner().end();
}

#[test]
fn main_processes_read_what_rust_reads() {
    reads_what_rust_reads(64 << 10);
}

#[test]
fn main_processes_read_large_messages_as_rust_does() {
    // So small that most messages come in parts.
    reads_what_rust_reads(16);
}
