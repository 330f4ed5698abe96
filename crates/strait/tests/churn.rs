//! Windows that come and go leave nothing behind: neither memory of the main process, nor descriptors, threads, processes or folders.
//!
//! Pairs of windows are opened, exchange the two ends of a channel and messages over it, and close: 60 windows, or 1,000 with `STRAIT_LONG`, after
//! some more for warming up.

#[path = "windows/display.rs"]
mod display;

use std::{
    fs,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use strait::{App, AppConfig, BrowserWindow, MessageChannel, ProcessKind};

/// How long one pair may take.
const PAIR_LIMIT: Duration = Duration::from_secs(60);
/// How long what is on its way out may take.
const SETTLE_LIMIT: Duration = Duration::from_secs(30);
/// What the main process may have more of after a pair of windows, in KiB: what allocators scatter, and WebKit's own. (Measured: 1,000 bare windows of
/// WebKit's with a page of one line leave 23 KiB each; ours, with ports, 9.)
const GROWTH_PER_PAIR: u64 = 64;
/// What it may have more of in any case.
const GROWTH: u64 = 6 << 10;

/// What a process has, and what else there is of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Holdings {
    /// Of the main process, in KiB: its own pages. (Its share of files that it has in common with others grows when those end.)
    memory: u64,
    descriptors: usize,
    threads: usize,
    renderers: usize,
    children: usize,
    folders: usize,
}

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    if let Some(code) = display::rerun_with_display() {
        return code;
    }
    // A filter names cases of other programs.
    let filter = std::env::args().nth(1).filter(|argument| !argument.starts_with('-')).unwrap_or_default();
    if !"churn".contains(&filter) {
        println!("0 passed, 0 failed");
        return ExitCode::SUCCESS;
    }
    let long = std::env::var_os("STRAIT_LONG").is_some();
    let (warm, pairs) = if long { (50, 500) } else { (10, 30) };
    let folder = std::env::temp_dir().join(format!("strait-churn-{}", std::process::id()));
    write_pages(&folder);
    let code = App::run(AppConfig::new(&folder).name("churn"), move |app| async move {
        app.on_window_all_closed(|| {});
        app.exit(i32::from(!churn(&app, warm, pairs).await));
    });
    let _ = fs::remove_dir_all(&folder);
    match code {
        Ok(0) => {
            println!("1 passed, 0 failed");
            ExitCode::SUCCESS
        }
        Ok(_) => {
            println!("0 passed, 1 failed");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn write_pages(folder: &Path) {
    fs::create_dir_all(folder).expect("a folder for pages");
    let page = |script: &str| {
        format!("<!doctype html><title>churn</title><script>const {{ ipcRenderer: ipc }} = require('electron')\n{script}</script>")
    };
    let echo = page("ipc.on('port', ({ ports: [port] }) => { port.onmessage = ({ data }) => port.postMessage(data) })");
    fs::write(folder.join("echo.html"), echo).expect("a page");
    let ask = "ipc.on('port', ({ ports: [port] }) => { let n = 0; port.onmessage = ({ data }) => { \
               if (data[0] !== n) ipc.send('done', 'wrong answer'); else if (++n === 10) ipc.send('done', 'right'); else port.postMessage([n, new Uint8Array(4096)]) }; \
               port.postMessage([0, 'first']) })";
    fs::write(folder.join("ask.html"), page(ask)).expect("a page");
}

/// Opens a pair of windows, has them talk, and closes them.
async fn pair(app: &App) {
    let window = || BrowserWindow::builder().show(false).node_integration(true).build(app);
    let (one, two) = (window(), window());
    let (closed, mut gone) = tokio::sync::mpsc::unbounded_channel();
    for window in [&one, &two] {
        let closed = closed.clone();
        window.on_closed(move || {
            let _ = closed.send(());
        });
    }
    let (done, mut result) = tokio::sync::mpsc::unbounded_channel();
    two.web_contents().ipc().on("done", move |_, args| drop(done.send(args[0].clone())));
    let (first, second) = (one.load_file("echo.html"), two.load_file("ask.html"));
    first.await.expect("the page loads");
    second.await.expect("the page loads");
    let MessageChannel { port1, port2 } = MessageChannel::new(app);
    one.web_contents().post_message("port", (), vec![port1]).expect("it is there");
    two.web_contents().post_message("port", (), vec![port2]).expect("it is there");
    assert_eq!(result.recv().await.expect("an answer").as_str(), Some("right"));
    one.close();
    two.destroy();
    for _ in 0..2 {
        gone.recv().await.expect("both close");
    }
}

async fn pairs(app: &App, count: usize) {
    for _ in 0..count {
        tokio::time::timeout(PAIR_LIMIT, pair(app)).await.expect("a pair of windows takes less");
    }
}

/// What there is, once the processes of closed windows are gone.
async fn holdings(app: &App) -> Holdings {
    let until = Instant::now() + SETTLE_LIMIT;
    loop {
        let children = app.metrics();
        let renderers = children.iter().filter(|process| process.kind == ProcessKind::Renderer).count();
        if renderers == 0 || Instant::now() > until {
            let count = |path: &str| fs::read_dir(path).map(Iterator::count).unwrap_or(0);
            let rollup = fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
            let memory =
                rollup.lines().find_map(|line| line.strip_prefix("Anonymous:")?.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0);
            let base = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, Into::into);
            let own = format!("-{}-", std::process::id());
            let folders =
                fs::read_dir(base).into_iter().flatten().flatten().filter(|entry| entry.file_name().to_string_lossy().contains(&own));
            return Holdings {
                memory,
                descriptors: open_files().len(),
                threads: count("/proc/self/task"),
                renderers,
                children: children.len(),
                folders: folders.count(),
            };
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn churn(app: &App, warm: usize, count: usize) -> bool {
    pairs(app, warm).await;
    let before = holdings(app).await;
    let began = Instant::now();
    pairs(app, count).await;
    let after = holdings(app).await;
    println!("{} windows in {:.1} s after {} for warming up", 2 * count, began.elapsed().as_secs_f32(), 2 * warm);
    println!("before: {before:?}\nafter:  {after:?}");
    let grown = after.memory.saturating_sub(before.memory);
    let allowed = GROWTH + GROWTH_PER_PAIR * count as u64;
    let mut well = true;
    let mut check = |what: &str, fine: bool| {
        if !fine {
            println!("FAILED: {what}");
            well = false;
        }
    };
    check(&format!("memory grew by {grown} KiB, more than {allowed}"), grown <= allowed);
    check(&format!("descriptors are left: {:?}", open_files()), after.descriptors <= before.descriptors + 2);
    check("threads are left", after.threads <= before.threads + 2);
    check("processes of pages are left", after.renderers == 0);
    check("processes are left", after.children <= before.children);
    check("folders are left", after.folders <= before.folders);
    check("windows are left", app.windows().is_empty());
    well
}

/// What the descriptors of this process are, but for what the kernel tells of memory: WebKit opens those files once, some seconds after its start.
fn open_files() -> Vec<String> {
    let links = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let files = links.filter_map(|link| Some(fs::read_link(link.path()).ok()?.to_string_lossy().into_owned()));
    files.filter(|file| !file.starts_with("/proc/") && !file.starts_with("/sys/")).collect()
}
