//! Windows that pages open: the request, the program's decision, and the new window.
//!
//! A page that calls `window.open` waits inside the call. WebKit requests a view from the UI thread
//! and gets one at once ([`reserve`], [`announce`]). The agent then queries main about the new page
//! ([`opened`]). The program may decide ([`WindowOpenRequest`]). The answer goes to the agent,
//! which lets the page continue, and to the UI thread, which gives the view its window.

mod features;

use strait_protocol::{Nonce, PageId, ToAgent, Verdict, ViewConfig};

pub use self::features::Disposition;
use crate::{
    AppEvent, BrowserWindow, BrowserWindowBuilder, ContentsId, QuotaGuard, WebContents, WebPreferences, WindowId,
    app::App,
    commits::Commits,
    loading::is_blank,
    printable,
    quota::Quota,
    registry::AgentId,
    shared::{Claim, Shared, SharedRef, State},
    text::cut,
    ui::UiCommand,
};

/// The limit of windows from the pages of one window of the program's own, opened by these or by
/// pages that they opened.
pub(crate) const MAX_POPUPS: usize = 32;
/// The longest URL that is opened, in bytes.
const MAX_URL: usize = 2 << 20;
/// The longest name or list of features that is passed on, in bytes; the rest is cut off.
const MAX_TEXT: usize = 4096;
/// The first process of an opened view is that of its opener.
const FIRST_EPOCH: u64 = 1;

/// A page that a page has opened.
pub(crate) struct Popup {
    opener: ContentsId,
    page: PageId,
    details: WindowOpenDetails,
    /// The agent that has queried the page, and waits.
    agent: Option<AgentId>,
    /// The window whose pages' popups include it for the limit.
    root: WindowId,
}

/// A page's request to open a window.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WindowOpenDetails {
    /// The URL to load; `about:blank` if there is none.
    pub url: String,
    /// The target's name; may be empty.
    pub frame_name: String,
    /// The third argument of `window.open`.
    pub features: String,
    /// The requested kind of window.
    pub disposition: Disposition,
    /// The URL of the page that opens it; empty if the new page must not get it.
    pub referrer: String,
}

/// A program's answer to a page's request to open a window.
#[derive(Debug, Clone)]
pub enum WindowOpenResponse {
    /// Refuses the window: `window.open` returns null.
    Deny,
    /// Allows the window. Options that the builder leaves out come from the features, and
    /// preferences from the opener.
    Allow {
        /// Options for the window.
        overrides: Box<BrowserWindowBuilder>,
        /// The window stays open when its opener closes.
        outlives_opener: bool,
    },
}

impl WindowOpenResponse {
    /// Allows the window as the page requests it.
    pub fn allow() -> Self {
        Self::allow_with(BrowserWindow::builder())
    }

    /// Allows the window with the options that the builder sets.
    pub fn allow_with(overrides: BrowserWindowBuilder) -> Self {
        Self::Allow { overrides: Box::new(overrides), outlives_opener: false }
    }
}

/// A window's opener, and its request.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Opened {
    /// The page.
    pub opener: WebContents,
    /// The request.
    pub details: WindowOpenDetails,
}

/// A page that waits for the decision about a window. Dropping this refuses the window.
#[derive(Debug)]
pub struct WindowOpenRequest {
    opener: WebContents,
    window: WindowId,
    details: WindowOpenDetails,
    settled: bool,
    _quota_guard: QuotaGuard,
}

impl WindowOpenRequest {
    /// The page.
    pub fn opener(&self) -> &WebContents {
        &self.opener
    }

    /// The request.
    pub fn details(&self) -> &WindowOpenDetails {
        &self.details
    }

    /// Answers. Returns the new window, if it was allowed and the requesting page still exists.
    pub fn respond(mut self, response: WindowOpenResponse) -> Option<BrowserWindow> {
        self.settled = true;
        settle(&self.opener.app().0, self.window, response)
    }
}

impl Drop for WindowOpenRequest {
    fn drop(&mut self) {
        if !self.settled {
            settle(&self.opener.app().0, self.window, WindowOpenResponse::Deny);
        }
    }
}

/// The agent's configuration for pages with these preferences.
pub(crate) fn view_config(shared: &Shared, window: WindowId, preferences: &WebPreferences, nonce: Nonce) -> ViewConfig {
    ViewConfig {
        nonce,
        window: window.0,
        preload: preferences.preload.clone(),
        context_isolation: preferences.isolates(),
        node_integration: preferences.node_integration && !preferences.sandboxed(),
        sub_frames: preferences.node_integration_in_sub_frames,
        sandbox: preferences.sandboxed(),
        arguments: preferences.additional_arguments.clone(),
        app_path: shared.app_path.clone(),
    }
}

/// A number for the window that a page requests; `None` if it must be refused.
pub(crate) fn reserve(shared: &SharedRef, opener: ContentsId, url: &str) -> Option<WindowId> {
    let refused = {
        let mut state = shared.state();
        match state.why_not(opener, url) {
            None => return Some(state.new_window()),
            Some(why) => why,
        }
    };
    let mut url = url.to_owned();
    cut(&mut url, MAX_TEXT, "…");
    strait_output::report!("[window {} warning] window.open was denied ({refused}): {}", opener.get(), printable(&url));
    None
}

/// The view exists, and `page` is WebKit's number of its page. From now on the agent may query it.
pub(crate) fn announce(shared: &SharedRef, window: WindowId, opener: ContentsId, page: PageId, url: &str) {
    let url = if shows_nothing(url) { "about:blank".into() } else { url.into() };
    let mut state = shared.state();
    let root = state.root_of(opener);
    let details = WindowOpenDetails {
        url,
        frame_name: String::new(),
        features: String::new(),
        disposition: Disposition::default(),
        referrer: String::new(),
    };
    state.popups.insert(window, Popup { opener, page, details, agent: None, root });
}

/// An agent's query about a page that a page has opened.
pub(crate) fn opened(
    shared: &SharedRef,
    agent: AgentId,
    quota: &std::sync::Arc<Quota>,
    page: PageId,
    (mut target, mut features): (String, String),
) {
    cut(&mut target, MAX_TEXT, "");
    cut(&mut features, MAX_TEXT, "");
    // Not a name, but a keyword for a target, such as `_blank`.
    if target.starts_with('_') {
        target.clear();
    }
    let (window, opener, details, asks) = {
        let mut state = shared.state();
        let State { popups, registry, contents, windows, .. } = &mut *state;
        let ours =
            |popup: &Popup| popup.page == page && popup.agent.is_none() && registry.page(popup.opener).is_some_and(|(of, _)| of == agent);
        let Some((&window, popup)) = popups.iter_mut().find(|(_, popup)| ours(popup)) else {
            let _ = state.post(agent, &ToAgent::PageSettled { page, verdict: Verdict::Unknown }, Vec::new());
            return;
        };
        popup.agent = Some(agent);
        let record = contents.get(&popup.opener);
        popup.details.disposition = Disposition::of(&features);
        if !features::has(&features, "noreferrer") {
            popup.details.referrer = record.map(|record| record.commits.url().to_owned()).unwrap_or_default();
        }
        popup.details.frame_name = target;
        popup.details.features = features;
        let closing = windows.get(&WindowId(popup.opener.0)).is_none_or(|window| window.closing);
        let asks = record.filter(|_| !closing).map(|record| record.asks_open);
        (window, popup.opener, popup.details.clone(), asks)
    };
    match asks {
        None => drop(settle(shared, window, WindowOpenResponse::Deny)),
        Some(false) => drop(settle(shared, window, WindowOpenResponse::allow())),
        Some(true) => {
            let weight = details.url.len() + details.frame_name.len() + details.features.len() + details.referrer.len();
            let opener = WebContents::new(App(shared.clone()), opener);
            let request = WindowOpenRequest { opener, window, details, settled: false, _quota_guard: quota.take(weight) };
            shared.queue(AppEvent::WindowOpen(request));
        }
    }
}

/// The pages are gone, and their requests with them.
pub(crate) fn refuse_of(shared: &SharedRef, openers: &[ContentsId]) {
    let windows: Vec<WindowId> = {
        let state = shared.state();
        state.popups.iter().filter(|(_, popup)| openers.contains(&popup.opener)).map(|(window, _)| *window).collect()
    };
    for window in windows {
        settle(shared, window, WindowOpenResponse::Deny);
    }
}

/// Carries out the decision. Does nothing if the page to be opened is gone.
fn settle(shared: &SharedRef, window: WindowId, response: WindowOpenResponse) -> Option<BrowserWindow> {
    let mut state = shared.state();
    let Popup { opener, page, details, agent, .. } = state.popups.remove(&window)?;
    let mut nonce = Nonce::default();
    let allowed = match response {
        WindowOpenResponse::Allow { overrides, outlives_opener } if agent.is_some() && !state.quit.ends() => {
            getrandom::fill(&mut nonce).is_ok().then_some((overrides, outlives_opener))
        }
        _ => None,
    };
    let Some((overrides, outlives_opener)) = allowed else {
        if let Some(agent) = agent {
            let _ = state.post(agent, &ToAgent::PageSettled { page, verdict: Verdict::Refused }, Vec::new());
        }
        shared.ui(UiCommand::Refuse { window });
        return None;
    };
    let told = features::under(*overrides, &details.features);
    let root = state.root_of(opener);
    let plan = state.add_window(shared, window, told, Some(WindowId(opener.0)));
    if outlives_opener && let Some(record) = state.windows.get_mut(&window) {
        record.opener = None;
    }
    let config = view_config(shared, window, &plan.preferences, nonce);
    let commits = Commits::opened_by(state.contents.get(&opener).map(|record| &record.commits));
    if let Some(record) = state.contents.get_mut(&plan.contents) {
        record.commits = commits;
        if !shows_nothing(&details.url) {
            // As if the program had loaded it: later messages are for that document.
            let (load, _) = record.loads.begin(&details.url, &shared.queue.of(plan.contents));
            record.outbox.load_begins(load, &details.url);
            record.loading = true;
        }
    }
    state.view_nonces.insert(nonce, Claim { contents: plan.contents, epoch: FIRST_EPOCH });
    let app = App(shared.clone());
    let new = BrowserWindow::new(app.clone(), window);
    let opened = Opened { opener: WebContents::new(app, opener), details };
    shared.queue.join(window, root);
    // Before any event that the page can cause.
    shared.queue(AppEvent::WindowCreated { window: new.clone(), opened: Some(Box::new(opened)) });
    shared.ui(UiCommand::Adopt(Box::new(plan)));
    if let Some(agent) = agent {
        let _ = state.post(agent, &ToAgent::PageSettled { page, verdict: Verdict::Bound(Box::new(config)) }, Vec::new());
    }
    Some(new)
}

impl State {
    /// The window of the program's own from which this one descends.
    fn root_of(&self, opener: ContentsId) -> WindowId {
        let window = WindowId(opener.0);
        self.windows.get(&window).and_then(|record| record.root).unwrap_or(window)
    }

    /// The reason to refuse this window, whatever the program decides.
    fn why_not(&self, opener: ContentsId, url: &str) -> Option<&'static str> {
        if self.quit.ends() || self.windows.get(&WindowId(opener.0)).is_none_or(|window| window.closing) {
            return Some("the window closes");
        }
        let root = self.root_of(opener);
        let open = self.windows.values().filter(|record| record.root == Some(root)).count();
        let asked = self.popups.values().filter(|popup| popup.root == root).count();
        if open + asked >= MAX_POPUPS {
            return Some("too many windows");
        }
        let from = self.contents.get(&opener).map_or("", |record| record.commits.url());
        (!may_open(from, url)).then_some("such URLs are not opened")
    }
}

/// Whether nothing is loaded: there is no URL, or only a script, which runs in the empty window as
/// a script of the opener.
pub(crate) fn shows_nothing(url: &str) -> bool {
    is_blank(url) || url::Url::parse(url).is_ok_and(|url| url.scheme() == "javascript")
}

/// Whether a page at `from` may open `url`.
fn may_open(from: &str, url: &str) -> bool {
    if shows_nothing(url) {
        return true;
    }
    let Ok(url) = url::Url::parse(url) else { return false };
    match url.scheme() {
        "http" | "https" => url.as_str().len() <= MAX_URL,
        // WebKit lets a page open only blobs of its own origin.
        "blob" => true,
        "file" => from.starts_with("file:"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_open_what_they_could_go_to() {
        for (from, url, may) in [
            ("https://a.test/", "https://b.test/", true),
            ("https://a.test/", "", true),
            ("https://a.test/", "about:blank", true),
            ("https://a.test/", "blob:https://a.test/1234", true),
            ("https://a.test/", "file:///etc/passwd", false),
            ("blob:https://a.test/1234", "file:///etc/passwd", false),
            ("file:///app/index.html", "file:///app/other.html", true),
            ("file:///app/index.html", "http://localhost/", true),
            ("https://a.test/", "javascript:void 0", true),
            ("file:///app/index.html", "ftp://a.test/", false),
            ("file:///app/index.html", "data:text/html,x", false),
            ("file:///app/index.html", "mailto:a@b.test", false),
            ("file:///app/index.html", "webkit://gpu", false),
            ("file:///app/index.html", "about:gpu", false),
            ("file:///app/index.html", "no url", false),
        ] {
            assert_eq!(may_open(from, url), may, "{from} {url}");
        }
    }
}
