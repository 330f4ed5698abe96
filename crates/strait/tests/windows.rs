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
#[path = "windows/identity.rs"]
mod identity;
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
#[path = "windows/runner.rs"]
mod runner;
#[path = "windows/server.rs"]
mod server;

use std::process::ExitCode;

use strait::{App, AppConfig};

use kit::Kit;

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
    let kit = Kit::new();
    let config = AppConfig::new(kit.folder()).name("windows test").version("4.5.6").user_data(kit.folder().join("user-data"));
    runner::exit_code(App::run(config, move |app| async move {
        let mut cases = Vec::new();
        loads::cases(&mut cases);
        messages::cases(&mut cases);
        closes::cases(&mut cases);
        popups::cases(&mut cases);
        pages::cases(&mut cases);
        forged::cases(&mut cases);
        identity::cases(&mut cases);
        floods::cases(&mut cases);
        floods::limits(&mut cases);
        runner::run(&app, kit, cases).await;
    }))
}
