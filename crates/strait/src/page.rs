//! Operations on a page besides loads and messages: style sheets, the inspector, the end of its
//! process.

use std::{fmt, future::Future};

use tokio::sync::oneshot;

use crate::{FrameGone, WebContents, WindowId, ui::UiCommand};

/// The key of a style sheet that was inserted into a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StyleKey(pub(crate) u64);

impl StyleKey {
    /// The number of the sheet: from 1, never reused.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The sheet with this number, if it ever existed.
    pub fn from_number(number: u64) -> Self {
        Self(number)
    }
}

/// The cascade origin of a style sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StyleOrigin {
    /// The page's own style sheets.
    #[default]
    Author,
    /// The user's style sheets: their `!important` rules override the page's.
    User,
}

/// A command to the UI thread for a page.
pub(crate) enum PageAction {
    OpenDevTools {
        detached: bool,
    },
    CloseDevTools,
    ToggleDevTools,
    /// End its process.
    Crash,
    InsertStyle {
        key: StyleKey,
        css: String,
        origin: StyleOrigin,
        done: StyleDone,
    },
    RemoveStyle {
        key: StyleKey,
        done: StyleDone,
    },
    UserAgent(String),
}

/// Receives the result when a change of style applies.
pub(crate) type StyleDone = oneshot::Sender<Result<(), FrameGone>>;

impl fmt::Debug for PageAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenDevTools { .. } => "OpenDevTools",
            Self::CloseDevTools => "CloseDevTools",
            Self::ToggleDevTools => "ToggleDevTools",
            Self::Crash => "Crash",
            Self::InsertStyle { .. } => "InsertStyle",
            Self::RemoveStyle { .. } => "RemoveStyle",
            Self::UserAgent(_) => "UserAgent",
        })
    }
}

impl WebContents {
    /// Inserts a style sheet into the main frame's document; returns its key when it applies. It is
    /// removed with the document. Neither the page nor its content security policy can prevent it.
    ///
    /// ```no_run
    /// # async fn f(page: &strait::WebContents) -> Result<(), strait::FrameGone> {
    /// let key = page.insert_css("html { background: black }", Default::default()).await?;
    /// page.remove_inserted_css(key).await?;
    /// # Ok(()) }
    /// ```
    pub fn insert_css(&self, css: &str, origin: StyleOrigin) -> impl Future<Output = Result<StyleKey, FrameGone>> + Send + use<> {
        let key = {
            let mut state = self.app().shared().state();
            state.last_style += 1;
            StyleKey(state.last_style)
        };
        let css = css.to_owned();
        let done = self.restyle(move |done| PageAction::InsertStyle { key, css, origin, done });
        // The sender is dropped with the view.
        async move { done.await.unwrap_or(Err(FrameGone)).map(|()| key) }
    }

    /// Removes a style sheet; ready when that is done. A sheet that is not there any more is not an
    /// error.
    pub fn remove_inserted_css(&self, key: StyleKey) -> impl Future<Output = Result<(), FrameGone>> + Send + use<> {
        let done = self.restyle(move |done| PageAction::RemoveStyle { key, done });
        async move { done.await.unwrap_or(Err(FrameGone)) }
    }

    fn restyle(&self, action: impl FnOnce(StyleDone) -> PageAction) -> oneshot::Receiver<Result<(), FrameGone>> {
        let (done, settled) = oneshot::channel();
        self.act(action(done));
        settled
    }

    /// Opens the web engine's inspector for the page: in a window of its own if `detached`,
    /// otherwise where it was the last time.
    /// [`ContentsEvent::DevToolsOpened`](crate::ContentsEvent::DevToolsOpened) follows when it is
    /// open.
    pub fn open_devtools(&self, detached: bool) {
        self.act(PageAction::OpenDevTools { detached });
    }

    /// Closes the inspector.
    pub fn close_devtools(&self) {
        self.act(PageAction::CloseDevTools);
    }

    /// Opens the inspector if it is closed, and closes it if it is open.
    pub fn toggle_devtools(&self) {
        self.act(PageAction::ToggleDevTools);
    }

    /// Whether the inspector is open.
    pub fn is_devtools_opened(&self) -> bool {
        self.app().shared().state().contents.get(&self.id()).is_some_and(|record| record.devtools)
    }

    /// Ends the page's process at once, as if it had been killed. Windows that the page has opened
    /// are in the same process.
    pub fn forcefully_crash_renderer(&self) {
        self.act(PageAction::Crash);
    }

    /// Sets the user agent for the page's requests and `navigator.userAgent`, from the next load
    /// on.
    pub fn set_user_agent(&self, user_agent: &str) {
        self.act(PageAction::UserAgent(user_agent.into()));
    }

    fn act(&self, action: PageAction) {
        if !self.is_destroyed() {
            self.app().shared().ui(UiCommand::Page { window: WindowId(self.id().0), action });
        }
    }
}
