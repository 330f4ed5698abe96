//! A child process in Rust works for a page. Main starts the child and introduces the two, which then talk without it. When the child crashes, the page notices
//! by its port's close and asks for another.

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use strait::{App, AppConfig, BrowserWindow, MessageChannel, StartError, UtilityProcess, WebContents};
use tokio::sync::mpsc;

fn main() -> Result<ExitCode, StartError> {
    let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/pages");
    let code = App::run(AppConfig::new(pages).name("Child process"), program)?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

async fn program(app: App) -> Result<(), Box<dyn Error>> {
    let window = BrowserWindow::builder().title("Child process").size(480, 320).node_integration(true).build(&app);
    app.ipc_main().on("done", |event, _args| {
        println!("main: done");
        let app = event.app().clone();
        tokio::task::spawn_local(async move {
            // Leave the window for a moment, for whoever is watching.
            tokio::time::sleep(Duration::from_secs(1)).await;
            app.quit();
        });
    });
    let (need, mut needed) = mpsc::unbounded_channel();
    app.ipc_main().on("need-a-counter", move |_event, _args| {
        let _ = need.send(());
    });
    window.load_file("page.html").await?;

    let counter = env::current_exe()?.with_file_name("example-child-process-counter");
    let page = window.web_contents();
    while needed.recv().await.is_some() {
        let child = UtilityProcess::builder(&counter).name("counter").spawn(&app);
        introduce(&app, &child, &page)?;
        println!("main: introduced the page to a counter");
        println!("main: the counter ended with code {}", child.exited().await.exit_code());
    }
    Ok(())
}

/// Gives each of the two an end of a channel. The child need not even run yet.
fn introduce(app: &App, child: &UtilityProcess, page: &WebContents) -> Result<(), Box<dyn Error>> {
    let channel = MessageChannel::new(app);
    child.post_message((), vec![channel.port1])?;
    page.post_message("your-counter", (), vec![channel.port2])?;
    Ok(())
}
