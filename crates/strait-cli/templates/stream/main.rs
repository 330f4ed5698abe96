//! The main process: does a job step by step and tells of each through the job's port.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strait::{App, AppConfig, BrowserWindow, LoadError, MessagePort, StartError};

/// What the page asks for.
#[derive(Deserialize)]
struct Job {
    steps: u32,
}

/// What it gets, step by step.
#[derive(Serialize)]
struct Progress {
    done: u32,
    of: u32,
}

fn main() -> Result<ExitCode, StartError> {
    let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/pages");
    let code = App::run(AppConfig::new(pages).name("{{name}}"), program)?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

async fn program(app: App) -> Result<(), LoadError> {
    app.ipc_main().on("job", |event, _args| {
        let Some(port) = event.ports().first().cloned() else { return };
        tokio::task::spawn_local(async move {
            if let Err(error) = work(port).await {
                eprintln!("main: {error}");
            }
        });
    });

    let window = BrowserWindow::builder().title("{{name}}").size(640, 400).node_integration(true).build(&app);
    window.load_file("index.html").await
}

async fn work(port: MessagePort) -> Result<(), Box<dyn Error>> {
    let job: Job = port.recv_as().await?;
    for done in 1..=job.steps {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(20)) => port.send_as(&Progress { done, of: job.steps })?,
            // The page cancelled, was reloaded, closed or crashed.
            reason = port.closed() => {
                println!("main: nobody waits any more ({reason}) before step {done}");
                return Ok(());
            }
        }
    }
    // What was posted before the close is delivered before it.
    port.close();
    Ok(())
}
