//! One window.

use tao::{
    dpi::{LogicalSize, PhysicalSize},
    event_loop::EventLoopWindowTarget,
    platform::unix::{WindowBuilderExtUnix, WindowExtUnix},
    window::{Window, WindowBuilder},
};

use super::{
    UiCommand, WindowPlan,
    view::{View, ViewMaker},
};
use crate::{AppEvent, BrowserWindow, WindowEvent, WindowId, app::App, shared::SharedRef, window::WindowMirror};

/// A window with its view. The view goes first.
pub(super) struct UiWindow {
    pub(super) view: View,
    window: Window,
    id: WindowId,
    shared: SharedRef,
}

impl UiWindow {
    pub(super) fn create(
        shared: &SharedRef,
        plan: &WindowPlan,
        parent: Option<&UiWindow>,
        target: &EventLoopWindowTarget<UiCommand>,
        views: &mut ViewMaker,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let (width, height) = plan.size;
        let mut builder = WindowBuilder::new()
            .with_title(&plan.title)
            .with_inner_size(LogicalSize::new(width, height))
            .with_resizable(plan.resizable)
            .with_visible(plan.show);
        if let Some(parent) = parent {
            builder = builder.with_transient_for(parent.window.gtk_window());
        }
        let window = builder.build(target)?;
        let vbox = window.default_vbox().ok_or("the window has no place for a view")?;
        let view = views.make(shared, plan, vbox)?;
        Ok(Self { view, window, id: plan.window, shared: shared.clone() })
    }

    pub(super) fn is(&self, id: tao::window::WindowId) -> bool {
        self.window.id() == id
    }

    pub(super) fn show(&self, visible: bool) {
        self.window.set_visible(visible);
        if visible {
            self.window.set_focus();
        }
        self.tell(if visible { WindowEvent::Shown } else { WindowEvent::Hidden }, |mirror| mirror.visible = visible);
    }

    pub(super) fn focus(&self) {
        self.window.set_focus();
    }

    pub(super) fn set_title(&self, title: &str) {
        self.window.set_title(title);
    }

    pub(super) fn set_size(&self, width: u32, height: u32) {
        self.window.set_inner_size(LogicalSize::new(width, height));
    }

    pub(super) fn resized(&self, size: PhysicalSize<u32>) {
        let size: LogicalSize<u32> = size.to_logical(self.window.scale_factor());
        let (width, height) = (size.width, size.height);
        let known = self.shared.state().windows.get(&self.id).map(|record| record.mirror.size);
        if known != Some((width, height)) {
            self.tell(WindowEvent::Resized { width, height }, |mirror| mirror.size = (width, height));
        }
    }

    /// Writes a change down, then tells the program.
    pub(super) fn tell(&self, event: WindowEvent, change: impl FnOnce(&mut WindowMirror)) {
        match self.shared.state().windows.get_mut(&self.id) {
            Some(record) => change(&mut record.mirror),
            None => return,
        }
        let window = BrowserWindow::new(App(self.shared.clone()), self.id);
        self.shared.queue(AppEvent::Window { window, event });
    }
}
