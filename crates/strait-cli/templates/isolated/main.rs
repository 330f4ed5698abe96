//! The main process: hands the page a port, straight into its main world. The page can reach nothing else.

use std::process::ExitCode;

use serde::Deserialize;
use strait::{App, AppConfig, BrowserWindow, LoadError, MessageChannel, StartError, World};

/// What the page answers.
#[derive(Deserialize)]
struct Answer {
    word: String,
    backwards: String,
}

fn main() -> Result<ExitCode, StartError> {
    let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/pages");
    let code = App::run(AppConfig::new(pages).name("{{name}}"), program)?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

async fn program(app: App) -> Result<(), LoadError> {
    let window = BrowserWindow::builder().title("{{name}}").size(640, 400).build(&app);
    let loaded = window.load_file("index.html");

    let MessageChannel { port1, port2 } = MessageChannel::new(&app);
    // Goes to the document that is being loaded, and waits for it.
    if let Err(error) = window.web_contents().post_message_to(World::Main, "words", "words", vec![port1]) {
        eprintln!("main: {error}");
    }
    tokio::task::spawn_local(async move {
        for word in ["level", "strait", "drawer"] {
            if let Err(error) = port2.send_as(&word) {
                eprintln!("main: {error}");
            }
        }
        while let Ok(Answer { word, backwards }) = port2.recv_as().await {
            println!("main: \"{word}\" backwards is \"{backwards}\"");
        }
        println!("main: the page is gone: {}", port2.closed().await);
    });

    loaded.await
}
