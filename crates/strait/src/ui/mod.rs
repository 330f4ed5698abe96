//! The UI thread: GTK's windows and WebKit's views. It executes commands and reports events. It
//! never waits for another thread.

mod contexts;
mod downloads;
mod errors;
mod maker;
mod mouse;
mod page;
mod view;
mod watch;
mod window;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use gtk::{gdk, prelude::ObjectExt};
use tao::{
    event::{Event, WindowEvent as TaoEvent},
    event_loop::{ControlFlow, EventLoop, EventLoopBuilder, EventLoopWindowTarget},
    platform::{run_return::EventLoopExtRunReturn, unix::EventLoopBuilderExtUnix},
};

pub(crate) use self::contexts::Views;
use self::{maker::ViewMaker, view::View, window::UiWindow};
use crate::{
    AppEvent, BrowserWindow, ContentsId, Decision, StartError, WebPreferences, WindowEvent, WindowId, app::App, event::Question, ffi,
    page::PageAction, quit, shared::SharedRef,
};

/// Stack of the UI thread where it is not the process's first, in bytes.
pub(crate) const STACK: usize = 8 << 20;

/// Headers of an HTTP request: names and values.
pub(crate) type Headers = Vec<(String, String)>;

/// Commands of other threads to the UI thread.
#[derive(Debug)]
pub(crate) enum UiCommand {
    Create(Box<WindowPlan>),
    /// The page that a page has opened gets this window.
    Adopt(Box<WindowPlan>),
    /// The page that a page has opened for this window is refused.
    Refuse {
        window: WindowId,
    },
    Load {
        window: WindowId,
        load: u64,
        url: String,
        headers: Headers,
    },
    Reload {
        window: WindowId,
        load: u64,
    },
    Stop {
        window: WindowId,
    },
    Show {
        window: WindowId,
        visible: bool,
    },
    ShowInactive {
        window: WindowId,
    },
    Focus {
        window: WindowId,
    },
    /// To a position, or to the middle of the screen.
    Move {
        window: WindowId,
        place: Option<(i32, i32)>,
    },
    Resizable {
        window: WindowId,
        resizable: bool,
    },
    WindowState {
        window: WindowId,
        state: WindowStateChange,
    },
    Title {
        window: WindowId,
        title: String,
    },
    Size {
        window: WindowId,
        width: u32,
        height: u32,
    },
    /// The page has reached the target of load number `load` without a new document.
    MovedWithinDocument {
        window: WindowId,
        load: u64,
        url: String,
    },
    /// The answer to [`await_frames`](crate::page_sender::await_frames).
    FramesKnown {
        window: WindowId,
    },
    /// A main-frame document that the view waits for is ready.
    DocumentReady {
        window: WindowId,
    },
    /// The link to the page's process broke, so the process must end, unless it has ended already.
    ProcessLost {
        window: WindowId,
        epoch: u64,
    },
    /// The window must show no pages, because its process is not in the sandbox that it needs.
    Refrain {
        window: WindowId,
        reason: String,
    },
    Page {
        window: WindowId,
        action: PageAction,
    },
    Destroy {
        window: WindowId,
    },
    Exit,
}

/// A change of a window's state on the screen; `false` ends the state.
#[derive(Debug, Clone, Copy)]
pub(crate) enum WindowStateChange {
    Minimized(bool),
    Maximized(bool),
    OnTop(bool),
}

/// A window to be made.
#[derive(Debug)]
pub(crate) struct WindowPlan {
    pub(crate) window: WindowId,
    pub(crate) contents: ContentsId,
    pub(crate) title: String,
    pub(crate) size: (u32, u32),
    pub(crate) position: Option<(i32, i32)>,
    pub(crate) show: bool,
    pub(crate) resizable: bool,
    pub(crate) parent: Option<WindowId>,
    /// With an absolute preload path.
    pub(crate) preferences: WebPreferences,
}

/// Sends commands to the UI thread.
#[derive(Clone)]
pub(crate) struct UiHandle(Arc<dyn Fn(UiCommand) + Send + Sync>);

impl UiHandle {
    pub(crate) fn new(send: impl Fn(UiCommand) + Send + Sync + 'static) -> Self {
        Self(Arc::new(send))
    }

    pub(crate) fn send(&self, command: UiCommand) {
        (self.0)(command);
    }
}

/// Connects a [deferred](UiHandle::deferred) handle.
pub(crate) struct Connect(Arc<Mutex<Way>>);

/// The destination of a deferred handle's commands.
enum Way {
    To(UiHandle),
    Waiting(Vec<UiCommand>),
}

impl UiHandle {
    /// A handle to a thread that does not exist yet: its commands wait.
    pub(crate) fn deferred() -> (Self, Connect) {
        let way = Arc::new(Mutex::new(Way::Waiting(Vec::new())));
        let connect = Connect(way.clone());
        let handle = Self::new(move |command| match &mut *way.lock().unwrap_or_else(PoisonError::into_inner) {
            Way::To(handle) => handle.send(command),
            Way::Waiting(commands) => commands.push(command),
        });
        (handle, connect)
    }
}

impl Connect {
    /// Sends the waiting commands, and all later ones, to the thread of this handle.
    pub(crate) fn to(self, handle: UiHandle) {
        let mut way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Way::Waiting(commands) = &mut *way {
            commands.drain(..).for_each(|command| handle.send(command));
        }
        *way = Way::To(handle);
    }
}

/// GTK, ready to run.
pub(crate) struct Ui {
    events: EventLoop<UiCommand>,
}

impl Ui {
    /// Connects to the display, in the process's first thread.
    pub(crate) fn start() -> Result<Self, StartError> {
        if rustix::thread::gettid() != rustix::process::getpid() {
            return Err(StartError::WrongThread);
        }
        Self::start_on_any_thread()
    }

    /// Connects to the display. The thread must not end before the process does.
    pub(crate) fn start_on_any_thread() -> Result<Self, StartError> {
        static STARTED: AtomicBool = AtomicBool::new(false);
        if STARTED.swap(true, Ordering::Relaxed) {
            return Err(StartError::WrongThread);
        }
        ffi::skip_library_destructors();
        if let Err(error) = gtk::init() {
            STARTED.store(false, Ordering::Relaxed);
            let unset = ["DISPLAY", "WAYLAND_DISPLAY"].iter().all(|name| std::env::var_os(name).is_none_or(|value| value.is_empty()));
            let reason = if unset { "neither DISPLAY nor WAYLAND_DISPLAY is set".into() } else { error.message.to_string() };
            return Err(StartError::NoDisplay { reason });
        }
        Ok(Self { events: EventLoopBuilder::with_user_event().with_any_thread(true).build() })
    }

    /// The name of the display of the windows, if it is an X display.
    pub(crate) fn x_display(&self) -> Option<String> {
        let display = gdk::Display::default()?;
        (display.type_().name() == "GdkX11Display").then(|| display.name().into())
    }

    pub(crate) fn handle(&self) -> UiHandle {
        let proxy = self.events.create_proxy();
        UiHandle::new(move |command| {
            // After the loop's end commands have no effect.
            let _ = proxy.send_event(command);
        })
    }

    /// Runs until [`UiCommand::Exit`].
    pub(crate) fn run(mut self, shared: &SharedRef, views: Views) {
        let mut desk = Desk { shared: shared.clone(), views: ViewMaker::new(views), windows: HashMap::new() };
        self.events.run_return(|event, target, flow| {
            *flow = ControlFlow::Wait;
            match event {
                Event::UserEvent(UiCommand::Exit) => *flow = ControlFlow::Exit,
                Event::UserEvent(command) => desk.obey(command, target),
                Event::WindowEvent { window_id, event, .. } => desk.report(window_id, &event),
                _ => {}
            }
        });
    }
}

/// Makes a window's view.
type ViewSource = fn(&ViewMaker, &SharedRef, &WindowPlan, &gtk::Box) -> Result<View, Box<dyn std::error::Error>>;

/// The UI thread's state: all windows.
struct Desk {
    shared: SharedRef,
    views: ViewMaker,
    windows: HashMap<WindowId, UiWindow>,
}

impl Desk {
    fn obey(&mut self, command: UiCommand, target: &EventLoopWindowTarget<UiCommand>) {
        match command {
            UiCommand::Create(plan) => self.create(&plan, target, |maker, shared, plan, vbox| maker.make(shared, plan, vbox)),
            UiCommand::Adopt(plan) => self.create(&plan, target, |maker, _, plan, vbox| maker.adopt(plan, vbox)),
            UiCommand::Refuse { window } => self.views.refuse(window),
            UiCommand::Destroy { window } => {
                drop(self.windows.remove(&window));
                quit::window_closed(&self.shared, window);
            }
            UiCommand::Exit => {}
            UiCommand::Load { window, load, url, headers } => self.with(window, |window| window.view.load(load, &url, headers)),
            UiCommand::Reload { window, load } => self.with(window, |window| window.view.reload(load)),
            UiCommand::Stop { window } => self.with(window, |window| window.view.stop()),
            UiCommand::MovedWithinDocument { window, load, url } => {
                self.with(window, |window| window.view.moved_within_document(load, url))
            }
            UiCommand::FramesKnown { window } => self.with(window, |window| window.view.frames_known()),
            UiCommand::DocumentReady { window } => self.with(window, |window| window.view.document_ready()),
            UiCommand::ProcessLost { window, epoch } => self.with(window, |window| window.view.process_lost(epoch)),
            UiCommand::Refrain { window, reason } => self.with(window, |window| window.view.refrain(reason)),
            UiCommand::Page { window, action } => self.with(window, |window| window.view.act(action)),
            UiCommand::Show { window, visible } => self.with(window, |window| window.show(visible)),
            UiCommand::ShowInactive { window } => self.with(window, |window| window.show_inactive()),
            UiCommand::Move { window, place } => self.with(window, |window| window.move_to(place)),
            UiCommand::Resizable { window, resizable } => self.with(window, |window| window.set_resizable(resizable)),
            UiCommand::WindowState { window, state } => self.with(window, |window| window.take(state)),
            UiCommand::Focus { window } => self.with(window, |window| window.focus()),
            UiCommand::Title { window, title } => self.with(window, |window| window.set_title(&title)),
            UiCommand::Size { window, width, height } => self.with(window, |window| window.set_size(width, height)),
        }
    }

    fn with(&self, window: WindowId, act: impl FnOnce(&UiWindow)) {
        if let Some(window) = self.windows.get(&window) {
            act(window);
        }
    }

    fn create(&mut self, plan: &WindowPlan, target: &EventLoopWindowTarget<UiCommand>, view: ViewSource) {
        let parent = plan.parent.and_then(|parent| self.windows.get(&parent));
        match UiWindow::create(&self.shared, plan, parent, target, |vbox| view(&self.views, &self.shared, plan, vbox)) {
            Ok(window) => {
                self.windows.insert(plan.window, window);
            }
            Err(error) => {
                // As if it had been closed at once, so that its `Closed` event is delivered.
                strait_output::report!("strait: window {} can't be made: {error}", plan.window.get());
                quit::window_closed(&self.shared, plan.window);
            }
        }
    }

    /// Reports an event of a window to the program.
    fn report(&self, id: tao::window::WindowId, event: &TaoEvent<'_>) {
        let Some((window, ui)) = self.windows.iter().find(|(_, window)| window.is(id)) else { return };
        let handle = BrowserWindow::new(App(self.shared.clone()), *window);
        match event {
            TaoEvent::CloseRequested => {
                let decision = Decision::new(self.shared.clone(), Question::CloseWindow(*window));
                self.shared.queue(AppEvent::WindowClose { window: handle, decision });
            }
            TaoEvent::Focused(focused) => {
                let event = if *focused { WindowEvent::Focused } else { WindowEvent::Blurred };
                ui.tell(event, |mirror| mirror.focused = *focused);
            }
            TaoEvent::Resized(size) => ui.resized(*size),
            TaoEvent::Moved(place) => ui.moved(*place),
            _ => {}
        }
    }
}
