//! Runs a program to its end.

use std::rc::Rc;

use strait::{App, AppConfig, AppEvent, NO_SANDBOX, PROGRAM_STACK, StartError};
use strait_host::{Engine, Entry, EventLoop};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    events,
    host::{Host, Installed},
    program::Program,
};

/// As in `process.execArgv`.
const EXPOSE_GC: &str = "--expose-gc";

/// A program could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There are no windows to be had.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Runs a program in this process until it ends; gives its exit code. Call it on the process's first thread, once.
///
/// Errors of the program itself are its own affair: they are printed, and the code is 1.
///
/// # Errors
/// Before the program begins: no display, or no place for the runtime's files.
pub fn run(program: Program) -> Result<i32, RunError> {
    let config = AppConfig::new(&program.root).name(&program.name).version(&program.version).console(true);
    // A program that is started by its own name has the switch among its own arguments.
    let no_sandbox = program.no_sandbox || program.args.iter().any(|argument| argument == NO_SANDBOX);
    let config = config.expose_gc(program.expose_gc).no_sandbox(no_sandbox);
    let config = match &program.inspect_ports {
        Some(file) => config.inspect_ports(file),
        None => config,
    };
    Ok(App::run(config, move |app| main(app, program))?)
}

async fn main(app: App, program: Program) -> Result<(), String> {
    let exec_args = if program.expose_gc { vec![EXPOSE_GC.to_owned()] } else { Vec::new() };
    let entry = Entry { main: program.main.clone(), args: program.args.clone(), exec_args };
    let windows = Rc::new(Host::new(app.clone(), program));
    let _windows = Installed::new(windows.clone());
    let host = Rc::new(strait_host::Host::new(windows.clone(), entry));
    let _host = strait_host::Installed::new(host.clone());
    tokio::task::spawn_local(quit_on_signal(app.clone()));
    let engine = Engine::new(PROGRAM_STACK).await.map_err(|error| format!("can't start the JavaScript engine: {error}"))?;
    let event_loop = Rc::new(EventLoop::new(host.clone(), engine));
    app.set_event_sink({
        let event_loop = event_loop.clone();
        move |event| hear(&windows, &host, &event_loop, event)
    });
    let code = event_loop.run().await;
    app.exit(code);
    Ok(())
}

/// Takes an event from the windows.
fn hear(windows: &Rc<Host>, host: &strait_host::Host, event_loop: &EventLoop, event: AppEvent) {
    if let AppEvent::Contents { contents, event, .. } = &event {
        event.print(contents.window().id());
    }
    let last = matches!(event, AppEvent::Quit { .. });
    let windows = windows.clone();
    host.push(move |ctx, hook| events::app_event(&windows, ctx, hook, event));
    if last {
        // Nothing runs after it: the program hears it, and what came before, now.
        event_loop.last_turn();
    }
}

/// The first SIGINT or SIGTERM asks the program to quit; the second one does not ask.
async fn quit_on_signal(app: App) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else { return };
    for attempt in 0.. {
        let number = tokio::select! {
            _ = interrupt.recv() => SignalKind::interrupt().as_raw_value(),
            _ = terminate.recv() => SignalKind::terminate().as_raw_value(),
        };
        if attempt == 0 { app.quit() } else { app.exit(128 + number) }
    }
}
