//! A main process in Node.js: what its ports cost, what else goes on in it meanwhile, and how an older build does.

use std::cell::Cell;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use rustix::process::Pid;
use strait_bench::placement::{Placement, Side};
use strait_bench::report::{Bar, Report, Unit};
use strait_bench::rounds::{Contest, Effort};
use strait_bench::{Echo, Outcome, round_trips, seqpacket};

use super::{LIMIT, SMALL};
use crate::contestants::{Contestants, Group, PROGRAM, START_LIMIT};
use crate::desk::Desk;

/// A `strait` command to compare with, of an older build: the path of the file.
const OLDER: &str = "STRAIT_BENCH_OLDER";

const NODE: &str = "Node main";
const PEER: &str = "raw SEQPACKET, apart";

/// A program in JavaScript whose page is at the desk as `who`.
fn start(strait: &Path, desk: &Desk, who: &str) -> Outcome<Group> {
    let group = Group::start(Command::new(strait).args(["run", PROGRAM, "--", desk.base(), who]))?;
    desk.await_page(who, START_LIMIT)?;
    Ok(group)
}

fn strait() -> Outcome<PathBuf> {
    Ok(env::current_exe()?.with_file_name("strait"))
}

/// The web process of a main process whose windows are not sandboxed.
fn web_process(main: Pid) -> Outcome<Pid> {
    let parent = format!("PPid:\t{}", main.as_raw_nonzero());
    let processes = fs::read_dir("/proc")?.flatten().filter(|entry| {
        let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        status.starts_with("Name:\tWebKitWebProces\n") && status.lines().any(|line| line == parent)
    });
    let found = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw)).next();
    found.ok_or_else(|| "the program has no web process".into())
}

pub(super) fn latency(contestants: &Contestants, report: &mut Report, effort: Effort) -> Outcome<()> {
    let desk = &contestants.desk;
    let program = start(&strait()?, desk, "apart")?;
    let apart = Placement::apart()?;
    apart.pin_process(web_process(program.pid())?, Side::Near)?;
    apart.pin_process(program.pid(), Side::Far)?;
    let mut socket = seqpacket::Client::start(apart)?;
    let requests = effort.count(5000);
    let mut contest = Contest::new(effort, Placement::Free);
    contest.enter("port", effort.count(5000), |count| desk.order("apart", "main", count, LIMIT));
    // A round's figure is a median already.
    contest.enter("invoke", 1, |_| desk.order("apart", "asked", requests, LIMIT));
    contest.enter(PEER, effort.count(10_000), |count| {
        apart.pin(Side::Near)?;
        let took = round_trips(&mut socket as &mut dyn Echo, &SMALL, count);
        Placement::Free.pin(Side::Near)?;
        took
    });
    let figures = contest.run()?;
    report.compare("page ↔ Node main, round trip", Unit::Microseconds, &figures, "port", PEER, Bar::AtMost(0.5));
    report.compare("page → Node main, invoke", Unit::Microseconds, &figures, "invoke", PEER, Bar::AtMost(0.8));
    Ok(())
}

const STREAMING: &str = "64 messages under way";
const IDLE: &str = "nothing sent";

pub(super) fn others(contestants: &Contestants, report: &mut Report, effort: Effort) -> Outcome<()> {
    let desk = &contestants.desk;
    let _program = start(&strait()?, desk, "busy")?;
    let messages = effort.count(100_000);
    let measure = |busy: &'static str, idle: &'static str| {
        // A round's figure is main's own.
        let mut contest = Contest::new(effort, Placement::Free);
        contest.enter(STREAMING, 1, |_| desk.order("busy", busy, messages, LIMIT));
        contest.enter(IDLE, 1, |_| desk.order("busy", idle, 1, LIMIT));
        contest.run()
    };
    let (gap, stat) = (measure("mainGap", "mainGapIdle")?, measure("mainStat", "mainStatIdle")?);
    report.compare("longest gap of a 4 ms timer in main", Unit::Milliseconds, &gap, STREAMING, IDLE, Bar::OursAtMost(12.0));
    report.compare("fs.stat in main, one after the other", Unit::Microseconds, &stat, STREAMING, IDLE, Bar::AtMost(3.0));
    Ok(())
}

pub(super) fn older(contestants: &Contestants, report: &mut Report, effort: Effort) -> Outcome<()> {
    let Some(older) = env::var_os(OLDER).map(PathBuf::from) else {
        println!("  left out: {OLDER} names no `strait` of an older build");
        return Ok(());
    };
    const BEFORE: &str = "older build";
    let desk = &contestants.desk;
    let own = strait()?;
    let builds = [(NODE, "newer", own.as_path()), (BEFORE, "older", older.as_path())];
    let [new, old] = builds.map(|(_, who, strait)| start(strait, desk, who));
    let (new, old) = (new?, old?);
    for (name, program) in [(NODE, &new), (BEFORE, &old)] {
        println!("  {name}: {} MB of its own and of what it shares (PSS)", proportional(program.pid())? / 1000);
    }
    let mut row = |title, what, count, per_round, unit, bar| {
        let mut contest = Contest::new(effort, Placement::Free);
        for (name, who, _) in builds {
            contest.enter(name, per_round, move |_| desk.order(who, what, count, LIMIT));
        }
        report.compare(title, unit, &contest.run()?, NODE, BEFORE, bar);
        Outcome::Ok(())
    };
    let (small, stream, large) = (effort.count(5000), effort.count(50_000), effort.count(200));
    row("page ↔ main, round trip", "main", small, small, Unit::Microseconds, Bar::AtMost(1.0))?;
    row("echo stream page ↔ main, 64 under way", "mainStream", stream, stream, Unit::PerSecond, Bar::AtLeast(1.0))?;
    row("1 MiB Uint8Array page ↔ main, round trip", "mainLarge", large, large, Unit::Microseconds, Bar::AtMost(1.0))?;
    row("50,000 rows page ↔ main, round trip", "mainRows", 50_000, 1, Unit::Milliseconds, Bar::AtMost(0.2))?;
    drop((new, old));

    let started = Cell::new(0);
    let mut contest = Contest::new(effort, Placement::Free);
    for (name, _, strait) in builds {
        let started = &started;
        contest.enter(name, 1, move |_| {
            started.set(started.get() + 1);
            let who = format!("start-{}", started.get());
            let begin = Instant::now();
            let _program = start(strait, desk, &who)?;
            Ok(begin.elapsed())
        });
    }
    report.compare("start of a program, until its page asks for work", Unit::Milliseconds, &contest.run()?, NODE, BEFORE, Bar::None);
    Ok(())
}

/// The memory of a process in kB, what it shares in equal parts.
fn proportional(process: Pid) -> Outcome<u64> {
    let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", process.as_raw_nonzero()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).ok_or("the kernel tells no PSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
