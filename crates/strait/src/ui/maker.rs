//! Makes views: for the program, and for pages that open windows.

use std::{
    cell::RefCell,
    collections::HashMap,
    error::Error,
    rc::{Rc, Weak},
};

use gtk::prelude::{BoxExt, Cast, ContainerExt, WidgetExt};
use strait_protocol::Nonce;
use webkit2gtk::{
    AutoplayPolicy, InputMethodContextExt, NavigationAction, SettingsExt, URIRequestExt, UserContentManager, WebContext,
    WebView as WebKitView, WebViewExt, WebsitePolicies,
};

use super::{
    WindowPlan,
    contexts::{Contexts, Views},
    mouse,
    view::{Origin, View, config_of},
};
use crate::{ContentsId, WindowId, popup, sandbox::Confinement, shared::SharedRef};

/// Makes views.
pub(super) struct ViewMaker(Rc<Maker>);

struct Maker {
    contexts: Contexts,
    /// Pages that pages have opened, until the program has decided about them.
    unborn: RefCell<HashMap<WindowId, Unborn>>,
}

/// A view that is not in a window yet.
struct Unborn {
    view: View,
    /// Its container, because a widget without one is destroyed.
    nowhere: gtk::Box,
}

/// The source of a new view's process.
enum Process<'a> {
    /// The context starts one.
    New(&'a WebContext),
    /// The process of this view, in this view's context.
    Of(&'a WebKitView),
}

impl ViewMaker {
    pub(super) fn new(views: Views) -> Self {
        Self(Rc::new(Maker { contexts: Contexts::new(views), unborn: RefCell::default() }))
    }

    /// A view for a window of the program's own.
    pub(super) fn make(&self, shared: &SharedRef, plan: &WindowPlan, container: &gtk::Box) -> Result<View, Box<dyn Error>> {
        let confinement = shared.sandbox.confine(&plan.preferences);
        let partition = plan.preferences.partition.as_deref().unwrap_or_default();
        let context = self.0.contexts.get(shared, partition, confinement == Confinement::Sandboxed);
        let view = build(&Process::New(&context), container);
        if plan.show {
            view.grab_focus();
        }
        let view = View::new(shared, (plan.window, plan.contents), (config_of(shared, plan), &plan.preferences), view, Origin::Empty);
        if let Confinement::Refused { reason } = confinement {
            view.refrain(reason);
        }
        let maker = Rc::downgrade(&self.0);
        let_open(&maker, shared, plan.contents, &view);
        Ok(view)
    }

    /// Moves a view that a page has opened into its window.
    pub(super) fn adopt(&self, plan: &WindowPlan, container: &gtk::Box) -> Result<View, Box<dyn Error>> {
        let unborn = self.0.unborn.borrow_mut().remove(&plan.window);
        let Unborn { view, nowhere } = unborn.ok_or("the page that opened it is gone")?;
        nowhere.remove(view.webkit());
        container.pack_start(view.webkit(), true, true, 0);
        view.adopt(plan);
        drop(nowhere);
        Ok(view)
    }

    /// Drops a view that a page has opened, because the program refused it.
    pub(super) fn refuse(&self, window: WindowId) {
        let unborn = self.0.unborn.borrow_mut().remove(&window);
        drop(unborn);
    }
}

/// A visible view in `container`.
fn build(process: &Process<'_>, container: &gtk::Box) -> WebKitView {
    let policies = WebsitePolicies::builder().autoplay(AutoplayPolicy::Allow).build();
    let builder = WebKitView::builder().user_content_manager(&UserContentManager::new()).website_policies(&policies);
    let view = match process {
        Process::New(context) => builder.web_context(*context).build(),
        Process::Of(view) => builder.related_view(*view).build(),
    };
    if let Some(input) = view.input_method_context() {
        // Some input methods place the composed text at the view's corner.
        input.set_enable_preedit(false);
    }
    if let Some(settings) = WebViewExt::settings(&view) {
        settings.set_enable_webgl(true);
        settings.set_enable_webaudio(true);
    }
    mouse::connect(&view);
    container.pack_start(&view, true, true, 0);
    view.show_all();
    view
}

/// Allows the pages of a view to open windows.
fn let_open(maker: &Weak<Maker>, shared: &SharedRef, opener: ContentsId, view: &View) {
    let (maker, shared, contents) = (maker.clone(), shared.clone(), view.user_content());
    view.webkit().connect_create(move |view, action| {
        let opened = maker.upgrade().and_then(|maker| maker.open(&shared, opener, (view, contents.clone()), action))?;
        Some(opened.upcast())
    });
}

impl Maker {
    /// A page opens a window. WebKit requires the view at once, and the UI thread never waits for
    /// the program. So the view is made in no window and loads nothing. The page's process waits
    /// until the program has decided.
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
        let nowhere = gtk::Box::new(gtk::Orientation::Vertical, 0);
        let view = build(&Process::Of(from), &nowhere);
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
