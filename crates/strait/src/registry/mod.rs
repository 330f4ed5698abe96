//! The registry: agents, their pages, frames and documents, made from checked reports only.
//!
//! Pure bookkeeping. An agent's ids are searched only among that agent's own pages, frames and
//! documents. Every other id results in `None`, and the caller ignores the message.

use std::{collections::HashMap, sync::Arc};

use crate::event::DocumentId;

/// The limit of frames of one agent at a time.
pub(crate) const MAX_FRAMES_PER_AGENT: usize = 10_000;
/// The greatest depth of nested frames, the main frame included. Code that walks a tree of frames
/// may therefore recurse.
pub(crate) const MAX_FRAME_DEPTH: usize = 128;
/// The limit of documents of one agent at a time (one for each frame, and those that are being
/// replaced).
pub(crate) const MAX_DOCUMENTS_PER_AGENT: usize = 20_000;
/// The limit of bytes in URLs, origins and names of one agent's documents together.
pub(crate) const MAX_TEXT_PER_AGENT: usize = 64 << 20;
/// The limit of pages of one agent at a time (popups share their opener's process).
pub(crate) const MAX_PAGES_PER_AGENT: usize = 64;

/// A window's number, from 1, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WindowId(pub(crate) u32);

/// A page's number (Electron's `webContents.id`), from 1, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentsId(pub(crate) u32);

/// A frame's number, from 1, never reused. A page's main frame keeps its number for the page's
/// life. Another frame keeps it across documents until it is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FrameKey(pub(crate) u64);

/// An admitted renderer process, numbered from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct AgentId(pub(crate) u64);

impl WindowId {
    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl ContentsId {
    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl FrameKey {
    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

/// A frame and its present document.
#[derive(Debug, Clone, Default)]
pub(crate) struct PageFrame {
    pub(crate) parent: Option<FrameKey>,
    pub(crate) children: Vec<FrameKey>,
    /// The number of frames around it.
    depth: usize,
    pub(crate) agent: Option<AgentId>,
    wire: u64,
    pub(crate) contents: u32,
    pub(crate) document: Option<DocumentId>,
    /// Its document was unloaded and has no successor yet.
    pub(crate) left: bool,
    /// The frame was reported to the program.
    introduced: bool,
}

/// A document: its frame, and its agent's id for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) id: DocumentId,
    pub(crate) agent: AgentId,
    pub(crate) wire: u64,
    pub(crate) frame: FrameKey,
    pub(crate) contents: ContentsId,
    pub(crate) url: Arc<str>,
    pub(crate) origin: Arc<str>,
    /// The frame's name.
    pub(crate) name: Arc<str>,
    pub(crate) main_frame: bool,
    /// The number of the view's commit that it is bound to; 0 for frames in the page.
    pub(crate) generation: u64,
    /// Its `pagehide` event has fired.
    pub(crate) leaving: bool,
}

/// The document that sent a message. It decides whether a later document of its frame may count as
/// the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderDocument {
    id: DocumentId,
    pub(crate) origin: Arc<str>,
    leaving: bool,
}

impl SenderDocument {
    /// The document of [an event](crate::IpcMessage), from its fields `document`, `origin` and
    /// `leaving`.
    pub fn new(id: DocumentId, origin: impl Into<Arc<str>>, leaving: bool) -> Self {
        Self { id, origin: origin.into(), leaving }
    }

    /// Whether a document of the same frame is the sender itself, or a later one with the sender's
    /// origin. An opaque origin equals no other.
    pub(crate) fn is_succeeded_by(&self, document: &Document) -> bool {
        document.id == self.id || (!self.leaving && *self.origin != *"null" && document.origin == self.origin)
    }
}

/// An agent's report of a new document.
#[derive(Debug, Clone)]
pub(crate) struct NewDocument {
    pub(crate) page: u64,
    pub(crate) document: u64,
    pub(crate) frame: u64,
    pub(crate) parent: Option<u64>,
    pub(crate) url: Arc<str>,
    pub(crate) origin: Arc<str>,
    pub(crate) name: String,
    /// See [`Document::generation`].
    pub(crate) generation: u64,
}

/// A removed document or frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Gone {
    Document(Document),
    Frame(FrameKey, ContentsId),
}

#[derive(Debug, Default)]
struct Agent {
    pid: i32,
    /// Whether it runs in the operating system's sandbox.
    confined: bool,
    pages: HashMap<u64, ContentsId>,
    frames: HashMap<u64, FrameKey>,
    documents: HashMap<u64, DocumentId>,
    /// The bytes of the documents' texts.
    text: usize,
}

#[derive(Debug)]
struct Contents {
    main: FrameKey,
    page: Option<(AgentId, u64)>,
}

/// The whole registry.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    agents: HashMap<AgentId, Agent>,
    contents: HashMap<ContentsId, Contents>,
    frames: HashMap<FrameKey, PageFrame>,
    documents: HashMap<DocumentId, Document>,
    last_agent: u64,
    last_frame: u64,
    last_document: u64,
}

impl Registry {
    /// Adds a page that no process shows yet; returns its main frame.
    pub(crate) fn add_contents(&mut self, id: ContentsId) -> FrameKey {
        let main = self.next_frame();
        self.frames.insert(main, PageFrame { contents: id.0, ..PageFrame::default() });
        self.contents.insert(id, Contents { main, page: None });
        main
    }

    /// Removes a page.
    pub(crate) fn remove_contents(&mut self, id: ContentsId) -> Vec<Gone> {
        let mut gone = Vec::new();
        self.unbind(id, &mut gone);
        if let Some(contents) = self.contents.remove(&id) {
            self.frames.remove(&contents.main);
            gone.push(Gone::Frame(contents.main, id));
        }
        gone
    }

    /// Adds an admitted process.
    pub(crate) fn add_agent(&mut self, pid: i32, confined: bool) -> AgentId {
        self.last_agent += 1;
        let id = AgentId(self.last_agent);
        self.agents.insert(id, Agent { pid, confined, ..Agent::default() });
        id
    }

    /// Removes a process that has ended, with its pages' frames and documents.
    pub(crate) fn remove_agent(&mut self, id: AgentId) -> Vec<Gone> {
        let mut gone = Vec::new();
        let pages: Vec<ContentsId> = self.agents.get(&id).map(|agent| agent.pages.values().copied().collect()).unwrap_or_default();
        for contents in pages {
            self.unbind(contents, &mut gone);
        }
        self.agents.remove(&id);
        gone
    }

    /// Binds `page` of `agent` to the view of `contents`; the caller has checked the nonce. `None`:
    /// refused.
    pub(crate) fn bind_page(&mut self, agent: AgentId, page: u64, contents: ContentsId) -> Option<Vec<Gone>> {
        let record = self.agents.get(&agent)?;
        if !self.contents.contains_key(&contents) || record.pages.contains_key(&page) || record.pages.len() >= MAX_PAGES_PER_AGENT {
            return None;
        }
        let mut gone = Vec::new();
        self.unbind(contents, &mut gone);
        self.agents.get_mut(&agent)?.pages.insert(page, contents);
        self.contents.get_mut(&contents)?.page = Some((agent, page));
        Some(gone)
    }

    /// Adds a new document. It replaces the frame's former one, whose child frames are removed with
    /// it.
    pub(crate) fn document_created(&mut self, agent: AgentId, new: NewDocument) -> Option<(Document, Vec<Gone>)> {
        let record = self.agents.get(&agent)?;
        let contents = *record.pages.get(&new.page)?;
        let text = new.url.len() + new.origin.len() + new.name.len();
        if record.documents.contains_key(&new.document)
            || record.documents.len() >= MAX_DOCUMENTS_PER_AGENT
            || record.text + text > MAX_TEXT_PER_AGENT
        {
            return None;
        }
        let frame = self.place_frame(agent, contents, &new)?;
        let mut gone = Vec::new();
        for child in self.frames.get_mut(&frame)?.children.split_off(0) {
            self.remove_frame(child, &mut gone);
        }
        self.last_document += 1;
        let id = DocumentId(self.last_document);
        let main_frame = new.parent.is_none();
        let document = Document {
            id,
            agent,
            wire: new.document,
            frame,
            contents,
            url: new.url,
            origin: new.origin,
            name: new.name.into(),
            main_frame,
            generation: new.generation,
            leaving: false,
        };
        let record = self.frames.get_mut(&frame)?;
        (record.document, record.left) = (Some(id), false);
        self.documents.insert(id, document.clone());
        let record = self.agents.get_mut(&agent)?;
        record.documents.insert(new.document, id);
        record.text += text;
        Some((document, gone))
    }

    /// A document was unloaded, possibly with its frame.
    pub(crate) fn document_gone(&mut self, agent: AgentId, document: u64, frame_gone: bool) -> Option<Vec<Gone>> {
        let document = self.document_of(agent, document)?.clone();
        let mut gone = Vec::new();
        let current = self.frames.get(&document.frame).is_some_and(|frame| frame.document == Some(document.id));
        if current && let Some(frame) = self.frames.get_mut(&document.frame) {
            (frame.document, frame.left) = (None, true);
            for child in std::mem::take(&mut frame.children) {
                self.remove_frame(child, &mut gone);
            }
        }
        self.drop_document(document.id, &mut gone);
        if frame_gone && current && !document.main_frame {
            self.remove_frame(document.frame, &mut gone);
        }
        Some(gone)
    }

    /// A document is being unloaded.
    pub(crate) fn document_leaving(&mut self, agent: AgentId, document: u64) {
        let id = self.document_of(agent, document).map(|document| document.id);
        if let Some(document) = id.and_then(|id| self.documents.get_mut(&id)) {
            document.leaving = true;
        }
    }

    /// The main document of a page, bound to this commit, has changed its URL.
    pub(crate) fn moved(&mut self, contents: ContentsId, generation: u64, url: &str) {
        let current = self.main_frame(contents).and_then(|main| self.document_in(main)).map(|document| document.id);
        let document = current.and_then(|id| self.documents.get_mut(&id)).filter(|document| document.generation == generation);
        if let Some(document) = document
            && let Some(agent) = self.agents.get_mut(&document.agent)
        {
            agent.text = agent.text - document.url.len() + url.len();
            document.url = url.into();
        }
    }

    /// Whether a frame shows the sender of a message or a document that counts as the sender, or
    /// has shown nothing since.
    pub(crate) fn shows_sender(&self, key: FrameKey, sender: &SenderDocument) -> bool {
        let shows = |document: DocumentId| self.documents.get(&document).is_none_or(|document| sender.is_succeeded_by(document));
        self.frames.get(&key).is_some_and(|frame| frame.document.is_none_or(shows))
    }

    /// The document with an agent's id `document`, if it is that agent's own.
    pub(crate) fn document_of(&self, agent: AgentId, document: u64) -> Option<&Document> {
        self.documents.get(self.agents.get(&agent)?.documents.get(&document)?)
    }

    /// The page with an agent's id `page`.
    pub(crate) fn contents_of(&self, agent: AgentId, page: u64) -> Option<ContentsId> {
        self.agents.get(&agent)?.pages.get(&page).copied()
    }

    /// True once for each frame: the caller will report it to the program.
    pub(crate) fn introduce(&mut self, key: FrameKey) -> bool {
        self.frames.get_mut(&key).is_some_and(|frame| !std::mem::replace(&mut frame.introduced, true))
    }

    /// A frame that still exists.
    pub(crate) fn frame(&self, key: FrameKey) -> Option<&PageFrame> {
        self.frames.get(&key)
    }

    /// The document that a frame shows now.
    pub(crate) fn document_in(&self, key: FrameKey) -> Option<&Document> {
        self.documents.get(&self.frames.get(&key)?.document?)
    }

    /// A document that still exists.
    pub(crate) fn document(&self, id: DocumentId) -> Option<&Document> {
        self.documents.get(&id)
    }

    /// The main frame of a page.
    pub(crate) fn main_frame(&self, contents: ContentsId) -> Option<FrameKey> {
        Some(self.contents.get(&contents)?.main)
    }

    /// The process that shows a page, and that process's id for it.
    pub(crate) fn page(&self, contents: ContentsId) -> Option<(AgentId, u64)> {
        self.contents.get(&contents)?.page
    }

    /// The page with WebKit's number `page`; these numbers are unique among all processes.
    pub(crate) fn contents_with(&self, page: u64) -> Option<ContentsId> {
        self.contents.iter().find(|(_, contents)| contents.page.is_some_and(|(_, shown)| shown == page)).map(|(id, _)| *id)
    }

    /// The pages that a process shows.
    pub(crate) fn contents_in(&self, agent: AgentId) -> Vec<ContentsId> {
        self.agents.get(&agent).map(|agent| agent.pages.values().copied().collect()).unwrap_or_default()
    }

    /// The number of pages that a process shows.
    pub(crate) fn page_count(&self, agent: AgentId) -> usize {
        self.agents.get(&agent).map_or(0, |agent| agent.pages.len())
    }

    /// A process's id in the system.
    pub(crate) fn pid(&self, agent: AgentId) -> Option<i32> {
        Some(self.agents.get(&agent)?.pid)
    }

    /// Whether a process is in the operating system's sandbox.
    pub(crate) fn is_confined(&self, agent: AgentId) -> bool {
        self.agents.get(&agent).is_some_and(|agent| agent.confined)
    }

    fn next_frame(&mut self) -> FrameKey {
        self.last_frame += 1;
        FrameKey(self.last_frame)
    }

    fn place_frame(&mut self, agent: AgentId, contents: ContentsId, new: &NewDocument) -> Option<FrameKey> {
        let known = self.agents.get(&agent)?.frames.get(&new.frame).copied();
        if let Some(known) = known {
            // A frame never moves to another page or parent.
            let frame = self.frames.get(&known)?;
            let parent = new.parent.and_then(|parent| self.agents.get(&agent)?.frames.get(&parent).copied());
            return (frame.contents == contents.0 && frame.parent == parent).then_some(known);
        }
        if self.agents.get(&agent)?.frames.len() >= MAX_FRAMES_PER_AGENT {
            return None;
        }
        let key = match new.parent {
            None => {
                let main = self.contents.get(&contents)?.main;
                let frame = self.frames.get_mut(&main)?;
                let former = std::mem::replace(&mut frame.wire, new.frame);
                if frame.agent.replace(agent) == Some(agent) {
                    self.agents.get_mut(&agent)?.frames.remove(&former);
                }
                main
            }
            Some(parent) => {
                let parent = *self.agents.get(&agent)?.frames.get(&parent)?;
                let around = self.frames.get(&parent)?;
                let depth = around.depth + 1;
                if around.contents != contents.0 || depth >= MAX_FRAME_DEPTH {
                    return None;
                }
                let key = self.next_frame();
                let frame = PageFrame {
                    parent: Some(parent),
                    depth,
                    agent: Some(agent),
                    wire: new.frame,
                    contents: contents.0,
                    ..PageFrame::default()
                };
                self.frames.insert(key, frame);
                self.frames.get_mut(&parent)?.children.push(key);
                key
            }
        };
        self.agents.get_mut(&agent)?.frames.insert(new.frame, key);
        Some(key)
    }

    fn drop_document(&mut self, id: DocumentId, gone: &mut Vec<Gone>) {
        if let Some(document) = self.documents.remove(&id) {
            if let Some(agent) = self.agents.get_mut(&document.agent) {
                agent.documents.remove(&document.wire);
                agent.text -= document.url.len() + document.origin.len() + document.name.len();
            }
            gone.push(Gone::Document(document));
        }
    }

    /// Removes a frame and all its descendants, the inner ones first.
    fn remove_frame(&mut self, key: FrameKey, gone: &mut Vec<Gone>) {
        if let Some(parent) = self.frames.get(&key).and_then(|frame| frame.parent).and_then(|parent| self.frames.get_mut(&parent)) {
            parent.children.retain(|child| *child != key);
        }
        // Without recursion, because the agent chooses the depth.
        let (mut found, mut stack) = (Vec::new(), vec![key]);
        while let Some(key) = stack.pop() {
            let Some(frame) = self.frames.remove(&key) else { continue };
            stack.extend(&frame.children);
            found.push((key, frame));
        }
        for (key, frame) in found.into_iter().rev() {
            if let Some(agent) = frame.agent.and_then(|agent| self.agents.get_mut(&agent)) {
                agent.frames.remove(&frame.wire);
            }
            if let Some(document) = frame.document {
                self.drop_document(document, gone);
            }
            gone.push(Gone::Frame(key, ContentsId(frame.contents)));
        }
    }

    /// Removes the binding of a page to its process; its main frame stays, without a document.
    fn unbind(&mut self, contents: ContentsId, gone: &mut Vec<Gone>) {
        let Some(record) = self.contents.get_mut(&contents) else { return };
        let main = record.main;
        let Some((agent, page)) = record.page.take() else { return };
        if let Some(frame) = self.frames.get_mut(&main) {
            frame.document = None;
            frame.agent = None;
            for child in std::mem::take(&mut frame.children) {
                self.remove_frame(child, gone);
            }
        }
        // Includes documents that were about to be replaced, in any frame.
        let mut left: Vec<DocumentId> =
            self.documents.values().filter(|d| d.contents == contents && d.agent == agent).map(|d| d.id).collect();
        left.sort_unstable();
        for id in left {
            self.drop_document(id, gone);
        }
        if let Some(agent) = self.agents.get_mut(&agent) {
            agent.pages.remove(&page);
            agent.frames.retain(|_, key| *key != main);
        }
    }
}

#[cfg(test)]
mod tests;
