//! A window nobody sees does the work for a window somebody does. Main introduces the two and is out of it from then on.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use strait::{App, AppConfig, BrowserWindow, MessageChannel, StartError};

fn main() -> Result<ExitCode, StartError> {
    let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/pages");
    let code = App::run(AppConfig::new(pages).name("Worker window"), program)?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

async fn program(app: App) -> Result<(), Box<dyn Error>> {
    let worker = BrowserWindow::builder().show(false).node_integration(true).build(&app);
    worker.load_file("worker.html").await?;

    let window = BrowserWindow::builder().title("Worker window").size(480, 320).node_integration(true).build(&app);
    let page = window.web_contents();
    let requests = Arc::new(AtomicU32::new(0));

    let seen = Arc::clone(&requests);
    app.ipc_main().on("need-a-worker", move |event, _args| {
        seen.fetch_add(1, Ordering::Relaxed);
        // Only the page's own frame may have the worker, not an iframe in it.
        let Some(frame) = event.sender_frame().filter(|frame| *frame == page.main_frame()) else { return };
        let channel = MessageChannel::new(event.app());
        let introduced = worker
            .web_contents()
            .post_message("client", (), vec![channel.port1])
            .and_then(|()| frame.post_message("your-worker", (), vec![channel.port2]));
        match introduced {
            Ok(()) => println!("main: introduced the page to the worker"),
            Err(error) => eprintln!("main: {error}"),
        }
    });

    app.ipc_main().on("done", move |event, _args| {
        println!("main: saw {} request and none of the work", requests.load(Ordering::Relaxed));
        let app = event.app().clone();
        tokio::task::spawn_local(async move {
            // Leave the window for a moment, for whoever is watching.
            tokio::time::sleep(Duration::from_secs(1)).await;
            app.quit();
        });
    });

    window.load_file("page.html").await?;
    Ok(())
}
