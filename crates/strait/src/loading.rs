//! Loads: the state of a page's load under way, its outcome, and the URLs that programs pass.

use std::{
    future::Future,
    path::Path,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::sync::oneshot;
use url::Url;

use crate::{LoadError, queue::WindowQueue, sandbox};

/// The error of a load that would show a page without its preload script and IPC. Chromium has no
/// such error; the code is that of `ERR_FAILED`.
const AGENT_MISSING: &str = "ERR_AGENT_MISSING";

/// A load that has begun; ready when it has finished or failed. Dropping this does not stop the
/// load.
///
/// It is ready after the events that precede its end have been handled, `did-finish-load` among
/// them. The program's thread handles both, so await this there rather than blocking that thread.
///
/// A later load of the same page ends an unfinished one with `ERR_ABORTED (-3)`, and so does the
/// end of the page.
///
/// ```no_run
/// # async fn f(window: &strait::BrowserWindow) {
/// if let Err(error) = window.load_url("https://example.test/").await {
///     eprintln!("{error}"); // ERR_NAME_NOT_RESOLVED (-105) loading 'https://example.test/'
/// }
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the load goes on, but its failure is only seen here and in the page's events"]
pub struct LoadFuture(oneshot::Receiver<Result<(), LoadError>>, String);

impl Future for LoadFuture {
    type Output = Result<(), LoadError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let settled = std::task::ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(settled.unwrap_or_else(|_| Err(LoadError::aborted(&self.1))))
    }
}

/// The one load of a page that can be under way.
#[derive(Debug, Default)]
pub(crate) struct Loads {
    last: u64,
    pending: Option<Pending>,
}

#[derive(Debug)]
struct Pending {
    load: u64,
    url: String,
    done: oneshot::Sender<Result<(), LoadError>>,
    queue: WindowQueue,
}

impl Pending {
    fn end(self, result: Result<(), LoadError>) {
        self.queue.settle(self.done, result);
    }
}

impl Loads {
    /// Begins a load, which aborts the preceding one; returns its number.
    pub(crate) fn begin(&mut self, url: &str, queue: &WindowQueue) -> (u64, LoadFuture) {
        self.abort();
        self.last += 1;
        let (done, receiver) = oneshot::channel();
        self.pending = Some(Pending { load: self.last, url: url.into(), done, queue: queue.clone() });
        (self.last, LoadFuture(receiver, url.into()))
    }

    /// Ends load number `load`, if it is the one under way.
    pub(crate) fn settle(&mut self, load: u64, result: Result<(), LoadError>) {
        if let Some(pending) = self.pending.take_if(|pending| pending.load == load) {
            pending.end(result);
        }
    }

    /// Aborts the load under way.
    pub(crate) fn abort(&mut self) {
        if let Some(pending) = self.pending.take() {
            let error = LoadError::aborted(&pending.url);
            pending.end(Err(error));
        }
    }

    /// The load under way.
    pub(crate) fn current(&self) -> Option<u64> {
        self.pending.as_ref().map(|pending| pending.load)
    }
}

impl LoadError {
    pub(crate) fn aborted(url: &str) -> Self {
        Self { url: url.into(), code: -3, description: "ERR_ABORTED".into(), detail: String::new() }
    }

    /// No web process with an agent is available; `detail` contains the reason.
    pub(crate) fn agent_missing(url: &str, detail: String) -> Self {
        Self { url: url.into(), code: -2, description: AGENT_MISSING.into(), detail }
    }

    /// The part of the text that contains the reason, if the text has it.
    pub(crate) fn reason(&self) -> String {
        if [AGENT_MISSING, sandbox::UNAVAILABLE].contains(&self.description.as_str()) {
            format!(": {}", self.detail)
        } else {
            String::new()
        }
    }

    fn invalid_url(url: &str, detail: &str) -> Self {
        Self { url: url.into(), code: -300, description: "ERR_INVALID_URL".into(), detail: detail.into() }
    }
}

/// Resolves a program's URL: an absolute one stays as it is. Any other text is a path relative to
/// the program's folder, with an optional query and fragment.
pub(crate) fn resolve_url(app_path: &Path, given: &str) -> Result<String, LoadError> {
    if given.trim().is_empty() {
        return Err(LoadError::invalid_url(given, "it is empty"));
    }
    match Url::parse(given) {
        // It brings no document, so its end would never be reported.
        Ok(url) if url.scheme() == "javascript" => {
            let detail = "a script is run by execute_javascript".into();
            return Err(LoadError { detail, ..LoadError::aborted(given) });
        }
        Ok(url) => return refuse_folder(url).map(Into::into),
        Err(url::ParseError::RelativeUrlWithoutBase) => {}
        Err(error) => return Err(LoadError::invalid_url(given, &error.to_string())),
    }
    let end = given.find(['?', '#']).unwrap_or(given.len());
    let (path, rest) = given.split_at(end);
    let (query, fragment) = match rest.split_once('#') {
        Some((query, fragment)) => (query, Some(fragment)),
        None => (rest, None),
    };
    let mut url = file_url(app_path, Path::new(path))?;
    url.set_query(query.strip_prefix('?'));
    url.set_fragment(fragment);
    Ok(url.into())
}

/// The URL of a file relative to the program's folder; `?` and `#` are part of its name.
pub(crate) fn resolve_file(app_path: &Path, path: &Path) -> Result<String, LoadError> {
    file_url(app_path, path).map(Into::into)
}

fn file_url(app_path: &Path, path: &Path) -> Result<Url, LoadError> {
    let wrong = || LoadError::invalid_url(&path.to_string_lossy(), "the program's folder is no absolute path");
    let url = Url::from_file_path(app_path.join(path)).map_err(|()| wrong())?;
    // Parsing removes `..`.
    refuse_folder(Url::parse(url.as_str()).map_err(|_| wrong())?)
}

/// Fails for folders: WebKit shows an empty page for one, and a program that loads one has a wrong
/// path.
fn refuse_folder(url: Url) -> Result<Url, LoadError> {
    if url.scheme() == "file" && url.to_file_path().is_ok_and(|path| path.is_dir()) {
        let detail = "it is a folder".into();
        return Err(LoadError { url: url.into(), code: -6, description: "ERR_FILE_NOT_FOUND".into(), detail });
    }
    Ok(url)
}

/// Whether a web view may show this without a request: the document before the first load.
pub(crate) fn is_blank(url: &str) -> bool {
    url.is_empty() || url == "about:blank"
}

impl LoadFuture {
    /// A load that has failed already.
    pub(crate) fn failed(error: LoadError) -> Self {
        let (done, receiver) = oneshot::channel();
        let url = error.url.clone();
        let _ = done.send(Err(error));
        Self(receiver, url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ContentsId,
        queue::{Queued, queue},
    };

    #[test]
    fn urls_are_resolved_against_the_programs_folder() {
        let check = |given: &str, expected: &str| assert_eq!(resolve_url(Path::new("/opt/my app"), given).unwrap(), expected, "{given}");
        check("https://example.test/a", "https://example.test/a");
        check("data:text/plain,x", "data:text/plain,x");
        check("index.html", "file:///opt/my%20app/index.html");
        check("pages/a.html?x=1&y=2#part", "file:///opt/my%20app/pages/a.html?x=1&y=2#part");
        check("a.html#part?no", "file:///opt/my%20app/a.html#part?no");
        check("/etc/hosts", "file:///etc/hosts");
        check("../up.html", "file:///opt/up.html");
        assert_eq!(resolve_file(Path::new("/opt"), Path::new("what?.html")).unwrap(), "file:///opt/what%3F.html");
        assert_eq!(resolve_url(Path::new("not/absolute"), "a.html").unwrap_err().code, -300);
    }

    #[test]
    fn what_cannot_be_loaded_is_refused() {
        let check = |given: &str, expected: &str| assert_eq!(resolve_url(Path::new("/"), given).unwrap_err().to_string(), expected);
        check("", "ERR_INVALID_URL (-300) loading ''");
        check("http://", "ERR_INVALID_URL (-300) loading 'http://'");
        check("javascript:alert(1)", "ERR_ABORTED (-3) loading 'javascript:alert(1)'");
        check(" JavaScript:alert(1)", "ERR_ABORTED (-3) loading ' JavaScript:alert(1)'");
        check("file:///tmp", "ERR_FILE_NOT_FOUND (-6) loading 'file:///tmp'");
        check("tmp/?x", "ERR_FILE_NOT_FOUND (-6) loading 'file:///tmp'");
        assert_eq!(
            resolve_file(Path::new("/"), Path::new("tmp")).unwrap_err().to_string(),
            "ERR_FILE_NOT_FOUND (-6) loading 'file:///tmp'"
        );
    }

    #[test]
    fn a_load_ends_once_and_only_as_itself() {
        let mut loads = Loads::default();
        let (queue, mut queued) = queue();
        let queue = queue.of(ContentsId(1));
        let mut tell = || {
            while let Some(Queued::Settle(tell)) = queued.try_recv() {
                tell();
            }
        };
        let (one, mut first) = loads.begin("a", &queue);
        let (two, mut second) = loads.begin("b", &queue);
        assert!(first.0.try_recv().is_err(), "before the program's queue has got there");
        tell();
        assert_eq!(first.0.try_recv().unwrap(), Err(LoadError::aborted("a")));
        loads.settle(one, Ok(()));
        tell();
        assert!(second.0.try_recv().is_err());
        assert_eq!(loads.current(), Some(two));
        loads.settle(two, Ok(()));
        tell();
        assert_eq!(second.0.try_recv().unwrap(), Ok(()));
        assert_eq!(loads.current(), None);
    }

    #[test]
    fn errors_read_as_programs_expect() {
        assert_eq!(LoadError::aborted("file:///x").to_string(), "ERR_ABORTED (-3) loading 'file:///x'");
    }
}
