//! The main process: opens the window and answers its page.

use std::process::ExitCode;

use strait::{App, AppConfig, BrowserWindow, LoadError, StartError};

fn main() -> Result<ExitCode, StartError> {
    let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/pages");
    let code = App::run(AppConfig::new(pages).name("{{name}}"), program)?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

async fn program(app: App) -> Result<(), LoadError> {
    app.ipc_main().on("greeter", |event, _args| {
        let Some(port) = event.ports().first().cloned() else { return };
        tokio::task::spawn_local(async move {
            while let Ok(name) = port.recv_as::<String>().await {
                if let Err(error) = port.send_as(&format!("Hello {name}!")) {
                    eprintln!("main: {error}");
                }
            }
            println!("main: the page is gone: {}", port.closed().await);
        });
    });

    let window = BrowserWindow::builder().title("{{name}}").size(640, 400).node_integration(true).build(&app);
    window.load_file("index.html").await
}
