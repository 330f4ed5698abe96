//! The part of WebKit's web process extension API that the agent uses.

use std::ffi::{CStr, CString};
use std::os::raw::{c_char, c_int, c_uint, c_void};
use std::ptr;

use super::glib::{GVariant, connect_signal, g_object_ref, g_object_unref, new_variant, variant_bytes};
use super::jsc::{Context, RawContext};
use super::{copy_c_string, guarded};

pub(super) enum RawExtension {}
enum RawPage {}
enum RawFrame {}
enum RawWorld {}
enum RawUserMessage {}
enum RawConsoleMessage {}

unsafe extern "C" {
    fn webkit_web_page_get_id(page: *mut RawPage) -> u64;
    fn webkit_frame_get_id(frame: *mut RawFrame) -> u64;
    fn webkit_frame_is_main_frame(frame: *mut RawFrame) -> c_int;
    fn webkit_frame_get_javascript_context_for_script_world(frame: *mut RawFrame, world: *mut RawWorld) -> RawContext;
    fn webkit_script_world_get_default() -> *mut RawWorld;
    fn webkit_script_world_new_with_name(name: *const c_char) -> *mut RawWorld;
    fn webkit_web_extension_get_page(extension: *mut RawExtension, id: u64) -> *mut RawPage;
    fn webkit_web_page_send_message_to_view(
        page: *mut RawPage,
        message: *mut RawUserMessage,
        cancellable: *mut c_void,
        callback: *const c_void,
        data: *mut c_void,
    );
    fn webkit_user_message_new(name: *const c_char, parameters: *mut GVariant) -> *mut RawUserMessage;
    fn webkit_user_message_send_reply(message: *mut RawUserMessage, reply: *mut RawUserMessage);
    fn webkit_user_message_get_name(message: *mut RawUserMessage) -> *const c_char;
    fn webkit_user_message_get_parameters(message: *mut RawUserMessage) -> *mut GVariant;
    fn webkit_console_message_get_level(message: *mut RawConsoleMessage) -> c_uint;
    fn webkit_console_message_get_text(message: *mut RawConsoleMessage) -> *const c_char;
    fn webkit_console_message_get_line(message: *mut RawConsoleMessage) -> c_uint;
    fn webkit_console_message_get_source_id(message: *mut RawConsoleMessage) -> *const c_char;
}

/// The extension object: WebKit's object for this process. It lives as long as the process.
#[derive(Clone)]
pub(crate) struct Extension(*mut RawExtension);

impl Extension {
    /// # Safety
    /// `raw` is WebKit's extension object, which lives as long as the process.
    pub(super) unsafe fn borrow(raw: *mut RawExtension) -> Self {
        Self(raw)
    }

    /// Calls `events` for all events of pages of this process.
    pub(crate) fn on_page_created(&self, events: &'static dyn PageEvents) {
        let data = Box::into_raw(Box::new(events)).cast::<c_void>();
        // SAFETY: the extension is live; `page_created` has the signal's signature; the box is never freed.
        unsafe { connect_signal(self.0.cast(), c"page-created", page_created as *const c_void, data) };
    }
}

impl Extension {
    /// Sends a page's view a message with bytes. Nothing is sent for a page that is gone.
    pub(crate) fn send_to_view(&self, page: u64, name: &str, bytes: &[u8]) {
        let Ok(name) = CString::new(name) else { return };
        // SAFETY: the extension is live; the page is checked. The message's and the variant's
        // references are floating: WebKit takes them. Without a callback WebKit expects no answer.
        unsafe {
            let page = webkit_web_extension_get_page(self.0, page);
            if !page.is_null() {
                let message = webkit_user_message_new(name.as_ptr(), new_variant(bytes));
                webkit_web_page_send_message_to_view(page, message, ptr::null_mut(), ptr::null(), ptr::null_mut());
            }
        }
    }
}

/// The page events that the agent handles.
pub(crate) trait PageEvents {
    /// A page was created; it has no document yet.
    fn created(&self, page: Page);
    /// The UI process sent the page a message with bytes. Returns the reply's bytes if the message
    /// was for the agent.
    fn message(&self, page: &Page, name: &str, bytes: Vec<u8>) -> Option<Vec<u8>>;
    /// The page wrote to its console.
    fn console(&self, page: &Page, message: ConsoleMessage);
}

/// A line that a page wrote to its console.
pub(crate) struct ConsoleMessage {
    /// WebKit's level: 0 info, 1 log, 2 warning, 3 error, 4 debug.
    pub(crate) level: u32,
    pub(crate) text: String,
    pub(crate) source: String,
    pub(crate) line: u32,
}

/// A page of this process.
pub(crate) struct Page {
    id: u64,
}

impl Page {
    /// WebKit's page id.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// # Safety
    /// `raw` is a live page.
    unsafe fn of(raw: *mut RawPage) -> Self {
        // SAFETY: live by the caller's promise.
        Self { id: unsafe { webkit_web_page_get_id(raw) } }
    }
}

/// # Safety
/// `data` is the box made in `on_page_created`.
unsafe fn events_of(data: *mut c_void) -> &'static dyn PageEvents {
    // SAFETY: by the caller's promise; the box is never freed.
    unsafe { *data.cast::<&'static dyn PageEvents>() }
}

extern "C" fn page_created(_extension: *mut RawExtension, page: *mut RawPage, data: *mut c_void) {
    guarded("page-created", (), || {
        // SAFETY: WebKit passes a live page; `data` is the pointer of the connected signal; the
        // handlers have their signals' signatures.
        let (events, wrapped) = unsafe {
            connect_signal(page.cast(), c"user-message-received", user_message_received as *const c_void, data);
            connect_signal(page.cast(), c"console-message-sent", console_message_sent as *const c_void, data);
            (events_of(data), Page::of(page))
        };
        events.created(wrapped);
    });
}

extern "C" fn user_message_received(page: *mut RawPage, message: *mut RawUserMessage, data: *mut c_void) -> c_int {
    guarded("user-message-received", 0, || {
        // SAFETY: WebKit passes a live page and message; the message's name and bytes are copied at
        // once.
        let (events, page, name, bytes) = unsafe {
            (
                events_of(data),
                Page::of(page),
                copy_c_string(webkit_user_message_get_name(message)),
                variant_bytes(webkit_user_message_get_parameters(message)),
            )
        };
        let Some(reply) = events.message(&page, &name, bytes) else { return 0 };
        // SAFETY: the message is live until this handler returns; WebKit takes the reply's floating reference.
        unsafe { webkit_user_message_send_reply(message, webkit_user_message_new(c"strait".as_ptr(), new_variant(&reply))) };
        1
    })
}

extern "C" fn console_message_sent(page: *mut RawPage, message: *mut RawConsoleMessage, data: *mut c_void) {
    guarded("console-message-sent", (), || {
        // SAFETY: WebKit passes a live page and message; the message's texts are copied at once.
        let (events, page, mut message) = unsafe {
            let message = ConsoleMessage {
                level: webkit_console_message_get_level(message),
                text: copy_c_string(webkit_console_message_get_text(message)),
                source: copy_c_string(webkit_console_message_get_source_id(message)),
                line: webkit_console_message_get_line(message),
            };
            (events_of(data), Page::of(page), message)
        };
        // WebKit's name for a script without a source.
        if message.source == "undefined" {
            message.source.clear();
        }
        events.console(&page, message);
    });
}

/// A script world: the page's own (main) or the agent's (isolated).
pub(crate) struct World(*mut RawWorld);

/// The page's own world.
pub(crate) fn main_world() -> World {
    // SAFETY: no arguments; the default world lives as long as the process.
    World(unsafe { webkit_script_world_get_default() })
}

/// A new world, invisible to pages, that lives as long as the process.
pub(crate) fn isolated_world(name: &CStr) -> World {
    // SAFETY: a valid string; the returned reference is kept for ever.
    World(unsafe { webkit_script_world_new_with_name(name.as_ptr()) })
}

/// A frame of a page.
pub(crate) struct WebFrame(*mut RawFrame);

impl WebFrame {
    /// WebKit's frame id.
    pub(crate) fn id(&self) -> u64 {
        // SAFETY: this object holds a reference.
        unsafe { webkit_frame_get_id(self.0) }
    }

    /// Whether this is its page's main frame.
    pub(crate) fn is_main(&self) -> bool {
        // SAFETY: this object holds a reference.
        unsafe { webkit_frame_is_main_frame(self.0) != 0 }
    }

    /// The global context of the frame's present document in `world`.
    pub(crate) fn context(&self, world: &World) -> Option<Context> {
        // SAFETY: frame and world are live; the context is retained at once.
        unsafe {
            let raw = webkit_frame_get_javascript_context_for_script_world(self.0, world.0);
            if raw.is_null() { None } else { Some(Context::retain(raw)) }
        }
    }
}

impl Drop for WebFrame {
    fn drop(&mut self) {
        // SAFETY: releases the reference that was taken when this object was made.
        unsafe { g_object_unref(self.0.cast()) }
    }
}

type ClearedHandler = dyn Fn(Page, WebFrame);

/// Calls `handler` for each new document, before any of its scripts run.
pub(crate) fn on_window_object_cleared(world: &World, handler: impl Fn(Page, WebFrame) + 'static) {
    let handler: Box<Box<ClearedHandler>> = Box::new(Box::new(handler));
    let data = Box::into_raw(handler).cast::<c_void>();
    // SAFETY: the world is live; the function has the signal's signature; the box is never freed.
    unsafe { connect_signal(world.0.cast(), c"window-object-cleared", window_object_cleared as *const c_void, data) };
}

extern "C" fn window_object_cleared(_world: *mut RawWorld, page: *mut RawPage, frame: *mut RawFrame, data: *mut c_void) {
    guarded("window-object-cleared", (), || {
        if page.is_null() || frame.is_null() {
            return;
        }
        // SAFETY: WebKit passes a live page and frame; `data` is the box made in `on_window_object_cleared`, never freed.
        let (handler, page, frame) = unsafe {
            let frame = g_object_ref(frame.cast()).cast::<RawFrame>();
            (&*data.cast::<Box<ClearedHandler>>(), Page::of(page), WebFrame(frame))
        };
        handler(page, frame);
    });
}
