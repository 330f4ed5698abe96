//! Packages of npm's in programs, as they are published: each program under `programs/` prints what its `expected.txt` says.
//!
//! It needs npm and its registry, and runs only with `STRAIT_NPM` (`cargo xtask test --npm`). The packages are installed once, into the
//! target folder. Arguments: words that a program's name must contain.

#[allow(dead_code, reason = "the other test program uses the rest")]
#[path = "../programs/display.rs"]
mod display;
#[allow(dead_code, reason = "the other test program uses the rest")]
#[path = "../programs/program.rs"]
mod program;

use std::env;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use display::Display;
use program::{Running, run, strait};

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if env::var_os("STRAIT_NPM").is_none() {
        println!("skipped: these tests need npm's registry; cargo xtask test --npm runs them");
        println!("0 passed, 0 failed");
        return ExitCode::SUCCESS;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm");
    let installed = match install(&here) {
        Ok(folder) => folder,
        Err(error) => {
            println!("FAILED  npm ci: {error}");
            println!("0 passed, 1 failed");
            return ExitCode::FAILURE;
        }
    };
    let display = Display::present_or_own();
    display.take_part();
    let (mut passed, mut failed) = (0, 0);
    for source in folders(&here.join("programs")) {
        let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !words.iter().all(|word| name.contains(word.as_str())) {
            continue;
        }
        let start = Instant::now();
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| shows(&source, &installed.join(&name))));
        passed += usize::from(outcome.is_ok());
        failed += usize::from(outcome.is_err());
        println!("{} {name} ({:.1} s)", if outcome.is_ok() { "ok     " } else { "FAILED " }, start.elapsed().as_secs_f64());
    }
    drop(display);
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Installs the packages beside the command, as the lock file says; gives the folder in which programs find them.
fn install(here: &Path) -> Result<PathBuf, String> {
    let folder = strait().with_file_name("npm");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let copied = |name: &str| -> Result<bool, String> {
        let (from, to) = (here.join(name), folder.join(name));
        let wanted = fs::read(&from).map_err(|error| format!("{}: {error}", from.display()))?;
        let same = fs::read(&to).is_ok_and(|there| there == wanted);
        fs::write(&to, wanted).map_err(|error| format!("{}: {error}", to.display()))?;
        Ok(same)
    };
    let same = copied("package.json")? & copied("package-lock.json")?;
    let done = folder.join("installed");
    // A native addon is built for one version of Node.
    let node = Command::new("node").arg("--version").output().map_err(|error| format!("can't start node: {error}"))?.stdout;
    if same && fs::read(&done).is_ok_and(|version| version == node) {
        return Ok(folder);
    }
    println!("npm ci: installs the packages, and builds better-sqlite3; that takes a minute or two");
    let status = Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&folder).status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(status.to_string()),
        Err(error) => return Err(format!("can't start npm: {error}")),
    }
    fs::write(&done, node).map_err(|error| format!("{}: {error}", done.display()))?;
    Ok(folder)
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).unwrap_or_else(|error| panic!("{}: {error}", parent.display()));
    let mut folders: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// Runs a copy of the program, which lies where it finds the packages.
fn shows(source: &Path, copy: &Path) {
    fs::create_dir_all(copy).expect("a folder for the program");
    for entry in fs::read_dir(source).expect("the program's files").flatten() {
        fs::copy(entry.path(), copy.join(entry.file_name())).expect("copy a file");
    }
    let expected = fs::read_to_string(source.join("expected.txt")).expect("expected.txt");
    let mut running = Running::start(run(copy));
    running.end_well();
    running.expect_in_order(&expected.lines().collect::<Vec<_>>());
}
