//! Windows, pages and ports on real web processes. GTK wants the process's first thread, so this is a program of its own:
//! it gives itself a virtual display if there is none, runs every case in one process and ends with the count.
//!
//! `windows [FILTER]` runs the cases whose name contains FILTER.

#[path = "windows/closes.rs"]
mod closes;
#[path = "windows/display.rs"]
mod display;
#[path = "windows/floods.rs"]
mod floods;
#[path = "windows/forged.rs"]
mod forged;
#[path = "windows/kit.rs"]
mod kit;
#[path = "windows/loads.rs"]
mod loads;
#[path = "windows/messages.rs"]
mod messages;
#[path = "windows/pages.rs"]
mod pages;
#[path = "windows/popups.rs"]
mod popups;

use std::{process::ExitCode, time::Duration};

use strait::{App, AppConfig};

use kit::{Case, Kit};

/// How long one case may take.
const CASE_TIMEOUT: Duration = Duration::from_secs(120);

fn main() -> ExitCode {
    if let Some(socket) = std::env::var_os("STRAIT_TEST_PEER") {
        return closes::peer(&socket);
    }
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    if let Some(code) = display::rerun_with_display() {
        return code;
    }
    let filter = std::env::args().nth(1).filter(|argument| !argument.starts_with('-')).unwrap_or_default();
    let kit = Kit::new();
    let config = AppConfig::new(kit.folder()).name("windows test").version("4.5.6");
    let code = App::run(config, move |app| async move {
        app.on_window_all_closed(|| {});
        let mut cases = Vec::new();
        loads::cases(&mut cases);
        messages::cases(&mut cases);
        closes::cases(&mut cases);
        popups::cases(&mut cases);
        pages::cases(&mut cases);
        forged::cases(&mut cases);
        floods::cases(&mut cases);
        floods::limits(&mut cases);
        let failed = run(&app, &kit, cases, &filter).await;
        kit.remove();
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

async fn run(app: &App, kit: &Kit, cases: Vec<Case>, filter: &str) -> usize {
    let (mut passed, mut failed) = (0, 0);
    for case in cases.into_iter().filter(|case| case.name.contains(filter)) {
        let started = std::time::Instant::now();
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
    failed
}
