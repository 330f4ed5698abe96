//! One request, many answers: the page sends a port, asks through it, and the answers come back until it closes.
//! Requests and answers are Rust types.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strait::{App, AppConfig, BrowserWindow, MessagePort, StartError};

/// What the page asks for: `{ from: 5 }`.
#[derive(Deserialize)]
struct Request {
    from: u32,
}

/// What it gets, again and again: `{ seconds: 5 }`.
#[derive(Serialize)]
struct Tick {
    seconds: u32,
}

fn main() -> Result<ExitCode, StartError> {
    let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/pages");
    let code = App::run(AppConfig::new(pages).name("Reply stream"), program)?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

async fn program(app: App) -> Result<(), Box<dyn Error>> {
    app.ipc_main().on("count-down", |event, _args| {
        let Some(port) = event.ports().first().cloned() else { return };
        tokio::task::spawn_local(async move {
            if let Err(error) = count_down(port).await {
                eprintln!("main: {error}");
            }
        });
    });
    app.ipc_main().on("done", |event, _args| {
        let app = event.app().clone();
        tokio::task::spawn_local(async move {
            // Leave the window for a moment, for whoever is watching.
            tokio::time::sleep(Duration::from_secs(1)).await;
            app.quit();
        });
    });

    let window = BrowserWindow::builder().title("Reply stream").size(480, 320).node_integration(true).build(&app);
    window.load_file("index.html").await?;
    Ok(())
}

async fn count_down(port: MessagePort) -> Result<(), Box<dyn Error>> {
    let request: Request = port.recv_as().await?;
    for seconds in (0..=request.from).rev() {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(50)) => port.send_as(&Tick { seconds })?,
            // The page may lose interest first.
            _ = port.closed() => return Ok(()),
        }
    }
    // What was posted before the close is delivered before it.
    port.close();
    Ok(())
}
