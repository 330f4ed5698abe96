//! The running program: [`App`].

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::PoisonError,
};

use strait_ports::Node;

use crate::{
    AppConfig, AppEvent, BrowserWindow, CloseEvent, ContentsId, FrameKey, IpcMain, ListenerId, ProcessMetrics, ProgramResult,
    SecondInstance, StartError, Value, WebContents, WebFrameMain, WindowId, dispatch,
    handlers::Listener,
    instance, metrics, program, quit,
    shared::{Shared, SharedRef},
    value,
};

/// The running program. Cheap to clone; every handle contains its app.
///
/// ```no_run
/// use strait::{App, AppConfig, BrowserWindow};
///
/// let code = App::run(AppConfig::new("."), |app| async move {
///     let window = BrowserWindow::builder().title("Hello").build(&app);
///     window.load_file("index.html").await
/// })?;
/// std::process::exit(code)
/// # ; #[allow(unreachable_code)] Ok::<(), strait::StartError>(())
/// ```
#[derive(Clone)]
pub struct App(pub(crate) SharedRef);

impl AsRef<Node> for App {
    fn as_ref(&self) -> &Node {
        self.node()
    }
}

impl App {
    /// Runs a program. GTK takes over this thread, which must be the process's first. `main` is
    /// called on a thread of its own, inside a single-threaded tokio runtime with a `LocalSet`. So
    /// futures need not be `Send`, and [`tokio::task::spawn_local`] works.
    ///
    /// The program continues after `main` has finished, until it quits: by [`App::quit`], by
    /// [`App::exit`], or when its last window is closed and no handler prevented that. If `main`
    /// returns an error, the error is printed and the program ends with code 1. If `main` panics,
    /// the program ends with code 101.
    ///
    /// Returns the exit code. Call it once per process.
    ///
    /// # Errors
    /// [`StartError`], before `main` is called.
    pub fn run<F, Fut>(config: AppConfig, main: F) -> Result<i32, StartError>
    where
        F: FnOnce(App) -> Fut + Send + 'static,
        Fut: Future + 'static,
        Fut::Output: ProgramResult,
    {
        program::run(config, main)
    }

    /// Passes every event to `sink`, on the program's thread. Each window's events keep their
    /// order; windows take turns. Registered handlers are no longer called. The action of an
    /// event's [`Decision`](crate::Decision) or [`Responder`](crate::Responder) happens when it is
    /// used or dropped, which may be later.
    ///
    /// # Panics
    /// If called outside the program's thread.
    pub fn set_event_sink(&self, sink: impl FnMut(AppEvent) + 'static) {
        dispatch::set_sink(Box::new(sink));
    }

    /// The program's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The program's version.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// The program's folder.
    pub fn app_path(&self) -> &Path {
        &self.0.app_path
    }

    /// Messages from all pages.
    pub fn ipc_main(&self) -> IpcMain {
        IpcMain::of_app(self.clone())
    }

    /// The process's node in the port engine: for [`Node::channel`], and to invite processes that
    /// the program started itself.
    pub fn node(&self) -> &Node {
        &self.0.node
    }

    /// The folder for the program's data: the one of [`AppConfig::user_data`], unless it was
    /// [replaced](App::set_user_data) since. The folder is made when it is first used.
    pub fn user_data(&self) -> PathBuf {
        self.0.user_data().clone()
    }

    /// Sets the folder for the program's data. Files in use stay in the former folder.
    pub fn set_user_data(&self, path: impl Into<PathBuf>) {
        *self.0.user_data() = path.into();
    }

    /// Whether this is the first instance of the program with its [user data
    /// folder](App::user_data): Electron's `app.requestSingleInstanceLock`. The first instance
    /// keeps the lock until it ends or [releases it](App::release_single_instance_lock). If this is
    /// a later instance, the first one has received a [`SecondInstance`] with `data`.
    ///
    /// # Errors
    /// If the lock cannot be checked, because the folder is not writable.
    ///
    /// ```no_run
    /// # fn f(app: &strait::App) -> std::io::Result<()> {
    /// if !app.request_single_instance_lock("open notes.txt")? {
    ///     app.exit(0);
    /// }
    /// app.on_second_instance(|other| println!("{:?} in {}", other.args, other.working_directory.display()));
    /// # Ok(()) }
    /// ```
    pub fn request_single_instance_lock(&self, data: impl Into<Value>) -> io::Result<bool> {
        let data = value::encode(&data.into()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        self.request_single_instance_lock_encoded(data)
    }

    /// [`App::request_single_instance_lock`] with the structured clone of the data.
    ///
    /// # Errors
    /// The same.
    pub fn request_single_instance_lock_encoded(&self, data: Vec<u8>) -> io::Result<bool> {
        let mut lock = self.0.instance();
        if lock.is_none() {
            let folder = self.0.user_data().clone();
            *lock = instance::acquire(
                &folder,
                &SecondInstance::this(data, self.0.arguments.clone()),
                program::report_instances(self.0.queue.clone()),
            )?;
        }
        Ok(lock.is_some())
    }

    /// Whether this instance holds the single-instance lock.
    pub fn has_single_instance_lock(&self) -> bool {
        self.0.instance().is_some()
    }

    /// Releases the lock, so that another instance can become the first.
    pub fn release_single_instance_lock(&self) {
        let lock = self.0.instance().take();
        drop(lock);
    }

    /// Calls `handler` when another instance has requested the lock.
    pub fn on_second_instance(&self, handler: impl FnMut(&SecondInstance) + Send + 'static) -> ListenerId {
        let listener = Listener::new(handler);
        let id = listener.id;
        self.0.handlers().second_instance.push(listener);
        id
    }

    /// The program's processes, this one first, with their CPU and memory use: Electron's
    /// `app.getAppMetrics`. Processes that its children have started are not included.
    pub fn metrics(&self) -> Vec<ProcessMetrics> {
        metrics::collect(&mut self.0.processes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All windows that are neither closed nor closing, oldest first.
    pub fn windows(&self) -> Vec<BrowserWindow> {
        let state = self.0.state();
        let mut ids: Vec<WindowId> = state.windows.iter().filter(|(_, record)| !record.closing).map(|(id, _)| *id).collect();
        drop(state);
        ids.sort_unstable();
        ids.into_iter().map(|id| BrowserWindow::new(self.clone(), id)).collect()
    }

    /// The window with this number, unless it is closed.
    pub fn window(&self, id: WindowId) -> Option<BrowserWindow> {
        self.0.state().windows.contains_key(&id).then(|| BrowserWindow::new(self.clone(), id))
    }

    /// The page with this number, unless it is gone.
    pub fn web_contents(&self, id: ContentsId) -> Option<WebContents> {
        self.0.state().contents.contains_key(&id).then(|| WebContents::new(self.clone(), id))
    }

    /// The frame with this number, unless it is gone.
    pub fn frame(&self, key: FrameKey) -> Option<WebFrameMain> {
        self.0.state().registry.frame(key).is_some().then(|| WebFrameMain::new(self.clone(), key))
    }

    /// Requests the program's end: `before-quit`, then each window's `close`, then `will-quit` and
    /// `quit`. A handler may prevent any of them but the last, which ends the attempt.
    pub fn quit(&self) {
        quit::begin(&self.0);
    }

    /// Ends the program with `code`. The windows are closed at once and cannot prevent it; `quit`
    /// follows.
    pub fn exit(&self, code: i32) {
        quit::exit(&self.0, code);
    }

    /// Whether the program is quitting.
    pub fn is_quitting(&self) -> bool {
        self.0.state().quit.under_way()
    }

    /// Calls `handler` with every new window, the program's own and those that pages open, before
    /// any other event of that window.
    pub fn on_window_created(&self, handler: impl FnMut(&BrowserWindow) + Send + 'static) -> ListenerId {
        let listener = Listener::new(handler);
        let id = listener.id;
        self.0.handlers().window_created.push(listener);
        id
    }

    /// Calls `handler` when the last window has closed. With at least one handler the program
    /// continues without windows; without a handler it quits.
    pub fn on_window_all_closed(&self, mut handler: impl FnMut() + Send + 'static) -> ListenerId {
        let listener = Listener::new(move |event: &CloseEvent| {
            event.prevent_default();
            handler();
        });
        let id = listener.id;
        self.0.handlers().all_closed.push(listener);
        id
    }

    /// Calls `handler` when the program begins to quit, before any window closes.
    pub fn on_before_quit(&self, handler: impl FnMut(&CloseEvent) + Send + 'static) -> ListenerId {
        let listener = Listener::new(handler);
        let id = listener.id;
        self.0.handlers().before_quit.push(listener);
        id
    }

    /// Calls `handler` when all windows are closed and the program is about to end.
    pub fn on_will_quit(&self, handler: impl FnMut(&CloseEvent) + Send + 'static) -> ListenerId {
        let listener = Listener::new(handler);
        let id = listener.id;
        self.0.handlers().will_quit.push(listener);
        id
    }

    /// Calls `handler` with the exit code, after all other events.
    pub fn on_quit(&self, mut handler: impl FnMut(i32) + Send + 'static) -> ListenerId {
        let listener = Listener::new(move |code: &i32| handler(*code));
        let id = listener.id;
        self.0.handlers().quit.push(listener);
        id
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }
}

impl PartialEq for App {
    fn eq(&self, other: &Self) -> bool {
        self.0.same(&other.0)
    }
}

impl Eq for App {}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("name", &self.0.name).finish_non_exhaustive()
    }
}
