//! Electron's messaging surface, page by page of its documentation, in real windows.
//!
//! The tests are in `program/pages/`: one program for each page, so that its tests can share windows. What ends a program is in `scenes/`: a program each.
//! All of them say what of the compatibility table they cover, and the table is checked against that, in both directions.
//! Arguments: words that a test's name must contain; then the table is not checked.

#[allow(dead_code, reason = "the other test program uses the rest")]
#[path = "../programs/display.rs"]
mod display;
mod manager;
#[allow(dead_code, reason = "the other test program uses the rest")]
#[path = "../programs/program.rs"]
mod program;
mod table;
#[allow(dead_code, reason = "the other test program uses the rest")]
#[path = "../programs/x11.rs"]
mod x11;

use std::any::Any;
use std::collections::BTreeSet;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use display::Display;
use program::{Running, run};

/// All tests of a page.
const PAGE_LIMIT: Duration = Duration::from_secs(600);

/// What has come out so far.
#[derive(Default)]
struct Outcome {
    passed: usize,
    failed: usize,
    /// `ID CELL`
    covered: BTreeSet<String>,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/electron");
    let display = Display::present_or_own();
    display.take_part();
    manager::begin(Display::name().unwrap_or_default());
    panic::set_hook(Box::new(|_| {}));

    let mut outcome = Outcome::default();
    for page in scripts(&here.join("program/pages")) {
        run_page(&here.join("program"), &page, &words, &mut outcome);
    }
    for scene in scripts(&here.join("scenes")) {
        run_scene(&scene, &words, &mut outcome);
    }
    drop(display);
    if words.is_empty() {
        let mistakes = table::mistakes(&outcome.covered);
        for mistake in &mistakes {
            println!("FAILED  the table: {mistake}");
        }
        outcome.failed += mistakes.len();
        outcome.passed += usize::from(mistakes.is_empty());
    }
    println!("{} passed, {} failed", outcome.passed, outcome.failed);
    if outcome.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn scripts(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut scripts: Vec<_> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "js")).collect();
    scripts.sort();
    scripts
}

fn name(script: &Path) -> String {
    script.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Runs the tests of one page; they report by lines.
fn run_page(program: &Path, page: &Path, words: &[String], outcome: &mut Outcome) {
    let page = name(page);
    let mut command = run(program);
    command.arg("--").arg(&page).args(words);
    let mut running = Running::start(command);
    let ended = panic::catch_unwind(AssertUnwindSafe(|| running.end_within(PAGE_LIMIT)));
    let output = running.output();
    let before = outcome.passed + outcome.failed;
    for line in output.lines() {
        if let Some(covered) = line.strip_prefix("covered ") {
            outcome.covered.insert(covered.to_owned());
        } else if line.starts_with("ok      ") {
            outcome.passed += 1;
        } else if line.starts_with("FAILED  ") {
            outcome.failed += 1;
        }
    }
    let tests = outcome.passed + outcome.failed - before;
    let told = output.lines().rev().find_map(|line| line.strip_suffix(" failed")?.split_once(" passed, "));
    let whole = told.is_some_and(|(passed, failed)| {
        passed.parse::<usize>().ok().zip(failed.parse().ok()).is_some_and(|(p, f): (_, usize)| p + f == tests)
    });
    if ended.is_err() || !whole {
        println!("{output}");
        println!("FAILED  {page}: the program did not come to its end");
        outcome.failed += 1;
        return;
    }
    let failed = output.contains("\nFAILED  ") || output.starts_with("FAILED  ");
    for line in output.lines() {
        // Of a page where all is well only the tests are of interest.
        if failed || line.starts_with("ok      ") {
            println!("{line}");
        }
    }
}

/// Runs a scene. Its first lines say what it covers, what it prints (in this order), and how it ends:
/// `// covers ID CELL`, `// prints TEXT`, `// exits CODE`.
/// With `// again TEXT` it is started a second time when the first prints this; what that prints is in lines of `// again-prints TEXT`, and it ends with 0.
/// `SCENE_FOLDER` in its environment is a folder of its own.
fn run_scene(scene: &Path, words: &[String], outcome: &mut Outcome) {
    let name = format!("scene {}", name(scene));
    if !words.iter().all(|word| name.contains(word.as_str())) {
        return;
    }
    let text = fs::read_to_string(scene).unwrap_or_else(|error| panic!("{}: {error}", scene.display()));
    let said =
        |what: &str| text.lines().filter_map(|line| line.strip_prefix("// ")?.strip_prefix(what)?.strip_prefix(' ')).collect::<Vec<_>>();
    let code: i32 = said("exits").first().and_then(|code| code.parse().ok()).expect("// exits CODE");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let start = || {
        let mut command = run(scene);
        command.env("SCENE_FOLDER", folder.path());
        Running::start(command)
    };
    let mut running = start();
    let done = panic::catch_unwind(AssertUnwindSafe(|| {
        for text in said("again") {
            running.expect(text);
            let mut again = start();
            again.end_well();
            again.expect_in_order(&said("again-prints"));
        }
        let status = running.end();
        running.expect_in_order(&said("prints"));
        assert_eq!(status.code(), Some(code), "{}", running.report());
    }));
    match done {
        Ok(()) => {
            println!("ok      {name}");
            outcome.passed += 1;
            outcome.covered.extend(said("covers").into_iter().map(str::to_owned));
        }
        Err(panic) => {
            println!("FAILED  {name}: {}", message(&*panic));
            outcome.failed += 1;
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked")
}
