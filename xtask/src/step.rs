//! Runs one command: its output live and kept, its time bounded, nothing left behind.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::processes;

/// After a command has ended: how long its output may stay open, and its children may live on, before they count as left behind.
const SETTLE: Duration = Duration::from_secs(3);

/// How a step ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Everything it printed, line by line, both streams.
    pub(crate) lines: Vec<String>,
    /// `None`: it could not be started, or ran out of time.
    pub(crate) status: Option<ExitStatus>,
    /// What a reader should know beside the output.
    pub(crate) notes: Vec<String>,
    /// Wall clock.
    pub(crate) took: Duration,
}

impl Ended {
    pub(crate) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

enum Event {
    Line(String),
    EndOfStream,
    Exited(std::io::Result<ExitStatus>),
}

/// Runs `command` for at most `limit`, giving each line it prints to `on_line`. Processes it leaves behind are ended, those below `spared` excepted.
pub(crate) fn run(mut command: Command, limit: Duration, spared: &[Pid], mut on_line: impl FnMut(&str)) -> Ended {
    let start = Instant::now();
    let mut ended = Ended { lines: Vec::new(), status: None, notes: Vec::new(), took: Duration::ZERO };
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            ended.notes.push(format!("{}: {error}", command.get_program().to_string_lossy()));
            return ended;
        }
    };
    let group = Pid::from_child(&child);
    let (events, inbox) = mpsc::channel();
    read_lines(child.stdout.take(), events.clone());
    read_lines(child.stderr.take(), events.clone());
    thread::spawn(move || events.send(Event::Exited(child.wait())));

    let mut open_streams = 2;
    let mut exited = false;
    let mut deadline = start + limit;
    while !exited || open_streams > 0 {
        match inbox.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Event::Line(line)) => {
                on_line(&line);
                ended.lines.push(line);
            }
            Ok(Event::EndOfStream) => open_streams -= 1,
            Ok(Event::Exited(status)) => {
                ended.status = status.ok();
                exited = true;
                deadline = Instant::now() + SETTLE;
            }
            Err(RecvTimeoutError::Timeout) if !exited => {
                ended.notes.push(format!("ran longer than {} and was ended", seconds(limit)));
                let _ = kill_process_group(group, Signal::TERM);
                processes::end_descendants(spared);
                // The status of an ended command says nothing.
                ended.status = None;
                ended.took = start.elapsed();
                return ended;
            }
            Err(_) => break,
        }
    }
    processes::stop_if_interrupted();
    ended.took = start.elapsed();
    if !processes::wait_until(SETTLE, || processes::descendants(spared).is_empty()) {
        let left: Vec<_> = processes::descendants(spared).into_iter().map(|p| format!("{} ({})", p.name, p.pid.as_raw_nonzero())).collect();
        if !left.is_empty() {
            ended.notes.push(format!("left processes behind, ended them: {}", left.join(", ")));
            processes::end_descendants(spared);
        }
    }
    ended
}

fn read_lines(stream: Option<impl Read + Send + 'static>, events: Sender<Event>) {
    thread::spawn(move || {
        if let Some(stream) = stream {
            let mut stream = BufReader::new(stream);
            let mut bytes = Vec::new();
            while stream.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
                let line = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
                bytes.clear();
                if events.send(Event::Line(line)).is_err() {
                    return;
                }
            }
        }
        let _ = events.send(Event::EndOfStream);
    });
}

/// A duration for people.
pub(crate) fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(60) {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {} s", time.as_secs() / 60, time.as_secs() % 60)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;

    // A step ends every process below ours, those of a neighbouring test too.
    static ALONE: Mutex<()> = Mutex::new(());

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_streams_and_the_status_are_kept() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = Vec::new();
        let ended =
            run(shell("echo out; echo err >&2; printf last; exit 3"), Duration::from_secs(20), &[], |line| seen.push(line.to_owned()));
        let mut lines = ended.lines.clone();
        lines.sort();
        assert_eq!(lines, ["err", "last", "out"]);
        assert_eq!(seen, ended.lines);
        assert_eq!(ended.status.and_then(|status| status.code()), Some(3));
        assert!(ended.notes.is_empty(), "{:?}", ended.notes);
    }

    #[test]
    fn a_command_that_does_not_end_is_ended_with_its_children() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let start = Instant::now();
        let ended = run(shell("sleep 300 & echo started; sleep 300"), Duration::from_secs(4), &[], |_| {});
        assert!(ended.status.is_none());
        assert!(ended.notes[0].contains("ran longer than 4.0 s"), "{:?}", ended.notes);
        assert_eq!(ended.lines, ["started"]);
        assert!(start.elapsed() < Duration::from_secs(120));
        assert!(processes::descendants(&[]).iter().all(|process| process.name != "sleep"));
    }

    #[test]
    fn a_command_that_does_not_exist() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = run(Command::new("/does/not/exist"), Duration::from_secs(1), &[], |_| {});
        assert!(!ended.succeeded());
        assert!(ended.notes[0].starts_with("/does/not/exist: "), "{:?}", ended.notes);
    }
}
