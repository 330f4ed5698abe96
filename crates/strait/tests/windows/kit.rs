//! What cases are made with.

use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    sync::atomic::{AtomicU32, Ordering},
};

use strait::{App, BrowserWindow, IpcEvent, LoadError, Value, WebContents};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// One case.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) run: Box<dyn FnOnce(App, Kit) -> Running>,
}

/// A case that runs.
pub(super) type Running = Pin<Box<dyn Future<Output = ()>>>;

/// Adds a case that is an async function.
pub(super) fn case<F, Fut>(cases: &mut Vec<Case>, name: &'static str, run: F)
where
    F: FnOnce(App, Kit) -> Fut + 'static,
    Fut: Future<Output = ()> + 'static,
{
    cases.push(Case { name, run: Box::new(move |app, kit| Box::pin(run(app, kit))) });
}

/// A folder for pages.
#[derive(Clone)]
pub(super) struct Kit {
    folder: PathBuf,
}

/// Messages as they come.
pub(super) type Heard = UnboundedReceiver<(IpcEvent, Vec<Value>)>;

impl Kit {
    pub(super) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("strait-windows-test-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for pages");
        Self { folder }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn remove(&self) {
        let _ = fs::remove_dir_all(&self.folder);
    }

    /// Writes a file into the folder.
    pub(super) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.join(name);
        fs::write(&path, content).expect("the page can be written");
        path
    }

    /// Writes a page with this script, under a name of its own.
    pub(super) fn page(&self, script: &str) -> PathBuf {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let html = format!("<!doctype html><title>page {number}</title><body><script>{script}</script></body>");
        self.file(&format!("page{number}.html"), &html)
    }

    /// A hidden window whose page has `require`.
    pub(super) fn window(&self, app: &App) -> BrowserWindow {
        BrowserWindow::builder().show(false).node_integration(true).build(app)
    }

    /// Such a window with a page of this script, loaded; `ipc` is `ipcRenderer` in it.
    pub(super) async fn shown(&self, app: &App, script: &str) -> Result<BrowserWindow, LoadError> {
        let window = self.window(app);
        window.load_file(self.page(&with_ipc(script))).await?;
        Ok(window)
    }
}

/// The script with `ipc` in it.
pub(super) fn with_ipc(script: &str) -> String {
    format!("const {{ ipcRenderer: ipc }} = require('electron');\n{script}")
}

/// Everything a page sends on a channel from now on.
pub(super) fn heard(page: &WebContents, channel: &str) -> Heard {
    let (sender, receiver) = unbounded_channel();
    page.ipc().on(channel, move |event, args| {
        let _ = sender.send((event.clone(), args.to_vec()));
    });
    receiver
}

/// The next message's first argument.
pub(super) async fn next(heard: &mut Heard) -> Value {
    let (_, args) = heard.recv().await.expect("a message");
    args.into_iter().next().unwrap_or_default()
}

/// A number as a value.
pub(super) fn number(value: impl Into<f64>) -> Value {
    Value::from(value.into())
}
