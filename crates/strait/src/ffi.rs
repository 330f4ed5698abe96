//! The few functions of WebKit and GObject that the bindings lack. All of this crate's `unsafe` is here.

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    os::fd::AsFd,
    ptr,
};

use gtk::glib::{ObjectType, gobject_ffi, translate::ToGlibPtr};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use webkit2gtk::{Settings, WebView};

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
}

/// Turns engine features on or off, by WebKit's names for them; gives those that this WebKit does not have.
pub(crate) fn set_features<'a>(settings: &Settings, names: &[&'a str], on: bool) -> Vec<&'a str> {
    let mut missing = names.to_vec();
    // SAFETY: takes nothing, gives a list that is ours (or null), which is checked.
    let list = unsafe { webkit_settings_get_all_features() };
    if list.is_null() {
        return missing;
    }
    // SAFETY: the list is alive until the unref below.
    let length = unsafe { webkit_feature_list_get_length(list) };
    for index in 0..length {
        // SAFETY: the list is alive and the index below its length; the feature lives as long as the list.
        let feature = unsafe { webkit_feature_list_get(list, index) };
        // SAFETY: the feature is alive; its identifier is a NUL-terminated string that lives as long.
        let identifier = unsafe { CStr::from_ptr(webkit_feature_get_identifier(feature)) };
        if let Some(place) = missing.iter().position(|name| identifier.to_bytes() == name.as_bytes()) {
            missing.swap_remove(place);
            // SAFETY: settings and feature are alive, and this is GTK's thread, as `Settings` is not `Send`.
            unsafe { webkit_settings_set_feature_enabled(settings.as_ptr().cast(), feature, c_int::from(on)) };
        }
    }
    // SAFETY: our one reference, not used afterwards.
    unsafe { webkit_feature_list_unref(list) };
    missing
}

/// Takes away what others have connected to a view's `close` signal (a page's `window.close()`): wry destroys the widget, before anybody
/// has been asked.
pub(crate) fn disconnect_close_handlers(view: &WebView) {
    // SAFETY: a static NUL-terminated name and the view's own, initialized type.
    let signal = unsafe { gobject_ffi::g_signal_lookup(c"close".as_ptr(), webkit_type(view)) };
    let object: *mut gobject_ffi::GObject = ObjectType::as_ptr(view).cast();
    loop {
        // SAFETY: the object is alive; with the mask "by id" only the signal id is looked at, so the null arguments are not used.
        let handler = unsafe {
            let mask = gobject_ffi::G_SIGNAL_MATCH_ID;
            gobject_ffi::g_signal_handler_find(object, mask, signal, 0, ptr::null_mut(), ptr::null_mut(), ptr::null_mut())
        };
        if handler == 0 {
            return;
        }
        // SAFETY: the object is alive and has this handler.
        unsafe { gobject_ffi::g_signal_handler_disconnect(object, handler) };
    }
}

/// Whether a file's bytes may be mapped as code; nothing is run.
pub(crate) fn map_code(file: &impl AsFd) -> rustix::io::Result<()> {
    const LENGTH: usize = 1;
    // SAFETY: a new mapping at an address of the kernel's choice, which nothing reads and which goes at once.
    unsafe {
        let place = mmap(ptr::null_mut(), LENGTH, ProtFlags::READ | ProtFlags::EXEC, MapFlags::PRIVATE, file, 0)?;
        munmap(place, LENGTH)
    }
}

fn webkit_type(view: &WebView) -> gtk::glib::ffi::GType {
    use gtk::glib::{prelude::ObjectExt, translate::IntoGlib};
    let _: *mut webkit2gtk::ffi::WebKitWebView = view.to_glib_none().0;
    view.type_().into_glib()
}
