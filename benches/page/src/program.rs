//! A program with Strait: a measuring page, another page, and a main process that sends back what comes.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use strait::{App, AppConfig, BrowserWindow, MessageEvent, MessagePort, Value};
use strait_bench::Outcome;

use crate::contestants::{RUST, SANDBOXED, UNSANDBOXED};
use crate::desk::base_for;

/// Of the large buffers of `bench.js`.
const HUGE: usize = 64 << 20;

/// The pages that load before those with and without the sandbox.
const PAGES_BEFORE: usize = 1;

/// The preload of the sandboxed page.
const PRELOAD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/program/sandboxed-preload.js");

/// The measuring pages of a program, besides the one that answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pages {
    /// The one of most rows.
    Measuring,
    /// Many with the sandbox and many without it.
    Sandboxes,
}

pub(crate) fn run(base: &str, pages: Pages) -> Outcome<()> {
    let base = base.to_owned();
    let code = App::run(AppConfig::default().name("Page bench"), move |app| program(app, base, pages))?;
    std::process::exit(code)
}

async fn program(app: App, base: String, pages: Pages) -> Result<(), Box<dyn Error>> {
    let ipc = app.ipc_main();
    ipc.on("main", |event, _| {
        for port in event.ports() {
            tokio::task::spawn_local(serve(port.clone()));
        }
    });
    ipc.on("request", |event, arguments| {
        for port in event.ports() {
            if let Err(error) = port.post_message(arguments[0].clone(), Vec::new()) {
                eprintln!("main: {error}");
            }
            port.close();
        }
    });
    let window = |title| BrowserWindow::builder().title(title).size(400, 300).node_integration(true).build(&app);
    let other = window("Other page");
    other.load_url(&format!("{base}other.html")).await?;
    let seen = Arc::new(AtomicU32::new(0));
    let (counts, flooder) = (seen.clone(), other.web_contents());
    ipc.on("flooded", move |_, _| {
        counts.fetch_add(1, Ordering::Relaxed);
    });
    let counts = seen.clone();
    ipc.on("flood", move |_, arguments| {
        counts.store(0, Ordering::Relaxed);
        if let Err(error) = flooder.send("flood", arguments.to_vec()) {
            eprintln!("main: {error}");
        }
    });
    ipc.handle("ask", move |_, _| {
        let count = seen.load(Ordering::Relaxed);
        async move { Ok::<_, String>(Value::from(f64::from(count))) }
    })?;
    ipc.on("page", move |event, _| {
        if let Err(error) = other.web_contents().post_message("client", (), event.ports().to_vec()) {
            eprintln!("main: {error}");
        }
    });
    if pages == Pages::Measuring {
        window("Measuring page").load_url(&format!("{base}strait.html?who={RUST}")).await?;
        return Ok(());
    }
    let kinds = UNSANDBOXED.map(|who| (who, false)).into_iter().chain(SANDBOXED.map(|who| (who, true)));
    for (number, (who, sandbox)) in kinds.enumerate() {
        let base = base_for(&base, PAGES_BEFORE + number);
        let page = BrowserWindow::builder().title(who).size(400, 300).sandbox(sandbox).context_isolation(false).preload(PRELOAD);
        page.build(&app).load_url(&format!("{base}strait.html?who={who}")).await?;
    }
    Ok(())
}

/// Sends back what comes; a flood, or a large buffer, when it is asked for one; and for a large buffer what it says of its timers, of which it has none.
async fn serve(port: MessagePort) {
    while let Ok(MessageEvent { data, .. }) = port.recv().await {
        let number = |name| data.get(name).as_ref().and_then(Value::as_i64);
        let sent = if let Some(count) = number("flood") {
            (0..count).try_for_each(|id| port.post_message(request(id), Vec::new()))
        } else if let Some(size) = number("huge") {
            let bytes = (0..size as usize).map(|at| if at % 4096 == 0 { (at >> 12) as u8 } else { 0 });
            port.post_message(Value::array_buffer(bytes.collect::<Vec<_>>()), Vec::new())
        } else if data.as_bytes().is_some_and(|bytes| bytes.len() == HUGE) {
            port.post_message(0.0, Vec::new())
        } else {
            port.post_message(data, Vec::new())
        };
        if let Err(error) = sent {
            eprintln!("main: {error}");
        }
    }
}

fn request(id: i64) -> Value {
    Value::object([("id", Value::from(id as f64)), ("method", "add".into()), ("params", Value::array([1.0, 2.0]))])
}
