//! Child processes: `utilityProcess.fork` from end to end.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::program::{PATIENCE, Running, fixture, run, strait};
use crate::{Outcome, Test, examples, test};

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test("utility: fork, kill, exit, stdio, env, cwd and messages", matrix),
        test("utility: many children at once", many),
        test("utility: children load no WebKit", no_webkit),
        test("utility: a child in Rust links no WebKit", rust_child),
        test("utility: main is killed and no child is left", main_is_killed),
        test("utility: main quits and no child is left", main_quits),
        test("utility: inspected", inspected),
    ]
}

/// `strait run` of one of the programs, with arguments.
fn start(program: &str, args: &[&str]) -> Running {
    let mut command = run(&fixture("utility").join(program));
    command.arg("--").args(args);
    Running::start(command)
}

fn matrix() -> Outcome {
    let mut program = start("matrix.js", &[]);
    program.expect_within("children left: 0", 4 * PATIENCE);
    program.end_well();
    assert_eq!(program.count("not ok"), 0, "{}", program.report());
    assert_eq!(
        program.count("utilityProcess: the option 'respondToAuthRequestsFromMainProcess' is not supported by Strait and has no effect (docs/electron-compatibility.md#utilityprocess)"),
        1,
        "{}",
        program.report()
    );
    assert_eq!(program.count("the option 'disclaim'"), 0);
    let refused = "strait: the utility process 'Node Utility Process' cannot be started: the option --eval in execArgv is not possible: ";
    assert_eq!(program.count(refused), 1, "{}", program.report());
    // What a child writes goes where main's output goes, unless it is told otherwise.
    assert!(program.count("on purpose") >= 3, "{}", program.report());
    Ok(())
}

fn many() -> Outcome {
    let count = if std::env::var_os("STRAIT_LONG").is_some() { "300" } else { "60" };
    let mut program = start("many.js", &[count]);
    program.expect_within("all is well", 6 * PATIENCE);
    program.end_well();
    Ok(())
}

/// The pids that the program `orphans.js` prints.
fn children(program: &mut Running) -> Vec<i32> {
    let line = program.expect("children ");
    line.split(' ').skip(1).map(|pid| pid.parse().expect("a pid")).collect()
}

fn no_webkit() -> Outcome {
    let mut program = start("orphans.js", &[]);
    for child in children(&mut program) {
        let maps = fs::read_to_string(format!("/proc/{child}/maps")).expect("the child lives");
        assert!(maps.contains("libc.so"), "{maps}");
        for library in ["webkit", "javascriptcore", "gtk", "libgdk", "glib", "soup"] {
            assert!(!maps.to_lowercase().contains(library), "{library} in {maps}");
        }
    }
    Ok(())
}

/// The child of the example in Rust, whose package has a main process too. By itself it says what it lacks.
fn rust_child() -> Outcome {
    examples::build("child-process");
    let program = strait().with_file_name("example-child-process-counter");
    let text = fs::read(&program).expect("the program");
    for library in ["libwebkit2gtk", "libjavascriptcore", "libgtk-3"] {
        assert!(!text.windows(library.len()).any(|part| part == library.as_bytes()), "{library}");
    }
    let alone = Command::new(&program).output().expect("it starts");
    let said = String::from_utf8_lossy(&alone.stderr);
    assert!(!alone.status.success() && said.contains("Join"), "{said}");
    Ok(())
}

fn main_is_killed() -> Outcome {
    let mut program = start("orphans.js", &[]);
    let children = children(&mut program);
    // One of them is in its loop.
    let deadline = Instant::now() + PATIENCE;
    while processor_time(children[1]) < 20 {
        assert!(Instant::now() < deadline, "the child does not begin its loop");
        thread::sleep(Duration::from_millis(20));
    }
    kill_process(program.pid(), Signal::KILL).expect("kill main");
    gone(&children);
    Ok(())
}

fn main_quits() -> Outcome {
    let mut program = start("orphans.js", &["quit"]);
    let children = children(&mut program);
    program.end_well();
    gone(&children);
    Ok(())
}

/// Waits until none of these processes exists.
fn gone(pids: &[i32]) {
    let deadline = Instant::now() + PATIENCE;
    while let Some(pid) = pids.iter().find(|pid| lives(**pid)) {
        if Instant::now() > deadline {
            let _ = Pid::from_raw(*pid).map(|pid| kill_process(pid, Signal::KILL));
            panic!("process {pid} is left");
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whether it runs: who has ended and was not asked for does not.
fn lives(pid: i32) -> bool {
    stat(pid).is_some_and(|fields| !matches!(fields[0].as_str(), "Z" | "X"))
}

/// In hundredths of seconds.
fn processor_time(pid: i32) -> u64 {
    stat(pid).and_then(|fields| fields[11].parse().ok()).unwrap_or(0)
}

/// The fields of `/proc/PID/stat` from the state on.
fn stat(pid: i32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?;
    Some(stat.rsplit_once(") ")?.1.split(' ').map(str::to_owned).collect())
}

/// Children write their ports' events into the same file as main.
fn inspected() -> Outcome {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("events");
    let mut command = Command::new(strait());
    command.arg("run").arg(format!("--inspect-ports={}", file.display())).arg(fixture("utility").join("orphans.js")).args(["--", "quit"]);
    let mut program = Running::start(command);
    program.end_well();
    let events = fs::read_to_string(&file).expect("the events");
    let of = |who: &str| events.lines().filter(|line| line.contains(&format!("\"who\":\"{who}\""))).count();
    assert!(of("main") > 0 && of("utility") > 0, "{events}");
    assert_eq!(of("renderer"), 0);
    Ok(())
}
