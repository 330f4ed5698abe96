//! The main process: introduces the page to the worker, and again when the worker had to be replaced.

use std::process::ExitCode;

use strait::{App, AppConfig, BrowserWindow, LoadError, MessageChannel, StartError};

fn main() -> Result<ExitCode, StartError> {
    let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/pages");
    let code = App::run(AppConfig::new(pages).name("{{name}}"), program)?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

async fn program(app: App) -> Result<(), LoadError> {
    let page = BrowserWindow::builder().title("{{name}}").size(640, 400).node_integration(true).build(&app);
    let ending = app.clone();
    page.on_closed(move || ending.quit());
    page.load_file("index.html").await?;
    start_worker(app, page);
    Ok(())
}

/// Opens a worker and makes it known to the page.
fn start_worker(app: App, page: BrowserWindow) {
    let worker = BrowserWindow::builder().show(false).node_integration(true).build(&app);
    let gone = (worker.clone(), page.clone(), app.clone());
    worker.web_contents().on_render_process_gone(move |reason| {
        let (worker, page, app) = gone.clone();
        println!("main: the worker is gone: {reason}");
        worker.destroy();
        if !page.is_destroyed() {
            start_worker(app, page);
        }
    });

    let loaded = worker.load_file("worker.html");
    let MessageChannel { port1, port2 } = MessageChannel::new(&app);
    // These wait for the documents that are being loaded.
    let introduced = (worker.web_contents().post_message("client", (), vec![port1]))
        .and_then(|()| page.web_contents().post_message("worker", (), vec![port2]));
    if let Err(error) = introduced {
        eprintln!("main: {error}");
    }
    tokio::task::spawn_local(async move {
        if let Err(error) = loaded.await {
            eprintln!("main: {error}");
        }
    });
}
