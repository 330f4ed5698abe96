//! Compromised renderers: real windows whose agent sends what it likes.
//!
//! The agent of these windows is built with the feature `hostile`: a script of a page can use it as
//! native code in that process could. It sends any control message, any frame of any link, any
//! number of them, and it need not read. In each case main and the other windows go on, nothing is
//! granted, and main's memory stays under a limit.
//!
//! `hostile [FILTER]` runs the cases whose name contains FILTER.

#[path = "hostile/agent.rs"]
mod agent;
#[path = "hostile/bindings.rs"]
mod bindings;
#[path = "hostile/build.rs"]
mod build;
#[path = "hostile/descriptors.rs"]
mod descriptors;
#[path = "windows/display.rs"]
mod display;
#[path = "hostile/floods.rs"]
mod floods;
#[path = "hostile/forgeries.rs"]
mod forgeries;
#[path = "hostile/frames.rs"]
mod frames;
#[path = "windows/kit.rs"]
#[allow(dead_code, reason = "the windows' tests use all of it")]
mod kit;
#[path = "hostile/popups.rs"]
mod popups;
#[path = "windows/runner.rs"]
mod runner;
#[path = "hostile/scene.rs"]
mod scene;
#[path = "windows/server.rs"]
#[allow(dead_code, reason = "the windows' tests use all of it")]
mod server;

use std::process::ExitCode;

use strait::{App, AppConfig};

use kit::Kit;

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    if let Some(code) = agent::rerun_with_hostile_agent() {
        return code;
    }
    if let Some(code) = display::rerun_with_display() {
        return code;
    }
    let kit = Kit::new();
    let config = AppConfig::new(kit.folder()).name("hostile renderers").user_data(kit.folder().join("user-data"));
    runner::exit_code(App::run(config, move |app| async move {
        let mut cases = Vec::new();
        forgeries::cases(&mut cases);
        bindings::cases(&mut cases);
        popups::cases(&mut cases);
        descriptors::cases(&mut cases);
        frames::cases(&mut cases);
        floods::cases(&mut cases);
        runner::run(&app, kit, cases).await;
    }))
}
