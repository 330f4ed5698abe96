//! The URL of each main-frame document, as the UI process reports it.
//!
//! WebKit reports a commit to the view; the agent reports the document over its own socket. These
//! two are unordered. So the agent also sends a [`DocumentBinding`] through WebKit, which delivers
//! it behind the commit of that document. The binding ties the document to the URL that is
//! committed when the binding arrives. Until then the I/O thread reads nothing further from that
//! agent.
//!
//! Pure bookkeeping; the UI thread writes, the I/O thread reads.

use std::{collections::VecDeque, sync::Arc};

use strait_protocol::{DocumentBinding, Nonce};
use url::Url;

use crate::loading::is_blank;

/// The limit of one page's bindings whose documents the I/O thread has not processed; a further one
/// replaces the oldest.
const MAX_BINDINGS: usize = 64;

/// An opaque origin.
const OPAQUE: &str = "null";

/// A committed URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// The number of the commit within its page.
    pub(crate) generation: u64,
    pub(crate) url: Arc<str>,
    /// The origin that a blank document may have: that of the preceding document, or of its opener.
    inherited: Arc<str>,
}

/// The result for a document that an agent has reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bound {
    /// Its URL is this one.
    To(Address),
    /// A later document is bound and this one never was: it was never committed.
    Never,
    /// Its binding may still be under way.
    NotYet,
}

/// The commits of one page.
#[derive(Debug)]
pub(crate) struct Commits {
    present: Address,
    /// The nonce that the page's present process has shown.
    pub(crate) nonce: Nonce,
    /// The newest binding.
    newest: Option<DocumentBinding>,
    waiting: VecDeque<(DocumentBinding, Address)>,
}

impl Default for Commits {
    fn default() -> Self {
        Self::opened_by(None)
    }
}

impl Commits {
    /// The commits of a new page, opened by another page or by the program.
    pub(crate) fn opened_by(opener: Option<&Self>) -> Self {
        let inherited = opener.map_or_else(|| OPAQUE.into(), |opener| opener.present.full_origin());
        let present = Address { generation: 0, url: "".into(), inherited };
        Self { present, nonce: Nonce::default(), newest: None, waiting: VecDeque::new() }
    }

    /// The URL that is committed now; empty before the first commit.
    pub(crate) fn url(&self) -> &str {
        &self.present.url
    }

    /// The view has committed a document with this URL.
    pub(crate) fn committed(&mut self, url: &str) {
        let inherited = if is_blank(url) { self.present.full_origin() } else { OPAQUE.into() };
        self.present = Address { generation: self.present.generation + 1, url: url.into(), inherited };
    }

    /// The view shows another URL, though no load is under way. So the document changed its URL, if
    /// it may have this one. Returns the commit's number.
    pub(crate) fn moved(&mut self, url: &str) -> Option<u64> {
        if *self.present.url == *url || !may_become(&self.present.url, url) {
            return None;
        }
        self.present.url = url.into();
        let present = &self.present;
        for (_, address) in self.waiting.iter_mut().filter(|(_, address)| address.generation == present.generation) {
            address.clone_from(present);
        }
        Some(present.generation)
    }

    /// A binding has arrived: its document is the one that is committed now. A document is bound
    /// once, and never after a later one.
    pub(crate) fn bind(&mut self, binding: DocumentBinding) {
        let stale = |newest: DocumentBinding| newest.nonce == binding.nonce && newest.document >= binding.document;
        if self.newest.is_some_and(stale) {
            return;
        }
        self.newest = Some(binding);
        if self.waiting.len() == MAX_BINDINGS {
            self.waiting.pop_front();
        }
        self.waiting.push_back((binding, self.present.clone()));
    }

    /// The binding of a document of the page's present process. An answer other than
    /// [`Bound::NotYet`] is final: the binding is used up.
    pub(crate) fn take(&mut self, document: u64) -> Bound {
        let nonce = self.nonce;
        let place = self.waiting.iter().position(|(binding, _)| binding.nonce == nonce && binding.document == document);
        if let Some((_, address)) = place.and_then(|place| self.waiting.drain(..=place).next_back()) {
            return Bound::To(address);
        }
        let passed = self.newest.is_some_and(|newest| newest.nonce == nonce && newest.document >= document);
        if passed { Bound::Never } else { Bound::NotYet }
    }
}

impl Address {
    /// The address of a document that was never committed.
    pub(crate) fn unknown() -> Self {
        Self { generation: 0, url: "".into(), inherited: OPAQUE.into() }
    }

    /// The document's origin. Its process may claim that it is opaque (a sandboxed document), or
    /// that a blank document has the origin that it inherits.
    pub(crate) fn origin(&self, claimed: &str) -> Arc<str> {
        if claimed == OPAQUE {
            return OPAQUE.into();
        }
        let full = self.full_origin();
        if is_blank(&self.url) && *full != *claimed { OPAQUE.into() } else { full }
    }

    fn full_origin(&self) -> Arc<str> {
        if is_blank(&self.url) {
            return self.inherited.clone();
        }
        match Url::parse(&self.url) {
            Ok(url) if url.scheme() == "file" => "file://".into(),
            Ok(url) => url.origin().ascii_serialization().into(),
            Err(_) => OPAQUE.into(),
        }
    }
}

/// Whether a document can change its URL from `from` to `to`: by its fragment, or by
/// `history.pushState`, which keeps the origin.
fn may_become(from: &str, to: &str) -> bool {
    let (Ok(from), Ok(to)) = (Url::parse(from), Url::parse(to)) else { return false };
    if from.scheme() == "file" || from.origin().is_tuple() {
        return from.scheme() == to.scheme() && from.origin().ascii_serialization() == to.origin().ascii_serialization();
    }
    let whole = |url: &Url| url.as_str().split('#').next().map(str::to_owned);
    whole(&from) == whole(&to)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: Nonce = [1; 16];

    fn binding(document: u64) -> DocumentBinding {
        DocumentBinding { nonce: NONCE, document }
    }

    fn commits() -> Commits {
        Commits { nonce: NONCE, ..Commits::default() }
    }

    fn url(bound: Bound) -> String {
        match bound {
            Bound::To(address) => address.url.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_document_has_the_url_that_was_committed_when_its_binding_came() {
        let mut commits = commits();
        assert_eq!(commits.take(1), Bound::NotYet);
        commits.committed("https://a.test/");
        assert_eq!(commits.take(1), Bound::NotYet);
        commits.bind(binding(1));
        commits.committed("https://b.test/");
        commits.bind(binding(2));
        assert_eq!(url(commits.take(1)), "https://a.test/");
        assert_eq!(url(commits.take(2)), "https://b.test/");
    }

    #[test]
    fn a_document_is_bound_once_and_never_after_a_later_one() {
        let mut commits = commits();
        commits.committed("https://a.test/");
        commits.bind(binding(2));
        commits.committed("https://b.test/");
        commits.bind(binding(2));
        commits.bind(binding(1));
        assert_eq!(url(commits.take(2)), "https://a.test/");
        assert_eq!((commits.take(1), commits.take(2)), (Bound::Never, Bound::Never));
        assert_eq!(commits.take(3), Bound::NotYet);
    }

    #[test]
    fn another_process_has_another_nonce() {
        let mut commits = commits();
        commits.committed("https://a.test/");
        commits.bind(DocumentBinding { nonce: [2; 16], document: 1 });
        assert_eq!(commits.take(1), Bound::NotYet);
        commits.nonce = [2; 16];
        assert_eq!(url(commits.take(1)), "https://a.test/");
    }

    #[test]
    fn waiting_bindings_are_bounded() {
        let mut commits = commits();
        for document in 1..=MAX_BINDINGS as u64 + 1 {
            commits.bind(binding(document));
        }
        assert_eq!(commits.waiting.len(), MAX_BINDINGS);
        assert_eq!(commits.take(1), Bound::Never);
    }

    #[test]
    fn a_document_changes_its_url_within_its_origin() {
        let mut commits = commits();
        commits.committed("https://a.test/");
        commits.bind(binding(1));
        assert_eq!(commits.moved("https://b.test/"), None);
        assert_eq!(commits.moved("https://a.test/"), None, "the same one");
        assert_eq!(commits.moved("https://a.test/x#y"), Some(1));
        assert_eq!(url(commits.take(1)), "https://a.test/x#y");
        for (from, to, may) in [
            ("file:///a.html", "file:///a.html#x", true),
            ("file:///a.html", "https://a.test/", false),
            ("data:text/html,x", "data:text/html,x#y", true),
            ("data:text/html,x", "data:text/html,y", false),
            ("https://a.test/", "https://a.test:8443/", false),
            ("https://a.test/", "blob:https://a.test/1", false),
            ("about:blank", "about:blank#x", true),
            ("", "https://a.test/", false),
        ] {
            assert_eq!(may_become(from, to), may, "{from} {to}");
        }
    }

    #[test]
    fn an_origin_is_the_urls_whatever_the_process_says() {
        let origin = |url: &str, claimed: &str| {
            let mut commits = commits();
            commits.committed(url);
            commits.present.origin(claimed).to_string()
        };
        assert_eq!(origin("https://a.test/x", "https://bank.test"), "https://a.test");
        assert_eq!(origin("https://a.test/x", "null"), "null", "a document may be sandboxed");
        assert_eq!(origin("blob:https://a.test/1", "https://bank.test"), "https://a.test");
        assert_eq!(origin("data:text/html,x", "https://bank.test"), "null");
        assert_eq!(origin("file:///a.html", "https://bank.test"), "file://");
        assert_eq!(origin("about:blank", "https://bank.test"), "null");
    }

    #[test]
    fn a_blank_document_inherits_the_origin_of_its_opener_or_of_the_document_before() {
        let mut opener = commits();
        opener.committed("https://a.test/");
        let popup = Commits::opened_by(Some(&opener));
        assert_eq!(&*popup.present.origin("https://a.test"), "https://a.test");
        assert_eq!(&*popup.present.origin("https://b.test"), "null");
        opener.committed("about:blank");
        assert_eq!(&*opener.present.origin("https://a.test"), "https://a.test");
        opener.committed("https://b.test/");
        opener.committed("about:blank");
        assert_eq!(&*opener.present.origin("https://a.test"), "null");
    }
}
