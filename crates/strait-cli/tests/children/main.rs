//! `strait::UtilityProcess` as a Rust program uses it: the same cases with a child in JavaScript and with one in Rust.
//!
//! The program is here rather than with the crate because children in JavaScript need an addon that is built with the workspace. A child in Rust is this program again, told by an
//! environment variable what to do. `children [FILTER]` runs the cases whose name contains FILTER.

mod cases;
mod child;
#[path = "../../../strait/tests/windows/display.rs"]
mod display;

use std::{fs, path::PathBuf, process::ExitCode, time::Duration};

use strait::{App, AppConfig, UtilityProcess, UtilityProcessBuilder};

/// How long one case may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a child is written in.
#[derive(Debug, Clone, Copy)]
enum Language {
    JavaScript,
    Rust,
}

const BOTH: [Language; 2] = [Language::JavaScript, Language::Rust];

/// Makes children; its files go with it.
#[derive(Clone)]
struct Kit {
    app: App,
    folder: PathBuf,
}

impl Kit {
    /// A child in this role: see `child.rs`.
    fn child(&self, language: Language, role: &str) -> UtilityProcessBuilder {
        match language {
            Language::JavaScript => UtilityProcess::script(self.folder.join("child.js").to_string_lossy()).arg(role),
            Language::Rust => UtilityProcess::builder(std::env::current_exe().expect("this program")).env(child::ROLE, role).arg(role),
        }
    }
}

fn main() -> ExitCode {
    if let Ok(role) = std::env::var(child::ROLE) {
        return child::run(&role);
    }
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    if let Some(code) = display::rerun_with_display() {
        return code;
    }
    let filter = std::env::args().nth(1).filter(|argument| !argument.starts_with('-')).unwrap_or_default();
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("child.js"), child::SCRIPT).expect("the script");
    let place = folder.path().to_owned();
    let code = App::run(AppConfig::new(&place).name("children test"), move |app| async move {
        let failed = run(&Kit { app: app.clone(), folder: place }, &filter).await;
        app.exit(i32::from(failed > 0));
    });
    match code {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(kit: &Kit, filter: &str) -> usize {
    let (mut passed, mut failed) = (0, 0);
    for (name, case) in cases::all().into_iter().filter(|(name, _)| name.contains(filter)) {
        let started = std::time::Instant::now();
        let running = tokio::task::spawn_local(case(kit.clone()));
        let abort = running.abort_handle();
        let outcome = match tokio::time::timeout(PATIENCE, running).await {
            Ok(Ok(())) => Ok(()),
            // The panic's text is on the terminal already.
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => {
                abort.abort();
                Err(format!("not done in {PATIENCE:?}"))
            }
        };
        let took = started.elapsed().as_millis();
        match outcome {
            Ok(()) => {
                passed += 1;
                println!("test {name} ... ok ({took} ms)");
            }
            Err(why) => {
                failed += 1;
                println!("test {name} ... FAILED: {why} ({took} ms)");
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    failed
}
