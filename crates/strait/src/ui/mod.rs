//! The UI thread: GTK's windows and WebKit's views.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use crate::{ContentsId, StartError, WindowId, shared::SharedRef};

/// What other threads ask of the UI thread.
#[derive(Debug)]
pub(crate) enum UiCommand {
    Create(Box<WindowPlan>),
    Load { window: WindowId, load: u64, url: String },
    Reload { window: WindowId, load: u64 },
    Stop { window: WindowId },
    Show { window: WindowId, visible: bool },
    Focus { window: WindowId },
    Title { window: WindowId, title: String },
    Size { window: WindowId, width: u32, height: u32 },
    Destroy { window: WindowId },
    Exit,
}

/// A window that is to be made.
#[derive(Debug)]
pub(crate) struct WindowPlan {
    pub(crate) window: WindowId,
    pub(crate) contents: ContentsId,
    pub(crate) title: String,
    pub(crate) size: (u32, u32),
    pub(crate) show: bool,
    pub(crate) resizable: bool,
    pub(crate) parent: Option<WindowId>,
    pub(crate) preload: Option<PathBuf>,
    pub(crate) context_isolation: bool,
    pub(crate) node_integration: bool,
}

/// The way to the UI thread.
#[derive(Clone)]
pub(crate) struct UiHandle {
    proxy: tao::event_loop::EventLoopProxy<UiCommand>,
}

pub(crate) struct Ui {
    events: tao::event_loop::EventLoop<UiCommand>,
}

impl UiHandle {
    pub(crate) fn send(&self, command: UiCommand) {
        let _ = self.proxy.send_event(command);
    }
}

impl Ui {
    pub(crate) fn start() -> Result<Self, StartError> {
        Ok(Self { events: tao::event_loop::EventLoopBuilder::with_user_event().build() })
    }
    pub(crate) fn handle(&self) -> UiHandle {
        UiHandle { proxy: self.events.create_proxy() }
    }
    pub(crate) fn attach(&mut self, _shared: SharedRef, _admissions: Arc<Mutex<()>>) -> Result<(), StartError> {
        Ok(())
    }
    pub(crate) fn run(self) {}
}
