//! The processes of a program, with their CPU and memory use.

use std::{collections::HashMap, fs, time::Instant};

/// The most launchers that may be nested.
const MAX_LAUNCHERS: usize = 2;
/// The length of a name in `/proc/PID/comm`.
const COMM: usize = 15;

/// The purpose of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProcessKind {
    /// The main process.
    Main,
    /// A process with pages.
    Renderer,
    /// WebKit's network process.
    Network,
    /// WebKit's GPU process.
    Gpu,
    /// Any other process that the program has started.
    Utility,
}

/// One process of the program.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ProcessMetrics {
    /// The process's id.
    pub pid: i32,
    /// Its purpose.
    pub kind: ProcessKind,
    /// Its name in the system, cut off after 15 bytes.
    pub name: String,
    /// The time of its start, in milliseconds since 1970.
    pub creation_time: f64,
    /// Its CPU use since the last query, in percent of one processor; 0 the first time.
    pub cpu_percent: f64,
    /// Its total CPU time, in seconds.
    pub cpu_seconds: f64,
    /// Memory in use, in KiB, shared memory included.
    pub working_set: u64,
    /// The peak of that, in KiB.
    pub peak_working_set: u64,
}

/// CPU time and time of the last query, by process id and start of the process.
#[derive(Debug, Default)]
pub(crate) struct Seen(HashMap<(i32, u64), (u64, Instant)>);

/// The fields of `/proc/PID/stat` that are used here.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    name: String,
    state: char,
    parent: i32,
    /// In ticks, user and system together.
    cpu: u64,
    /// In ticks since the system started.
    start: u64,
}

/// The launcher by which WebKit starts a sandboxed process: one process of this name contains
/// another of this name, and that one the process itself.
const LAUNCHER: &str = "bwrap";

/// All processes of the program whose main process this is: main first, then its children. A
/// sandbox's launcher is replaced by the process that it has started.
pub(crate) fn collect(seen: &mut Seen) -> Vec<ProcessMetrics> {
    let own = rustix::process::getpid().as_raw_nonzero().get();
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let booted = booted();
    let now = Instant::now();
    let mut former = std::mem::take(&mut seen.0);
    let all: HashMap<i32, Stat> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?)))
        .collect();
    let mut found = program_of(own, all);
    found.sort_unstable_by_key(|(pid, stat)| (*pid != own, stat.start, *pid));
    let mut metrics = Vec::with_capacity(found.len());
    for (pid, stat) in found {
        let last = former.remove(&(pid, stat.start));
        let cpu_percent = last.map_or(0.0, |(cpu, at)| {
            let past = now.duration_since(at).as_secs_f64();
            if past > 0.0 { stat.cpu.saturating_sub(cpu) as f64 / ticks / past * 100.0 } else { 0.0 }
        });
        seen.0.insert((pid, stat.start), (stat.cpu, now));
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        metrics.push(ProcessMetrics {
            pid,
            kind: if pid == own { ProcessKind::Main } else { kind(&stat.name) },
            creation_time: (booted + stat.start as f64 / ticks) * 1000.0,
            cpu_percent,
            cpu_seconds: stat.cpu as f64 / ticks,
            working_set: kibibytes(&status, "VmRSS:"),
            peak_working_set: kibibytes(&status, "VmHWM:"),
            name: stat.name,
        });
    }
    metrics
}

/// The program's processes among all processes; see [`collect`].
fn program_of(own: i32, all: HashMap<i32, Stat>) -> Vec<(i32, Stat)> {
    let is_ours = |pid: i32, process: &Stat| {
        let mut parent = process.parent;
        // Its parent, or the outer launcher of a launcher.
        for _ in 0..MAX_LAUNCHERS {
            match all.get(&parent) {
                Some(launcher) if parent != own && launcher.name == LAUNCHER => parent = launcher.parent,
                _ => break,
            }
        }
        pid == own || parent == own
    };
    let launches = |pid: i32, process: &Stat| process.name == LAUNCHER && all.values().any(|other| other.parent == pid);
    let kept = |pid, process: &Stat| is_ours(pid, process) && !launches(pid, process) && !matches!(process.state, 'Z' | 'X');
    let mut pids: Vec<i32> = all.iter().filter(|(pid, process)| kept(**pid, process)).map(|(pid, _)| *pid).collect();
    pids.sort_unstable();
    let mut all = all;
    pids.into_iter().filter_map(|pid| Some((pid, all.remove(&pid)?))).collect()
}

fn kind(name: &str) -> ProcessKind {
    let is = |whole: &str| name == &whole[..COMM];
    match () {
        () if is("WebKitWebProcess") => ProcessKind::Renderer,
        () if is("WebKitNetworkProcess") => ProcessKind::Network,
        () if is("WebKitGPUProcess") => ProcessKind::Gpu,
        () => ProcessKind::Utility,
    }
}

/// The name is in parentheses and may itself contain some.
fn stat(line: &str) -> Option<Stat> {
    let (begin, end) = (line.find('(')?, line.rfind(')')?);
    let rest: Vec<&str> = line.get(end + 1..)?.split_ascii_whitespace().collect();
    let number = |index: usize| rest.get(index)?.parse::<u64>().ok();
    Some(Stat {
        name: line.get(begin + 1..end)?.into(),
        state: rest.first()?.chars().next()?,
        parent: rest.get(1)?.parse().ok()?,
        cpu: number(11)? + number(12)?,
        start: number(19)?,
    })
}

/// The time of the system's start, in seconds since 1970.
fn booted() -> f64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    text.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok()).unwrap_or(0.0)
}

fn kibibytes(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::{process::Command, time::Duration};

    use super::*;

    #[test]
    fn names_with_parentheses_are_read() {
        let line = "42 (a) b (c)) S 7 42 42 0 -1 4194560 1 0 0 0 11 22 0 0 20 0 1 0 12345 1 1";
        assert_eq!(stat(line).unwrap(), Stat { name: "a) b (c)".into(), state: 'S', parent: 7, cpu: 33, start: 12345 });
        assert_eq!(stat("42 (x) S"), None);
        assert_eq!(kind("WebKitNetworkPr"), ProcessKind::Network);
        assert_eq!(kind("WebKitWebProces"), ProcessKind::Renderer);
        assert_eq!(kind("Node Utility Pr"), ProcessKind::Utility);
    }

    #[test]
    fn a_launched_process_stands_for_its_launchers() {
        let process = |name: &str, parent| Stat { name: name.into(), state: 'S', parent, cpu: 0, start: 1 };
        let all = HashMap::from([
            (1, process("init", 0)),
            (10, process("program", 1)),
            (11, process("bwrap", 10)),
            (12, process("bwrap", 11)),
            (13, process("WebKitWebProces", 12)),
            (14, process("WebKitNetworkPr", 10)),
            (15, process("sh", 10)),
            (16, process("child-of-a-child", 15)),
            // It has not started its process yet.
            (17, process("bwrap", 10)),
            (20, process("bwrap", 1)),
            (21, process("WebKitWebProces", 20)),
        ]);
        let pids: Vec<i32> = program_of(10, all).into_iter().map(|(pid, _)| pid).collect();
        assert_eq!(pids, [10, 13, 14, 15, 17]);
    }

    #[test]
    fn children_come_and_go_and_work_is_seen() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let mut seen = Seen::default();
        let first = collect(&mut seen);
        assert_eq!((first[0].pid, first[0].kind, first[0].cpu_percent), (std::process::id() as i32, ProcessKind::Main, 0.0));
        assert!(first[0].working_set > 0 && first[0].peak_working_set >= first[0].working_set);
        assert!(first.iter().any(|process| process.pid == pid && process.kind == ProcessKind::Utility));
        let age =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64() - first[0].creation_time / 1000.0;
        assert!((-2.0..600.0).contains(&age), "{age}");
        let until = Instant::now() + Duration::from_millis(300);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        let second = collect(&mut seen);
        assert!(second[0].cpu_percent > 1.0, "{}", second[0].cpu_percent);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!collect(&mut seen).iter().any(|process| process.pid == pid));
        assert!(!seen.0.keys().any(|(seen, _)| *seen == pid));
    }
}
