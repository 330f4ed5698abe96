//! Windows: [`BrowserWindow`], its builder, and the state that the program reads without the UI
//! thread.

use std::{
    cell::Cell,
    fmt,
    path::{Path, PathBuf},
};

use crate::{
    App, AppEvent, Decision, ListenerId, LoadFuture, WebContents, WebPreferences, WindowEvent, WindowId,
    event::Question,
    handlers::Listener,
    io::IoCommand,
    shared::{ContentsRecord, Shared, State, WindowRecord},
    ui::{UiCommand, WindowPlan, WindowStateChange},
};

/// Width and height of a window without given size, in logical pixels.
pub(crate) const DEFAULT_SIZE: (u32, u32) = (800, 600);

/// A window and the page in it. Cheap to clone. Dropping the last clone does not close the window.
///
/// Getters return the last requested or the last reported state, whichever is newer, and never wait
/// for the window system. On a closed window they return defaults.
///
/// ```no_run
/// # async fn f(app: &strait::App) -> Result<(), strait::LoadError> {
/// let window = strait::BrowserWindow::builder().title("Notes").show(false).build(app);
/// window.on_close(|event| event.prevent_default());
/// window.load_file("notes.html").await?;
/// window.show();
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct BrowserWindow {
    app: App,
    id: WindowId,
    contents: WebContents,
}

/// The state of a window that getters return.
#[derive(Debug, Clone, Default)]
pub(crate) struct WindowMirror {
    pub(crate) title: String,
    pub(crate) size: (u32, u32),
    pub(crate) visible: bool,
    /// Requested sizes that the window system has not yet reported: reports of other sizes are
    /// outdated.
    pub(crate) sizes_asked: u32,
    pub(crate) focused: bool,
    /// The number of titles of its page that wait for the program's decision; if there are too
    /// many, the last further one.
    pub(crate) titles: (usize, Option<String>),
    /// The last requested or reported position, and the number of requested moves without a report.
    pub(crate) position: (i32, i32),
    pub(crate) places_asked: u32,
    pub(crate) resizable: bool,
    /// The last state that the window system has reported.
    pub(crate) minimized: bool,
    pub(crate) maximized: bool,
    pub(crate) on_top: bool,
}

/// Options for a new window.
///
/// ```no_run
/// # fn f(app: &strait::App) {
/// let window = strait::BrowserWindow::builder().title("Notes").size(900, 700).preload("preload.js").build(app);
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "a window is made by build"]
pub struct BrowserWindowBuilder {
    pub(crate) title: Option<String>,
    pub(crate) size: Option<(u32, u32)>,
    pub(crate) position: Option<(i32, i32)>,
    pub(crate) show: Option<bool>,
    pub(crate) resizable: Option<bool>,
    pub(crate) parent: Option<WindowId>,
    pub(crate) preload: Option<PathBuf>,
    pub(crate) node_integration: Option<bool>,
    pub(crate) context_isolation: Option<bool>,
    pub(crate) sub_frames: Option<bool>,
    pub(crate) sandbox: Option<bool>,
    pub(crate) arguments: Option<Vec<String>>,
    pub(crate) dev_tools: Option<bool>,
    pub(crate) web_security: Option<bool>,
    pub(crate) background_throttling: Option<bool>,
    pub(crate) partition: Option<String>,
}

impl BrowserWindowBuilder {
    /// The title (default: the program's name), until the page sets one.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Width and height of the inside in logical pixels (default 800 × 600).
    pub fn size(mut self, width: u32, height: u32) -> Self {
        self.size = Some((width.max(1), height.max(1)));
        self
    }

    /// The position of the upper left corner, in logical pixels of the screen. The window system
    /// may choose another one.
    pub fn position(mut self, x: i32, y: i32) -> Self {
        self.position = Some((x, y));
        self
    }

    /// Whether the window is visible from the start (the default). The page of a hidden window
    /// loads, runs and answers as well.
    pub fn show(mut self, show: bool) -> Self {
        self.show = Some(show);
        self
    }

    /// Whether the user may resize the window (the default).
    pub fn resizable(mut self, resizable: bool) -> Self {
        self.resizable = Some(resizable);
        self
    }

    /// The window stays above `parent` and closes with it.
    pub fn parent(mut self, parent: &BrowserWindow) -> Self {
        self.parent = Some(parent.id);
        self
    }

    /// All preferences of the window's pages at once.
    pub fn web_preferences(mut self, preferences: WebPreferences) -> Self {
        self.context_isolation = Some(preferences.isolates());
        self.node_integration = Some(preferences.node_integration);
        self.preload = preferences.preload;
        self.sub_frames = Some(preferences.node_integration_in_sub_frames);
        self.sandbox = preferences.sandbox;
        self.arguments = Some(preferences.additional_arguments);
        self.dev_tools = preferences.dev_tools;
        self.web_security = preferences.web_security;
        self.background_throttling = preferences.background_throttling;
        self.partition = preferences.partition;
        self
    }

    /// See [`WebPreferences::node_integration_in_sub_frames`].
    pub fn node_integration_in_sub_frames(mut self, on: bool) -> Self {
        self.sub_frames = Some(on);
        self
    }

    /// See [`WebPreferences::sandbox`].
    pub fn sandbox(mut self, on: bool) -> Self {
        self.sandbox = Some(on);
        self
    }

    /// See [`WebPreferences::additional_arguments`].
    pub fn additional_arguments(mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.arguments = Some(arguments.into_iter().map(Into::into).collect());
        self
    }

    /// See [`WebPreferences::dev_tools`].
    pub fn dev_tools(mut self, on: bool) -> Self {
        self.dev_tools = Some(on);
        self
    }

    /// See [`WebPreferences::web_security`].
    pub fn web_security(mut self, on: bool) -> Self {
        self.web_security = Some(on);
        self
    }

    /// See [`WebPreferences::background_throttling`].
    pub fn background_throttling(mut self, on: bool) -> Self {
        self.background_throttling = Some(on);
        self
    }

    /// See [`WebPreferences::partition`]. A window that a page opens always has its opener's.
    pub fn partition(mut self, name: impl Into<String>) -> Self {
        self.partition = Some(name.into());
        self
    }

    /// See [`WebPreferences::preload`].
    pub fn preload(mut self, path: impl Into<PathBuf>) -> Self {
        self.preload = Some(path.into());
        self
    }

    /// See [`WebPreferences::node_integration`].
    pub fn node_integration(mut self, on: bool) -> Self {
        self.node_integration = Some(on);
        self
    }

    /// See [`WebPreferences::context_isolation`].
    pub fn context_isolation(mut self, on: bool) -> Self {
        self.context_isolation = Some(on);
        self
    }

    /// Makes the window. Returns at once; the window appears when the UI thread has made it, and
    /// calls on the handle take effect then. While the program is ending, the window is closed from
    /// the start.
    pub fn build(self, app: &App) -> BrowserWindow {
        let shared = app.shared();
        let mut state = shared.state();
        let id = state.new_window();
        let window = BrowserWindow::new(app.clone(), id);
        if state.quit.ends() {
            return window;
        }
        let plan = state.add_window(shared, id, self, None);
        shared.queue(AppEvent::WindowCreated { window: window.clone(), opened: None });
        // Under the lock, so that commands for the window follow it.
        shared.ui(UiCommand::Create(Box::new(plan)));
        drop(state);
        window
    }
}

impl BrowserWindow {
    /// A builder for a new window.
    pub fn builder() -> BrowserWindowBuilder {
        BrowserWindowBuilder::default()
    }

    pub(crate) fn new(app: App, id: WindowId) -> Self {
        // Each window has one page, and the two share a number.
        let contents = WebContents::new(app.clone(), crate::ContentsId(id.0));
        Self { app, id, contents }
    }

    /// The window's number.
    pub fn id(&self) -> WindowId {
        self.id
    }

    /// The app it belongs to.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The page in it.
    pub fn web_contents(&self) -> WebContents {
        self.contents.clone()
    }

    /// See [`WebContents::load_file`].
    pub fn load_file(&self, path: impl AsRef<Path>) -> LoadFuture {
        self.contents.load_file(path)
    }

    /// See [`WebContents::load_url`].
    pub fn load_url(&self, url: &str) -> LoadFuture {
        self.contents.load_url(url)
    }

    /// Makes it visible and active.
    pub fn show(&self) {
        self.change(|mirror| mirror.visible = true);
        self.command(|window| UiCommand::Show { window, visible: true });
    }

    /// Makes it visible without making it active, as far as the window system allows that.
    pub fn show_inactive(&self) {
        self.change(|mirror| mirror.visible = true);
        self.command(|window| UiCommand::ShowInactive { window });
    }

    /// Moves the upper left corner to this position, in logical pixels of the screen. The window
    /// system may choose another one.
    pub fn set_position(&self, x: i32, y: i32) {
        self.change(|mirror| {
            mirror.position = (x, y);
            mirror.places_asked += 1;
        });
        self.command(|window| UiCommand::Move { window, place: Some((x, y)) });
    }

    /// Moves it to the middle of its screen.
    pub fn center(&self) {
        self.change(|mirror| mirror.places_asked += 1);
        self.command(|window| UiCommand::Move { window, place: None });
    }

    /// The position of the upper left corner, in logical pixels of the screen.
    pub fn position(&self) -> (i32, i32) {
        self.mirror(|mirror| mirror.position)
    }

    /// Sets whether the user may resize it.
    pub fn set_resizable(&self, resizable: bool) {
        self.change(|mirror| mirror.resizable = resizable);
        self.command(|window| UiCommand::Resizable { window, resizable });
    }

    /// Whether the user may resize it.
    pub fn is_resizable(&self) -> bool {
        self.mirror(|mirror| mirror.resizable)
    }

    /// Calls `handler` with each title that the page sets, before the window gets it. The handler
    /// may prevent the change.
    pub fn on_page_title_updated(&self, mut handler: impl FnMut(&CloseEvent, &str) + Send + 'static) -> ListenerId {
        let listener = Listener::new(move |(event, title): &(CloseEvent, String)| handler(event, title));
        let id = listener.id;
        self.app.shared().handlers().window_title.entry(self.id).or_default().push(listener);
        id
    }

    /// Makes it invisible. Its page continues to run.
    pub fn hide(&self) {
        self.change(|mirror| mirror.visible = false);
        self.command(|window| UiCommand::Show { window, visible: false });
    }

    /// Minimizes it, if the window system can. The page continues to run.
    pub fn minimize(&self) {
        self.take(WindowStateChange::Minimized(true));
    }

    /// Brings it back from being minimized.
    pub fn restore(&self) {
        self.take(WindowStateChange::Minimized(false));
    }

    /// Whether it is minimized, by the window system's last report.
    pub fn is_minimized(&self) -> bool {
        self.mirror(|mirror| mirror.minimized)
    }

    /// Makes it fill the screen, if the window system allows that. A hidden window is shown.
    pub fn maximize(&self) {
        if !self.is_visible() {
            self.show();
        }
        self.take(WindowStateChange::Maximized(true));
    }

    /// Restores its former size.
    pub fn unmaximize(&self) {
        self.take(WindowStateChange::Maximized(false));
    }

    /// Whether it is maximized, by the window system's last report.
    pub fn is_maximized(&self) -> bool {
        self.mirror(|mirror| mirror.maximized)
    }

    /// Sets whether it stays above others, as far as the window system allows that.
    pub fn set_always_on_top(&self, on_top: bool) {
        let mut changed = false;
        self.change(|mirror| changed = std::mem::replace(&mut mirror.on_top, on_top) != on_top);
        self.take(WindowStateChange::OnTop(on_top));
        if changed {
            self.app.shared().queue(AppEvent::Window { window: self.clone(), event: WindowEvent::AlwaysOnTop(on_top) });
        }
    }

    /// Whether it should stay above others.
    pub fn is_always_on_top(&self) -> bool {
        self.mirror(|mirror| mirror.on_top)
    }

    fn take(&self, state: WindowStateChange) {
        self.command(|window| UiCommand::WindowState { window, state });
    }

    /// Gives it the keyboard focus.
    pub fn focus(&self) {
        self.command(|window| UiCommand::Focus { window });
    }

    /// Sets the title, until the page sets one.
    pub fn set_title(&self, title: impl Into<String>) {
        let title = title.into();
        self.change(|mirror| mirror.title.clone_from(&title));
        self.command(|window| UiCommand::Title { window, title });
    }

    /// Sets the size of the inside, in logical pixels.
    pub fn set_size(&self, width: u32, height: u32) {
        let (width, height) = (width.max(1), height.max(1));
        self.change(|mirror| {
            mirror.size = (width, height);
            mirror.sizes_asked += 1;
        });
        self.command(|window| UiCommand::Size { window, width, height });
    }

    /// The title.
    pub fn title(&self) -> String {
        self.mirror(|mirror| mirror.title.clone())
    }

    /// Width and height of the inside in logical pixels.
    pub fn size(&self) -> (u32, u32) {
        self.mirror(|mirror| mirror.size)
    }

    /// Whether it is shown.
    pub fn is_visible(&self) -> bool {
        self.mirror(|mirror| mirror.visible)
    }

    /// Whether it has the keyboard focus.
    pub fn is_focused(&self) -> bool {
        self.mirror(|mirror| mirror.focused)
    }

    /// Whether it is closed, or closing so that no handler can prevent it.
    pub fn is_destroyed(&self) -> bool {
        self.app.shared().state().windows.get(&self.id).is_none_or(|record| record.closing)
    }

    /// Requests that it closes, as the user does with the close button. Handlers may prevent it.
    pub fn close(&self) {
        if !self.is_destroyed() {
            let decision = Decision::new(self.app.0.clone(), Question::CloseWindow(self.id));
            self.app.shared().queue(AppEvent::WindowClose { window: self.clone(), decision });
        }
    }

    /// Closes it; no handler can prevent it. Its page's ports close (`unloaded`), then the window,
    /// then `Closed` is delivered.
    pub fn destroy(&self) {
        let shared = self.app.shared();
        shared.state().begin_close(self.id);
        shared.io.send(IoCommand::CloseWindow(self.id));
    }

    /// Calls `handler` when the window is requested to close. The handler may prevent it.
    pub fn on_close(&self, handler: impl FnMut(&CloseEvent) + Send + 'static) -> ListenerId {
        let listener = Listener::new(handler);
        let id = listener.id;
        self.app.shared().handlers().window_close.entry(self.id).or_default().push(listener);
        id
    }

    /// Calls `handler` when it is closed.
    pub fn on_closed(&self, mut handler: impl FnMut() + Send + 'static) -> ListenerId {
        self.on_event(move |event| {
            if *event == WindowEvent::Closed {
                handler();
            }
        })
    }

    /// Calls `handler` with every [`WindowEvent`].
    pub fn on_event(&self, handler: impl FnMut(&WindowEvent) + Send + 'static) -> ListenerId {
        let listener = Listener::new(handler);
        let id = listener.id;
        self.app.shared().handlers().window.entry(self.id).or_default().push(listener);
        id
    }

    /// Removes a handler.
    pub fn remove_listener(&self, id: ListenerId) {
        let mut handlers = self.app.shared().handlers();
        if let Some(list) = handlers.window.get_mut(&self.id) {
            list.retain(|listener| listener.id != id);
        }
        if let Some(list) = handlers.window_close.get_mut(&self.id) {
            list.retain(|listener| listener.id != id);
        }
        if let Some(list) = handlers.window_title.get_mut(&self.id) {
            list.retain(|listener| listener.id != id);
        }
    }

    fn command(&self, make: impl FnOnce(WindowId) -> UiCommand) {
        if !self.is_destroyed() {
            self.app.shared().ui(make(self.id));
        }
    }

    fn mirror<T: Default>(&self, read: impl FnOnce(&WindowMirror) -> T) -> T {
        let state = self.app.shared().state();
        state.windows.get(&self.id).filter(|record| !record.closing).map(|record| read(&record.mirror)).unwrap_or_default()
    }

    /// Records the requested state at once, so that getters return it.
    fn change(&self, change: impl FnOnce(&mut WindowMirror)) {
        if let Some(record) = self.app.shared().state().windows.get_mut(&self.id).filter(|record| !record.closing) {
            change(&mut record.mirror);
        }
    }
}

impl State {
    /// The number of a window that will be made; its page has the same number.
    pub(crate) fn new_window(&mut self) -> WindowId {
        self.last_window += 1;
        WindowId(self.last_window)
    }

    /// Records a new window and its page. Options that `told` leaves out come from `opener`, if a
    /// page opened the window, and from the defaults otherwise.
    pub(crate) fn add_window(&mut self, shared: &Shared, id: WindowId, told: BrowserWindowBuilder, opener: Option<WindowId>) -> WindowPlan {
        let record = opener.and_then(|opener| self.windows.get(&opener));
        let root = opener.map(|opener| record.and_then(|record| record.root).unwrap_or(opener));
        let inherited = record.map(|record| record.preferences.clone()).unwrap_or_default();
        // A page that a page opens has the same process, and so the same sandbox.
        let sandbox = if opener.is_some() { Some(inherited.sandboxed()) } else { told.sandbox };
        let node_integration = told.node_integration.unwrap_or(inherited.node_integration);
        // The default: isolated, unless the page may `require`.
        let isolation = told.context_isolation.or(inherited.context_isolation);
        let preload = told.preload.map(|path| shared.app_path.join(path)).or(inherited.preload);
        // A page that a page opens has the same process, and so the same data.
        let partition = if opener.is_some() { inherited.partition } else { told.partition.filter(|name| !name.is_empty()) };
        let preferences = WebPreferences {
            preload,
            node_integration,
            context_isolation: isolation,
            node_integration_in_sub_frames: told.sub_frames.unwrap_or(inherited.node_integration_in_sub_frames),
            sandbox,
            additional_arguments: told.arguments.unwrap_or(inherited.additional_arguments),
            dev_tools: told.dev_tools.or(inherited.dev_tools),
            web_security: told.web_security.or(inherited.web_security),
            background_throttling: told.background_throttling.or(inherited.background_throttling),
            partition,
        };
        let title = told.title.unwrap_or_else(|| shared.name.clone());
        let (size, show) = (told.size.unwrap_or(DEFAULT_SIZE), told.show.unwrap_or(true));
        let contents = crate::ContentsId(id.0);
        let main_frame = self.registry.add_contents(contents);
        let resizable = told.resizable.unwrap_or(true);
        let position = told.position.unwrap_or_default();
        let mirror = WindowMirror { title: title.clone(), size, visible: show, position, resizable, ..Default::default() };
        let plan = WindowPlan {
            window: id,
            contents,
            title,
            size,
            position: told.position,
            show,
            resizable,
            parent: told.parent,
            preferences: preferences.clone(),
        };
        let record = WindowRecord { contents, parent: told.parent, opener, root, preferences, mirror, closing: false };
        self.windows.insert(id, record);
        self.contents.insert(contents, ContentsRecord::new(id, main_frame));
        plan
    }

    /// Marks a window as closing: it gets no new loads, messages or close requests.
    pub(crate) fn begin_close(&mut self, window: WindowId) {
        if let Some(record) = self.windows.get_mut(&window) {
            record.closing = true;
        }
    }
}

impl fmt::Debug for BrowserWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BrowserWindow({})", self.id.0)
    }
}

/// An action that is about to happen and that a handler may prevent.
///
/// ```no_run
/// # fn f(window: &strait::BrowserWindow, unsaved: bool) {
/// window.on_close(move |event| {
///     if unsaved {
///         event.prevent_default();
///     }
/// });
/// # }
/// ```
#[derive(Debug, Default)]
pub struct CloseEvent {
    prevented: Cell<bool>,
}

impl CloseEvent {
    /// Prevents the action.
    pub fn prevent_default(&self) {
        self.prevented.set(true);
    }

    /// Whether a handler prevented it.
    pub fn is_prevented(&self) -> bool {
        self.prevented.get()
    }
}
