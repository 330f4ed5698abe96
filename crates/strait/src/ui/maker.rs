//! Makes views, all in one context: for the program, and for pages that open windows.

use std::{
    cell::RefCell,
    collections::HashMap,
    error::Error,
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    rc::{Rc, Weak},
};

use gtk::{glib::ToVariant, prelude::Cast};
use rustix::fs::Access;
use strait_protocol::{AgentInit, Nonce};
use webkit2gtk::{NavigationAction, URIRequestExt, UserContentManager, WebContextExt, WebView as WebKitView, WebViewExt};
use wry::{WebViewBuilder, WebViewBuilderExtUnix, WebViewExtUnix};

use super::{
    WindowPlan, downloads,
    view::{Origin, View, config_of},
};
use crate::{ContentsId, WindowId, popup, shared::SharedRef};

/// The folder of the program's own partition, in its folder for data.
const DEFAULT_PARTITION: &str = "WebKit";
/// The folder of the program's own partition if that is not kept. No other partition has the name.
const EPHEMERAL: &str = "%";

/// What views need to find their agents.
#[derive(Debug)]
pub(crate) struct Views {
    /// The folder with the agent in it.
    pub(crate) extensions: PathBuf,
    /// Where agents connect.
    pub(crate) socket: PathBuf,
    /// Where partitions that are not to be kept have their data.
    pub(crate) partitions: PathBuf,
}

/// Makes views.
pub(super) struct ViewMaker(Rc<Maker>);

struct Maker {
    views: Views,
    /// By partition; nobody's name is empty.
    contexts: RefCell<HashMap<String, wry::WebContext>>,
    /// What pages have opened and the program has not decided about.
    unborn: RefCell<HashMap<WindowId, Unborn>>,
}

/// A view that is not in a window yet.
struct Unborn {
    view: View,
    /// A widget that loses its container is destroyed.
    nowhere: gtk::Box,
}

impl ViewMaker {
    pub(super) fn new(views: Views) -> Self {
        Self(Rc::new(Maker { views, contexts: RefCell::default(), unborn: RefCell::default() }))
    }

    /// A view for a window of the program's.
    pub(super) fn make(&self, shared: &SharedRef, plan: &WindowPlan, container: &gtk::Box) -> Result<View, Box<dyn Error>> {
        let partition = plan.preferences.partition.clone().unwrap_or_default();
        let mut contexts = self.0.contexts.borrow_mut();
        let first = !contexts.contains_key(&partition);
        let folder = first.then(|| self.0.folder_of(shared, &partition));
        let context = contexts.entry(partition).or_insert_with(|| wry::WebContext::new(folder));
        let view = WebViewBuilder::new_with_web_context(context)
            .with_extensions_path(&self.0.views.extensions)
            .with_focused(plan.show)
            .build_gtk(container)?;
        if first {
            let context = view.webview().context().ok_or("the view has no context")?;
            welcome_agents(shared, &context, self.0.views.socket.clone());
            downloads::refuse(shared, &context);
        }
        let view = View::new(shared, (plan.window, plan.contents), (config_of(shared, plan), &plan.preferences), view, Origin::Empty);
        let maker = Rc::downgrade(&self.0);
        let_open(&maker, shared, plan.contents, &view);
        Ok(view)
    }

    /// The view that a page has opened, now in its window.
    pub(super) fn adopt(&self, plan: &WindowPlan, container: &gtk::Box) -> Result<View, Box<dyn Error>> {
        let unborn = self.0.unborn.borrow_mut().remove(&plan.window);
        let Unborn { view, nowhere } = unborn.ok_or("the page that opened it is gone")?;
        view.adopt(plan, container)?;
        drop(nowhere);
        Ok(view)
    }

    /// What a page has opened is not wanted.
    pub(super) fn refuse(&self, window: WindowId) {
        let unborn = self.0.unborn.borrow_mut().remove(&window);
        drop(unborn);
    }
}

/// Lets the pages of a view open windows.
fn let_open(maker: &Weak<Maker>, shared: &SharedRef, opener: ContentsId, view: &View) {
    let (maker, shared, contents) = (maker.clone(), shared.clone(), view.user_content());
    view.webkit().connect_create(move |view, action| {
        let opened = maker.upgrade().and_then(|maker| maker.open(&shared, opener, (view, contents.clone()), action))?;
        Some(opened.upcast())
    });
}

impl Maker {
    /// Where the data of a partition is kept. Data of the program's own lasts as long as the program where it has no usable folder for data.
    fn folder_of(&self, shared: &SharedRef, partition: &str) -> PathBuf {
        if partition.is_empty() {
            let folder = shared.user_data().join(DEFAULT_PARTITION);
            return match make_writable(&folder) {
                Ok(()) => folder,
                Err(error) => {
                    eprintln!("strait: pages' data lasts only as long as the program: {}: {error}", folder.display());
                    self.views.partitions.join(EPHEMERAL)
                }
            };
        }
        match partition.strip_prefix("persist:") {
            Some(name) => shared.user_data().join("Partitions").join(file_name(name)),
            None => self.views.partitions.join(file_name(partition)),
        }
    }

    /// A page opens a window. WebKit wants the view at once, and nobody here waits for the program: so there is one, in no window, that loads
    /// nothing. The page's process waits until the program has decided.
    fn open(
        self: &Rc<Self>,
        shared: &SharedRef,
        opener: ContentsId,
        (from, user_content): (&WebKitView, Option<UserContentManager>),
        action: &NavigationAction,
    ) -> Option<WebKitView> {
        let url = action.request().and_then(|request| request.uri()).map(String::from).unwrap_or_default();
        let window = popup::reserve(shared, opener, &url)?;
        let contents = ContentsId(window.0);
        let preferences = shared.state().windows.get(&WindowId(opener.0)).map(|record| record.preferences.clone()).unwrap_or_default();
        // Being related it is in its opener's.
        let mut contexts = self.contexts.borrow_mut();
        let context = contexts.get_mut(preferences.partition.as_deref().unwrap_or_default());
        let nowhere = gtk::Box::new(gtk::Orientation::Vertical, 0);
        let built = WebViewBuilder::new_with_web_context(context?).with_related_view(from.clone()).with_focused(false).build_gtk(&nowhere);
        let view = match built {
            Ok(view) => view,
            Err(error) => {
                tracing::error!(%error, "a view for window.open can't be made");
                return None;
            }
        };
        let config = popup::view_config(shared, window, &Default::default(), Nonce::default());
        let view = View::new(shared, (window, contents), (config, &preferences), view, Origin::Opened { url: url.clone() });
        view.share_user_content(user_content);
        let_open(&Rc::downgrade(self), shared, contents, &view);
        let webkit = view.webkit().clone();
        self.unborn.borrow_mut().insert(window, Unborn { view, nowhere });
        popup::announce(shared, window, opener, webkit.page_id(), &url);
        Some(webkit)
    }
}

/// Makes a folder that can be written, for this user alone.
fn make_writable(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    Ok(rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// A name for a file that no other partition has: letters and digits stay, other bytes are written as `%XX`.
fn file_name(partition: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let written = partition.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    let name: String = written.collect();
    // Longer than a file's name can be.
    if name.len() <= 200 { name } else { format!("{}%{:016x}", &name[..180], fnv(partition.as_bytes())) }
}

/// A hash that is the same in every run (Fowler, Noll and Vo's, of 64 bits).
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// Gives each new web process a token of its own.
fn welcome_agents(shared: &SharedRef, context: &webkit2gtk::WebContext, socket: PathBuf) {
    let shared = shared.clone();
    context.connect_initialize_web_extensions(move |context| {
        let token = match shared.state().tokens.issue() {
            Ok(token) => token,
            Err(error) => {
                tracing::error!(%error, "no randomness for a token");
                return;
            }
        };
        let init = strait_protocol::encode(&AgentInit {
            socket: socket.clone(),
            token,
            inspect: shared.inspect.clone(),
            expose_gc: shared.expose_gc,
        });
        context.set_web_extensions_initialization_user_data(&init.to_variant());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_have_folders_of_their_own() {
        assert_eq!(file_name("work"), "work");
        assert_eq!(file_name("../a b"), "%2E%2E%2Fa%20b");
        assert_eq!(file_name(""), "");
        assert_ne!(file_name("%"), EPHEMERAL);
        let (one, two) = ("x".repeat(1000), "x".repeat(1001));
        assert_ne!(file_name(&one), file_name(&two));
        assert!(file_name(&one).len() < 255);
    }
}
