//! Runs the cases of a test program and counts them.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use strait::{App, StartError};

use super::kit::{Case, Kit};

/// How long one case may take.
const CASE_TIMEOUT: Duration = Duration::from_secs(120);

/// Runs the cases whose name contains the program's first argument, one after another, and ends the
/// program: with 0 if all passed.
pub(super) async fn run(app: &App, kit: Kit, cases: Vec<Case>) {
    let filter = std::env::args().nth(1).filter(|argument| !argument.starts_with('-')).unwrap_or_default();
    app.on_window_all_closed(|| {});
    let (mut passed, mut failed) = (0, 0);
    for case in cases.into_iter().filter(|case| case.name.contains(&filter)) {
        let started = Instant::now();
        let running = tokio::task::spawn_local((case.run)(app.clone(), kit.clone()));
        let abort = running.abort_handle();
        let outcome = match tokio::time::timeout(CASE_TIMEOUT, running).await {
            Ok(Ok(())) => Ok(()),
            // The panic's text is on the terminal already.
            Ok(Err(error)) => Err(if error.is_panic() { "panicked".to_owned() } else { error.to_string() }),
            Err(_) => {
                abort.abort();
                Err(format!("not done in {CASE_TIMEOUT:?}"))
            }
        };
        let took = started.elapsed().as_millis();
        match outcome {
            Ok(()) => {
                passed += 1;
                println!("test {} ... ok ({took} ms)", case.name);
            }
            Err(why) => {
                failed += 1;
                println!("test {} ... FAILED: {why} ({took} ms)", case.name);
            }
        }
        for window in app.windows() {
            window.destroy();
        }
    }
    println!("{passed} passed, {failed} failed");
    kit.remove();
    app.exit(i32::from(failed > 0));
}

/// The program's exit code.
pub(super) fn exit_code(ended: Result<i32, StartError>) -> ExitCode {
    match ended {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
