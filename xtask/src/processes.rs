//! Which processes did we start, and are they all gone?
//!
//! A test may leave a child behind in a process group of its own. xtask is therefore a *subreaper*: whatever descends from it stays
//! its descendant, and can be found and ended by walking `/proc`.

use std::collections::HashMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpid, kill_process, set_child_subreaper};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How long a process may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(3);

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Makes Ctrl-C, SIGTERM and SIGHUP end every descendant before us.
pub(crate) fn end_everything_on_signals() {
    if let Err(error) = set_child_subreaper(Some(getpid())) {
        eprintln!("note: processes that tests leave behind may not be found: {error}");
    }
    match Signals::new([SIGINT, SIGTERM, SIGHUP]) {
        Ok(mut signals) => {
            thread::spawn(move || {
                if let Some(signal) = signals.forever().next() {
                    INTERRUPTED.store(true, Ordering::SeqCst);
                    eprintln!("\ninterrupted: ending everything that was started");
                    end_descendants(&[]);
                    std::process::exit(128 + signal);
                }
            });
        }
        Err(error) => eprintln!("note: an interrupt will not end what was started: {error}"),
    }
}

/// After an interrupt this does not return: what comes next would report the ended processes as failures.
pub(crate) fn stop_if_interrupted() {
    while INTERRUPTED.load(Ordering::SeqCst) {
        thread::park();
    }
}

/// A living process below ours.
#[derive(Debug, Clone)]
pub(crate) struct Descendant {
    pub(crate) pid: Pid,
    pub(crate) name: String,
}

/// Every living descendant, except the trees below `spared`.
pub(crate) fn descendants(spared: &[Pid]) -> Vec<Descendant> {
    let mut children: HashMap<i32, Vec<(i32, String)>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(stat) = fs::read_to_string(entry.path().join("stat")).ok() else { continue };
        if let Some(stat) = parse_stat(&stat)
            && stat.state != 'Z'
        {
            children.entry(stat.parent).or_default().push((stat.pid, stat.name));
        }
    }
    let mut found = Vec::new();
    let mut parents = vec![getpid().as_raw_nonzero().get()];
    while let Some(parent) = parents.pop() {
        for (raw, name) in children.remove(&parent).unwrap_or_default() {
            let Some(pid) = Pid::from_raw(raw) else { continue };
            if !spared.contains(&pid) {
                found.push(Descendant { pid, name });
                parents.push(raw);
            }
        }
    }
    found
}

/// Ends every descendant except the trees below `spared`: SIGTERM, then SIGKILL. Returns when they are gone.
pub(crate) fn end_descendants(spared: &[Pid]) {
    for process in descendants(spared) {
        let _ = kill_process(process.pid, Signal::TERM);
    }
    if !wait_until(GRACE, || descendants(spared).is_empty()) {
        // Each round, because a process can fork between the listing and the signal.
        wait_until(GRACE, || {
            let left = descendants(spared);
            for process in &left {
                let _ = kill_process(process.pid, Signal::KILL);
            }
            left.is_empty()
        });
    }
}

/// Polls `done`: the end of a process that is not our child cannot be awaited.
pub(crate) fn wait_until(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if done() {
            return true;
        }
        if start.elapsed() >= limit {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

struct Stat {
    pid: i32,
    name: String,
    state: char,
    parent: i32,
}

/// `/proc/PID/stat`: the name is in parentheses and may contain both spaces and parentheses.
fn parse_stat(text: &str) -> Option<Stat> {
    let (pid, rest) = text.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    Some(Stat { pid: pid.parse().ok()?, name: name.into(), state: fields.next()?.chars().next()?, parent: fields.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_with_a_hostile_name() {
        let stat = parse_stat("12 (a) S (b) c) R 7 12 12 0").unwrap();
        assert_eq!((stat.pid, stat.name.as_str(), stat.state, stat.parent), (12, "a) S (b) c", 'R', 7));
        assert!(parse_stat("no stat line").is_none());
    }
}
