//! Functions of WebKit, GObject and the C library that the bindings lack. This file holds all of
//! this crate's `unsafe`.

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    mem,
    os::fd::AsFd,
    ptr,
    sync::{
        Once, OnceLock,
        atomic::{AtomicI32, Ordering},
    },
};

use gtk::{
    glib::ObjectType,
    prelude::{IsA, WidgetExtManual},
};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use webkit2gtk::Settings;

#[repr(C)]
struct WebKitFeature {
    private: [u8; 0],
}

#[repr(C)]
struct WebKitFeatureList {
    private: [u8; 0],
}

// Since WebKitGTK 2.42.
unsafe extern "C" {
    fn webkit_settings_get_all_features() -> *mut WebKitFeatureList;
    fn webkit_settings_set_feature_enabled(settings: *mut c_void, feature: *mut WebKitFeature, enabled: c_int);
    fn webkit_feature_list_get_length(list: *mut WebKitFeatureList) -> usize;
    fn webkit_feature_list_get(list: *mut WebKitFeatureList, index: usize) -> *mut WebKitFeature;
    fn webkit_feature_list_unref(list: *mut WebKitFeatureList);
    fn webkit_feature_get_identifier(feature: *mut WebKitFeature) -> *const c_char;
    fn webkit_web_context_get_type() -> usize;
    fn g_type_class_ref(class: usize) -> *mut c_void;
}

// From glibc.
unsafe extern "C" {
    fn on_exit(function: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
}

/// The process's exit code once it is exiting.
static EXIT_CODE: AtomicI32 = AtomicI32::new(NOT_EXITING);
/// The process is not exiting.
const NOT_EXITING: i32 = i32::MIN;

extern "C" fn note_exit_code(code: c_int, _: *mut c_void) {
    EXIT_CODE.store(code, Ordering::Relaxed);
}

extern "C" fn end_before_libraries() {
    let code = EXIT_CODE.load(Ordering::Relaxed);
    if code != NOT_EXITING {
        // SAFETY: null means all streams. The C library would write them out after the libraries'
        // destructors; nothing runs after this.
        unsafe {
            libc::fflush(ptr::null_mut());
            libc::_exit(code);
        }
    }
}

// The destructor of the program, or of the library that contains this crate. It runs after all
// handlers of `exit`, and before the destructors of the libraries that it needs.
#[used]
#[unsafe(link_section = ".fini_array")]
static END: extern "C" fn() = end_before_libraries;

/// From now on the process's exit ends before the libraries' destructors. These free what the
/// threads of GTK, tao and WebKit still use: Xlib's frees its locks, and a thread that waits for
/// one crashes. Handlers of `exit` run as usual.
pub(crate) fn skip_library_destructors() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the function may be called at any time. If it has no room for the handler, the
        // destructors run as they would have.
        let _ = unsafe { on_exit(note_exit_code, ptr::null_mut()) };
    });
}

/// Turns engine features on or off, by WebKit's names for them; returns those that this WebKit
/// lacks.
pub(crate) fn set_features<'a>(settings: &Settings, names: &[&'a str], on: bool) -> Vec<&'a str> {
    let mut missing = names.to_vec();
    // SAFETY: takes no arguments and returns a list that this function owns, or null, which is
    // checked.
    let list = unsafe { webkit_settings_get_all_features() };
    if list.is_null() {
        return missing;
    }
    // SAFETY: the list is alive until the unref below.
    let length = unsafe { webkit_feature_list_get_length(list) };
    for index in 0..length {
        // SAFETY: the list is alive and the index below its length; the feature lives as long as
        // the list.
        let feature = unsafe { webkit_feature_list_get(list, index) };
        // SAFETY: the feature is alive; its identifier is a NUL-terminated string that lives as
        // long as the feature.
        let identifier = unsafe { CStr::from_ptr(webkit_feature_get_identifier(feature)) };
        if let Some(place) = missing.iter().position(|name| identifier.to_bytes() == name.as_bytes()) {
            missing.swap_remove(place);
            // SAFETY: settings and feature are alive, and this is GTK's thread, as `Settings` is
            // not `Send`.
            unsafe { webkit_settings_set_feature_enabled(settings.as_ptr().cast(), feature, c_int::from(on)) };
        }
    }
    // SAFETY: releases this function's only reference, which is not used afterwards.
    unsafe { webkit_feature_list_unref(list) };
    missing
}

/// Sets an environment variable, for this process and its children.
pub(crate) fn set_variable(name: &str, value: &str) {
    // SAFETY: the callers run at the start of `App::run`, before GTK or this crate has a thread.
    // The program may have a thread by then that reads the environment with C functions at this
    // moment. It reads the old or the new list: the C library leaves the old one in place.
    unsafe { std::env::set_var(name, value) }
}

/// The handlers of `SIGUSR1`: the process's former one and WebKit's.
static SUSPEND_HANDLERS: OnceLock<[libc::sigaction; 2]> = OnceLock::new();

/// Makes WebKit install its handler of `SIGUSR1`, by which it suspends its own threads, and shares
/// the signal from then on. A signal from a thread of this process goes to WebKit's handler. Any
/// other goes to the handler that was there before: Node starts its inspector with that signal.
///
/// Called on the thread that GTK will use. WebKit installs its handler at its first use, and prints
/// a warning if there is another one. So during that call the signal has its default effect.
pub(crate) fn share_suspend_signal() {
    // SAFETY: a `sigaction` of zeros is valid: the default handler, an empty mask, no flags.
    let [default, mut former, mut webkit] = unsafe { mem::zeroed::<[libc::sigaction; 3]>() };
    // SAFETY: the pointers are to `sigaction`s on this function's stack, or null, which is allowed.
    unsafe {
        libc::sigaction(libc::SIGUSR1, &raw const default, &raw mut former);
    }
    // SAFETY: takes no arguments; returns the number of a class without class data to be freed. The
    // reference to the class is kept for ever, as WebKit itself is.
    unsafe {
        g_type_class_ref(webkit_web_context_get_type());
    }
    // SAFETY: as above.
    unsafe {
        libc::sigaction(libc::SIGUSR1, ptr::null(), &raw mut webkit);
    }
    let taken = webkit.sa_sigaction != libc::SIG_DFL && webkit.sa_sigaction != libc::SIG_IGN;
    let mut ours = if taken { webkit } else { former };
    if taken && SUSPEND_HANDLERS.set([former, webkit]).is_ok() {
        ours.sa_sigaction = on_suspend_signal as *const () as usize;
        ours.sa_flags |= libc::SA_SIGINFO;
    }
    // SAFETY: the pointer is to a `sigaction` on this function's stack. Its handler is one that was
    // installed before, or `on_suspend_signal`, which does only what a signal handler may do.
    unsafe {
        libc::sigaction(libc::SIGUSR1, &raw const ours, ptr::null_mut());
    }
}

extern "C" fn on_suspend_signal(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let Some([former, webkit]) = SUSPEND_HANDLERS.get() else { return };
    // SAFETY: the kernel passes a valid `siginfo_t` to handlers with `SA_SIGINFO`; for a signal
    // sent by a process it contains that process's id.
    let from_own_thread = unsafe { (*info).si_code == libc::SI_TKILL && (*info).si_pid() == libc::getpid() };
    let handler = if from_own_thread { webkit } else { former };
    if handler.sa_sigaction == libc::SIG_DFL || handler.sa_sigaction == libc::SIG_IGN {
        return;
    }
    // SAFETY: it was a handler's address when it was read from the kernel. A handler without
    // `SA_SIGINFO` takes the first argument and ignores the others, which this ABI allows.
    unsafe {
        let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = mem::transmute(handler.sa_sigaction);
        handler(signal, info, context);
    }
}

/// Whether a file's bytes may be mapped as code; no code is run.
pub(crate) fn map_code(file: &impl AsFd) -> rustix::io::Result<()> {
    const LENGTH: usize = 1;
    // SAFETY: a new mapping at an address that the kernel chooses; it is never read and is removed
    // at once.
    unsafe {
        let place = mmap(ptr::null_mut(), LENGTH, ProtFlags::READ | ProtFlags::EXEC, MapFlags::PRIVATE, file, 0)?;
        munmap(place, LENGTH)
    }
}

/// Destroys a widget although other references remain: a view without its widget has no page and no
/// process.
pub(crate) fn destroy(widget: &impl IsA<gtk::Widget>) {
    // SAFETY: the widget is alive, and this is GTK's thread, as widgets are not `Send`. Later uses
    // of the remaining references find a live, empty object.
    unsafe { widget.destroy() }
}
