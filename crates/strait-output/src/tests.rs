//! Tests of outputs over pipes, sockets and files.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    os::{fd::AsFd, unix::net::UnixStream},
};

use rustix::{
    fs::{OFlags, fcntl_getfl},
    pipe::{PipeFlags, pipe_with},
};

use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

fn notice(count: u64) -> String {
    format!("{count} dropped")
}

fn pipe() -> (OwnedFd, OwnedFd) {
    pipe_with(PipeFlags::CLOEXEC).unwrap()
}

/// All lines, up to the end of input.
fn lines(reader: impl Read) -> Vec<String> {
    BufReader::new(reader).lines().map(Result::unwrap).collect()
}

#[test]
fn lines_go_out_at_once_while_there_is_room() {
    let (read, write) = pipe();
    let output = Output::new(write, notice);
    output.line("one");
    output.line(String::from("two"));
    assert!(!lock(&output.0.state).writing, "no thread is needed");
    drop(output);
    assert_eq!(lines(File::from(read)), ["one", "two"]);
}

/// Writes until lines are dropped, then reads everything: the received lines are whole, in order,
/// and counted.
fn flood(output: Output, read: impl Read + Send + 'static, length: usize) {
    let mut written = 0u64;
    while lock(&output.0.state).dropped < 1000 {
        output.line(format!("{written} {}", "x".repeat(length)));
        written += 1;
        assert!(lock(&output.0.state).bytes <= MAX_WAITING);
    }
    let (shared, reader) = (output.0.clone(), thread::spawn(move || lines(read)));
    assert!(output.flush_until(Instant::now() + PATIENCE));
    output.line("later");
    assert!(output.flush_until(Instant::now() + PATIENCE));
    assert_eq!(lock(&shared.state).waiting.len(), 0);
    drop((output, shared));
    let lines = reader.join().unwrap();
    let [kept @ .., told, later] = &lines[..] else { panic!("{} lines", lines.len()) };
    for (number, line) in kept.iter().enumerate() {
        assert_eq!(line.split(' ').next(), Some(number.to_string().as_str()));
        assert_eq!(line.len(), number.to_string().len() + 1 + length);
    }
    assert_eq!((told, later), (&notice(written - kept.len() as u64), &"later".into()));
}

#[test]
fn a_pipe_that_nobody_reads_stops_nobody() {
    for length in [10, 1000, 100_000] {
        let (read, write) = pipe();
        flood(Output::new(write, notice), File::from(read), length);
    }
}

#[test]
fn a_socket_that_nobody_reads_stops_nobody() {
    let (read, write) = UnixStream::pair().unwrap();
    flood(Output::over(Target::Socket(write.into()), notice), read, 1000);
}

#[test]
fn what_only_a_thread_may_write_to_stops_nobody() {
    let (read, write) = pipe();
    let flags = fcntl_getfl(&write).unwrap();
    let kept = write.try_clone().unwrap();
    let output = Output::over(Target::Other(write), notice);
    output.line("0 x");
    assert!(output.flush_until(Instant::now() + PATIENCE));
    assert_eq!(fcntl_getfl(kept.as_fd()).unwrap(), flags, "others' flags stay");
    assert!(!flags.contains(OFlags::NONBLOCK));
    drop((output, kept));
    assert_eq!(lines(File::from(read)), ["0 x"]);
}

#[test]
fn a_reader_that_is_gone_is_no_error() {
    let (read, write) = pipe();
    let output = Output::new(write, notice);
    drop(read);
    (0..100).for_each(|_| output.line("x"));
    assert!(output.flush_until(Instant::now() + PATIENCE) && lock(&output.0.state).broken);
}

#[test]
fn flushing_has_a_limit() {
    let (_read, write) = pipe();
    let output = Output::new(write, notice);
    output.line("x".repeat(MAX_WAITING));
    assert!(!output.flush_until(Instant::now() + Duration::from_millis(10)));
    assert!(!flush(Duration::ZERO));
}
