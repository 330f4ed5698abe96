//! One window of GTK's with its view.

use std::cell::Cell;

use gtk::{
    gdk::WindowState,
    glib::Propagation,
    prelude::{GtkWindowExt, WidgetExt},
};
use tao::{
    dpi::{LogicalPosition, LogicalSize, PhysicalPosition, PhysicalSize},
    event_loop::EventLoopWindowTarget,
    platform::unix::{WindowBuilderExtUnix, WindowExtUnix},
    window::{Window, WindowBuilder},
};

use super::{UiCommand, WindowPlan, WindowStateChange, view::View};
use crate::{AppEvent, BrowserWindow, WindowEvent, WindowId, app::App, shared::SharedRef, window::WindowMirror};

/// A window with its view. The view is dropped first.
pub(super) struct UiWindow {
    pub(super) view: View,
    window: Window,
    id: WindowId,
    shared: SharedRef,
    /// The last size that was reported.
    size: Cell<(u32, u32)>,
    /// The last position that was reported.
    place: Cell<Option<(i32, i32)>>,
}

impl UiWindow {
    pub(super) fn create(
        shared: &SharedRef,
        plan: &WindowPlan,
        parent: Option<&UiWindow>,
        target: &EventLoopWindowTarget<UiCommand>,
        view: impl FnOnce(&gtk::Box) -> Result<View, Box<dyn std::error::Error>>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let (width, height) = plan.size;
        let mut builder = WindowBuilder::new()
            .with_title(&plan.title)
            .with_inner_size(LogicalSize::new(width, height))
            .with_resizable(plan.resizable)
            .with_visible(plan.show);
        if let Some((x, y)) = plan.position {
            builder = builder.with_position(LogicalPosition::new(x, y));
        }
        if let Some(parent) = parent {
            builder = builder.with_transient_for(parent.window.gtk_window());
        }
        let window = builder.build(target)?;
        let (of, id) = (shared.clone(), plan.window);
        window.gtk_window().connect_window_state_event(move |_, event| {
            let (changed, now) = (event.changed_mask(), event.new_window_state());
            if changed.contains(WindowState::ICONIFIED) {
                let minimized = now.contains(WindowState::ICONIFIED);
                let event = if minimized { WindowEvent::Minimized } else { WindowEvent::Restored };
                tell(&of, id, event, |mirror| mirror.minimized = minimized);
            }
            if changed.contains(WindowState::MAXIMIZED) {
                let maximized = now.contains(WindowState::MAXIMIZED);
                let event = if maximized { WindowEvent::Maximized } else { WindowEvent::Unmaximized };
                tell(&of, id, event, |mirror| mirror.maximized = maximized);
            }
            Propagation::Proceed
        });
        let vbox = window.default_vbox().ok_or("the window has no place for a view")?;
        let view = view(vbox)?;
        Ok(Self { view, window, id: plan.window, shared: shared.clone(), size: Cell::new(plan.size), place: Cell::new(None) })
    }

    pub(super) fn is(&self, id: tao::window::WindowId) -> bool {
        self.window.id() == id
    }

    pub(super) fn show(&self, visible: bool) {
        self.window.set_visible(visible);
        if visible {
            self.window.set_focus();
        }
        // The caller has changed the mirror already, and may have changed it again since.
        self.tell(if visible { WindowEvent::Shown } else { WindowEvent::Hidden }, |_| {});
    }

    pub(super) fn show_inactive(&self) {
        let window = self.window.gtk_window();
        window.set_focus_on_map(false);
        self.window.set_visible(true);
        self.tell(WindowEvent::Shown, |_| {});
    }

    pub(super) fn move_to(&self, place: Option<(i32, i32)>) {
        let middle = || {
            let monitor = self.window.current_monitor().or_else(|| self.window.primary_monitor())?;
            let scale = monitor.scale_factor();
            let (corner, screen) = (monitor.position().to_logical::<i32>(scale), monitor.size().to_logical::<i32>(scale));
            let (width, height) = self.size.get();
            let halfway = |screen: i32, window: u32| screen.saturating_sub(i32::try_from(window).unwrap_or(i32::MAX)) / 2;
            Some((corner.x + halfway(screen.width, width), corner.y + halfway(screen.height, height)))
        };
        let asked = place.or_else(middle);
        if let Some((x, y)) = asked {
            self.window.set_outer_position(LogicalPosition::new(x, y));
        }
        if let Some(record) = self.shared.state().windows.get_mut(&self.id) {
            record.mirror.places_asked = record.mirror.places_asked.saturating_sub(1);
            if let Some(middle) = asked.filter(|_| place.is_none()) {
                record.mirror.position = middle;
            }
        }
    }

    pub(super) fn moved(&self, place: PhysicalPosition<i32>) {
        let place: LogicalPosition<i32> = place.to_logical(self.window.scale_factor());
        if self.place.replace(Some((place.x, place.y))) != Some((place.x, place.y)) {
            self.tell(WindowEvent::Moved { x: place.x, y: place.y }, |mirror| {
                if mirror.places_asked == 0 {
                    mirror.position = (place.x, place.y);
                }
            });
        }
    }

    pub(super) fn set_resizable(&self, resizable: bool) {
        self.window.set_resizable(resizable);
    }

    pub(super) fn take(&self, state: WindowStateChange) {
        let window = self.window.gtk_window();
        match state {
            WindowStateChange::Minimized(true) => window.iconify(),
            WindowStateChange::Minimized(false) => window.deiconify(),
            WindowStateChange::Maximized(true) => window.maximize(),
            WindowStateChange::Maximized(false) => window.unmaximize(),
            WindowStateChange::OnTop(on_top) => window.set_keep_above(on_top),
        }
    }

    pub(super) fn focus(&self) {
        self.window.set_focus();
    }

    pub(super) fn set_title(&self, title: &str) {
        self.window.set_title(title);
    }

    pub(super) fn set_size(&self, width: u32, height: u32) {
        self.window.set_inner_size(LogicalSize::new(width, height));
        if let Some(record) = self.shared.state().windows.get_mut(&self.id) {
            record.mirror.sizes_asked = record.mirror.sizes_asked.saturating_sub(1);
        }
    }

    pub(super) fn resized(&self, size: PhysicalSize<u32>) {
        let size: LogicalSize<u32> = size.to_logical(self.window.scale_factor());
        let (width, height) = (size.width, size.height);
        if self.size.replace((width, height)) != (width, height) {
            self.tell(WindowEvent::Resized { width, height }, |mirror| {
                if mirror.sizes_asked == 0 {
                    mirror.size = (width, height);
                }
            });
        }
    }

    /// Records a change, then reports it to the program.
    pub(super) fn tell(&self, event: WindowEvent, change: impl FnOnce(&mut WindowMirror)) {
        tell(&self.shared, self.id, event, change);
    }
}

fn tell(shared: &SharedRef, id: WindowId, event: WindowEvent, change: impl FnOnce(&mut WindowMirror)) {
    match shared.state().windows.get_mut(&id) {
        Some(record) => change(&mut record.mirror),
        None => return,
    }
    let window = BrowserWindow::new(App(shared.clone()), id);
    shared.queue(AppEvent::Window { window, event });
}
