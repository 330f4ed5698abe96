//! The handlers that a Rust program has registered, by their events.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    BrowserWindow, CloseEvent, ContentsEvent, ContentsId, FrameEvent, SecondInstance, UtilityEvent, UtilityId, WebFrameMain, WindowEvent,
    WindowId, WindowOpenDetails, WindowOpenResponse, ipc::IpcHandlers,
};

/// Identifies a registered listener, to remove it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ListenerId(u64);

/// A listener that can be called after the table's lock is released.
pub(crate) struct Listener<A: ?Sized> {
    pub(crate) id: ListenerId,
    call: Arc<Mutex<Call<A>>>,
}

type Call<A> = dyn FnMut(&A) + Send;

impl<A: ?Sized> Clone for Listener<A> {
    fn clone(&self) -> Self {
        Self { id: self.id, call: self.call.clone() }
    }
}

impl<A: ?Sized> Listener<A> {
    pub(crate) fn new(call: impl FnMut(&A) + Send + 'static) -> Self {
        Self { id: ListenerId::next(), call: Arc::new(Mutex::new(call)) }
    }

    /// Only the program's thread calls this, and never from inside a handler, so the lock is free.
    pub(crate) fn call(&self, argument: &A) {
        (self.call.lock().unwrap_or_else(PoisonError::into_inner))(argument);
    }
}

impl ListenerId {
    pub(crate) fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// A listener for an action that it may prevent.
pub(crate) type Ask = Listener<CloseEvent>;

/// Decides about the windows that a page opens.
pub(crate) type OpenHandler = Arc<Mutex<dyn FnMut(&WindowOpenDetails) -> WindowOpenResponse + Send>>;

/// All handlers.
#[derive(Default)]
pub(crate) struct Handlers {
    pub(crate) ipc: IpcHandlers,
    pub(crate) window: HashMap<WindowId, Vec<Listener<WindowEvent>>>,
    pub(crate) window_close: HashMap<WindowId, Vec<Ask>>,
    pub(crate) window_title: HashMap<WindowId, Vec<Listener<(CloseEvent, String)>>>,
    pub(crate) contents: HashMap<crate::ContentsId, Vec<Listener<ContentsEvent>>>,
    pub(crate) frames: HashMap<ContentsId, Vec<Listener<(WebFrameMain, FrameEvent)>>>,
    pub(crate) window_open: HashMap<ContentsId, OpenHandler>,
    pub(crate) window_created: Vec<Listener<BrowserWindow>>,
    pub(crate) opened: HashMap<ContentsId, Vec<Listener<(BrowserWindow, WindowOpenDetails)>>>,
    pub(crate) all_closed: Vec<Ask>,
    pub(crate) before_quit: Vec<Ask>,
    pub(crate) will_quit: Vec<Ask>,
    pub(crate) quit: Vec<Listener<i32>>,
    pub(crate) utility: HashMap<UtilityId, Vec<Listener<UtilityEvent>>>,
    pub(crate) second_instance: Vec<Listener<SecondInstance>>,
}

impl Handlers {
    /// Removes the handlers of a window and its page.
    pub(crate) fn forget_window(&mut self, window: WindowId, contents: ContentsId) {
        self.window.remove(&window);
        self.window_close.remove(&window);
        self.window_title.remove(&window);
        self.contents.remove(&contents);
        self.frames.remove(&contents);
        self.window_open.remove(&contents);
        self.opened.remove(&contents);
        self.ipc.forget_contents(contents);
    }
}
