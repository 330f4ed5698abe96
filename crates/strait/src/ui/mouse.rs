//! The mouse's back and forward buttons. WebKitGTK dispatches no events for them to pages, and does
//! not navigate by itself.

use std::{cell::Cell, rc::Rc};

use gtk::{
    gdk::{EventButton, ModifierType},
    gio::Cancellable,
    glib::Propagation,
    prelude::WidgetExt,
};
use webkit2gtk::{WebView, WebViewExt};

/// GTK's number of the back button; the next one is forward. The DOM's numbers are 5 less.
const BACK: u32 = 8;
const FORWARD: u32 = 9;

/// Makes a view's page receive `mousedown` and `mouseup` of the two buttons. It goes back or
/// forward unless the page prevents that.
pub(super) fn connect(view: &WebView) {
    // The pressed ones of the two, as bits of `MouseEvent.buttons`.
    let pressed = Rc::new(Cell::new(0));
    let (down, up) = (Rc::clone(&pressed), pressed);
    view.connect_button_press_event(move |view, event| button(view, event, &down, true));
    view.connect_button_release_event(move |view, event| button(view, event, &up, false));
}

fn button(view: &WebView, event: &EventButton, pressed: &Cell<u32>, is_down: bool) -> Propagation {
    if !matches!(event.button(), BACK | FORWARD) {
        return Propagation::Proceed;
    }
    let bit = 1 << (event.button() - BACK + 3);
    pressed.set(if is_down { pressed.get() | bit } else { pressed.get() & !bit });
    view.evaluate_javascript(&script(event, pressed.get(), is_down), None, None, Cancellable::NONE, |_| {});
    Propagation::Stop
}

/// The script that dispatches the event at the mouse's position.
fn script(event: &EventButton, pressed: u32, is_down: bool) -> String {
    let (x, y) = event.position();
    let (held, number) = (event.state(), event.button() - BACK + 3);
    let of_mouse = [(ModifierType::BUTTON1_MASK, 1), (ModifierType::BUTTON3_MASK, 2), (ModifierType::BUTTON2_MASK, 4)];
    let buttons = of_mouse.into_iter().filter(|(mask, _)| held.contains(*mask)).fold(pressed, |bits, (_, bit)| bits | bit);
    let name = if is_down { "mousedown" } else { "mouseup" };
    let way = if event.button() == BACK { "back" } else { "forward" };
    let finish = if is_down { String::new() } else { format!("if (goes) history.{way}()") };
    format!(
        "{{ const goes = (document.elementFromPoint({x}, {y}) ?? document).dispatchEvent(new MouseEvent('{name}', {{ \
           bubbles: true, cancelable: true, composed: true, view: window, button: {number}, buttons: {buttons}, detail: 1, \
           clientX: {x}, clientY: {y}, screenX: screenX + {x}, screenY: screenY + {y}, \
           ctrlKey: {ctrl}, shiftKey: {shift}, altKey: {alt}, metaKey: {meta} }})); {finish} }}",
        ctrl = held.contains(ModifierType::CONTROL_MASK),
        shift = held.contains(ModifierType::SHIFT_MASK),
        alt = held.contains(ModifierType::MOD1_MASK),
        meta = held.contains(ModifierType::SUPER_MASK),
    )
}
