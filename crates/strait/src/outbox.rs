//! Messages from main to a page around a navigation: held until their document is certain.
//!
//! A message that is sent right after `load_url` belongs to the document of that load. So a load
//! closes the outbox. The next document of the main frame opens it, and so does the report that
//! there will be no document. In that case the messages go to the present one.

use std::collections::VecDeque;

use crate::loading::is_blank;

/// The state of one page's outbox; `T` is a held message.
#[derive(Debug)]
pub(crate) struct Outbox<T> {
    held: VecDeque<T>,
    awaited: Option<Awaited>,
}

#[derive(Debug)]
struct Awaited {
    load: u64,
    /// The load is of a blank page, so a blank document may be its result.
    blank: bool,
}

impl<T> Default for Outbox<T> {
    fn default() -> Self {
        Self { held: VecDeque::new(), awaited: None }
    }
}

impl<T> Outbox<T> {
    /// Load number `load` begins: messages are held from now on.
    pub(crate) fn load_begins(&mut self, load: u64, url: &str) {
        self.awaited = Some(Awaited { load, blank: is_blank(url) });
    }

    /// The main frame has a new document; returns the messages to send to it now.
    pub(crate) fn document_created(&mut self, url: &str) -> Vec<T> {
        if self.awaited.as_ref().is_some_and(|awaited| is_blank(url) && !awaited.blank) {
            return Vec::new();
        }
        self.awaited = None;
        self.held.drain(..).collect()
    }

    /// Load number `load` brings no document (it failed, or stayed in the present one); returns the
    /// messages to send to the present one.
    pub(crate) fn no_document(&mut self, load: u64) -> Vec<T> {
        if self.awaited.as_ref().is_none_or(|awaited| awaited.load != load) {
            return Vec::new();
        }
        self.awaited = None;
        self.held.drain(..).collect()
    }

    /// There will be no document; returns the messages that wait for one.
    pub(crate) fn abandon(&mut self) -> Vec<T> {
        self.awaited = None;
        self.held.drain(..).collect()
    }

    /// Whether a message must wait.
    pub(crate) fn is_held(&self) -> bool {
        self.awaited.is_some() || !self.held.is_empty()
    }

    /// Holds a message.
    pub(crate) fn hold(&mut self, message: T) {
        self.held.push_back(message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "file:///page.html";

    #[test]
    fn a_load_holds_until_its_document_comes() {
        let mut outbox = Outbox::default();
        assert!(!outbox.is_held());
        outbox.load_begins(1, PAGE);
        assert!(outbox.is_held());
        outbox.hold("a");
        outbox.hold("b");
        // The document with which a new view begins.
        assert!(outbox.document_created("about:blank").is_empty());
        assert!(outbox.document_created("").is_empty());
        // The URL after a redirect.
        assert_eq!(outbox.document_created("file:///other.html"), ["a", "b"]);
        assert!(!outbox.is_held());
    }

    #[test]
    fn a_blank_page_can_be_what_was_asked_for() {
        let mut outbox = Outbox::default();
        outbox.load_begins(1, "about:blank");
        outbox.hold(1);
        assert_eq!(outbox.document_created("about:blank"), [1]);
    }

    #[test]
    fn a_failed_load_gives_everything_to_the_present_document() {
        let mut outbox = Outbox::default();
        outbox.load_begins(1, PAGE);
        outbox.hold(1);
        outbox.load_begins(2, PAGE);
        outbox.hold(2);
        // The failure of the first load has no effect, because the second one is awaited.
        assert!(outbox.no_document(1).is_empty());
        assert!(outbox.is_held());
        assert_eq!(outbox.no_document(2), [1, 2]);
        assert!(!outbox.is_held());
    }

    #[test]
    fn what_waits_between_two_documents_goes_to_the_next() {
        let mut outbox = Outbox::default();
        outbox.hold(1);
        assert!(outbox.is_held());
        assert!(outbox.no_document(0).is_empty());
        assert_eq!(outbox.document_created("about:blank"), [1]);
        outbox.hold(2);
        assert_eq!(outbox.abandon(), [2]);
        assert!(!outbox.is_held());
    }
}
