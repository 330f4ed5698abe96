//! Standard error is an unread pipe: the program and its other windows go on, and what is missing is counted.

use std::io::{BufRead, BufReader, PipeReader, Read, pipe};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::display::Display;
use crate::program::{PATIENCE, fixture, run};
use crate::{Outcome, Test, test};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test("stderr that nobody reads stops nobody, and dropped lines are counted", dropped_lines_are_counted),
        test("stderr that nobody reads does not keep the program from ending", the_program_ends),
    ]
}

/// The page logs this many lines, and main says this many things about failed handlers.
const LINES: u64 = 5000;
const FAILURES: u64 = 100;

/// A program whose standard error is not read so far.
struct Unread {
    child: Child,
    lines: Receiver<String>,
    stderr: PipeReader,
}

impl Unread {
    fn start() -> Unread {
        let (stderr, writer) = pipe().expect("a pipe");
        let mut command = run(&fixture("full-stderr"));
        Display::give_to(&mut command);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(writer).process_group(0).spawn().expect("start it");
        // The command has the pipe's other writing end.
        drop(command);
        let lines = lines(child.stdout.take().expect("piped"));
        Unread { child, lines, stderr }
    }

    fn expect(&self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(text) => return,
                Ok(_) => {}
                Err(error) => panic!("no line with {text:?}: {error}"),
            }
        }
    }

    fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("the program runs");
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Lines as they come, from now on.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || BufReader::new(stream).lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    lines
}

fn dropped_lines_are_counted() -> Outcome {
    let program = Unread::start();
    program.expect("main: logged");
    program.expect("page: an answer");
    let (mut kept, mut dropped, mut next) = (0, 0, 0);
    let drained = lines(program.stderr.try_clone().expect("the pipe"));
    while kept + dropped < LINES + FAILURES {
        let line = drained.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{error}: {kept} kept, {dropped} dropped"));
        if let Some((_, rest)) = line.split_once("] line ") {
            let number: u64 = rest.split(' ').next().and_then(|number| number.parse().ok()).expect("a number");
            assert!(number >= next && line.contains(&"x".repeat(1000)), "out of order, or torn: {line}");
            (next, kept) = (number + 1, kept + 1);
        } else if line.starts_with("Error occurred in handler for 'fails'") {
            kept += 1;
        } else if let Some(count) =
            line.strip_prefix("strait: ").and_then(|rest| rest.strip_suffix(" lines were dropped here: standard error was not read"))
        {
            dropped += count.parse::<u64>().expect("a number");
        }
    }
    assert!(kept > 0 && dropped > 0, "{kept} kept, {dropped} dropped");
    assert_eq!(kept + dropped, LINES + FAILURES, "{kept} kept");
    Ok(())
}

fn the_program_ends() -> Outcome {
    let mut program = Unread::start();
    program.expect("page: an answer");
    program.interrupt();
    let deadline = Instant::now() + PATIENCE;
    while program.child.try_wait().expect("its status").is_none() {
        assert!(Instant::now() < deadline, "the program does not end");
        thread::yield_now();
    }
    Ok(())
}
