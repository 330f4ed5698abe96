//! Agents that lie about the URLs of their documents.

use strait_protocol::DocumentBinding;

use super::*;
use crate::{IpcMessage, quota::MAX_BACKLOG_BYTES};

const EVIL: &str = "https://evil.test/";
const BANK: &str = "https://bank.test/";

/// A report of a main-frame document of page 1, in frame 1.
fn claim(document: u64, url: &str) -> ToMain {
    let origin = url.trim_end_matches('/').into();
    ToMain::DocumentCreated { page: 1, document, frame: 1, parent: None, url: url.into(), origin, name: String::new() }
}

impl Main {
    /// An agent for the window's page, which the view has not committed anything in, and the view's nonce.
    fn bound(&self, window: &BrowserWindow) -> (Agent, Nonce) {
        let (agent, nonce) = (self.agent(), self.nonce(window));
        agent.say(&ToMain::PageBound { nonce, page: 1 });
        (agent, nonce)
    }

    fn message(&mut self) -> IpcMessage {
        let AppEvent::Ipc(message) = self.until(|event| matches!(event, AppEvent::Ipc(_))) else { unreachable!() };
        message
    }

    /// Waits until a document was reported; gives its URL.
    fn created(&mut self) -> String {
        let event = self.until(|event| matches!(event, AppEvent::Frame { event: FrameEvent::DocumentCreated { .. }, .. }));
        let AppEvent::Frame { event: FrameEvent::DocumentCreated { url, .. }, .. } = event else { unreachable!() };
        url
    }
}

#[test]
fn a_forged_url_is_not_believed() {
    let mut main = Main::start();
    let window = main.window();
    let (agent, nonce) = main.bound(&window);
    main.commits(&window, nonce, 1, EVIL);
    agent.say(&claim(1, BANK));
    agent.say(&ipc(1, IpcKind::Send));
    assert_eq!(main.created(), EVIL);
    let message = main.message();
    assert_eq!((&*message.url, &*message.origin), (EVIL, "https://evil.test"));
    let frame = window.web_contents().main_frame();
    assert_eq!((frame.url().as_str(), frame.origin().as_str()), (EVIL, "https://evil.test"));
}

#[test]
fn messages_wait_in_order_for_the_commit_of_their_document() {
    let mut main = Main::start();
    let window = main.window();
    let (agent, nonce) = main.bound(&window);
    agent.say(&claim(1, BANK));
    agent.say(&ipc(1, IpcKind::Send));
    agent.say(&ToMain::DocumentReady { document: 1 });
    // Another agent's messages do not wait, and ours are there by then.
    let other = main.window();
    let honest = main.shown(&other);
    let early = main.settled(&honest);
    assert!(early.is_empty(), "{early:?}");
    main.commits(&window, nonce, 1, EVIL);
    let order: Vec<String> = std::iter::repeat_with(|| main.until(|_| true))
        .filter_map(|event| match event {
            AppEvent::Frame { event: FrameEvent::DocumentCreated { url, .. }, .. } => Some(url),
            AppEvent::Ipc(message) => Some(message.url.to_string()),
            AppEvent::Frame { event: FrameEvent::DomReady { .. }, .. } => Some("ready".into()),
            _ => None,
        })
        .take(3)
        .collect();
    assert_eq!(order, [EVIL, EVIL, "ready"]);
}

#[test]
fn an_old_document_keeps_its_url() {
    let mut main = Main::start();
    let window = main.window();
    let (agent, nonce) = main.bound(&window);
    main.commits(&window, nonce, 1, EVIL);
    agent.say(&claim(1, EVIL));
    main.created();
    // The page's process names the old document again, at the next commit.
    main.commits(&window, nonce, 1, BANK);
    agent.say(&ipc(1, IpcKind::Send));
    assert_eq!(&*main.message().url, EVIL);
    assert_eq!(window.web_contents().main_frame().url(), EVIL);
}

#[test]
fn a_process_is_not_bound_to_what_another_one_commits() {
    let mut main = Main::start();
    let window = main.window();
    let (old, _) = main.bound(&window);
    main.settled(&old);
    old.say(&claim(1, BANK));
    old.say(&ipc(1, IpcKind::Send));
    // The view shows the next page in another process.
    let nonce = main.nonce(&window);
    main.commits(&window, nonce, 1, BANK);
    assert!(main.settled_or_waiting().is_empty());
    let new = main.agent();
    new.say(&ToMain::PageBound { nonce, page: 1 });
    new.say(&claim(1, BANK));
    assert_eq!(main.created(), BANK);
    new.say(&ipc(1, IpcKind::Send));
    let message = main.message();
    assert_eq!(message.frame.process_id(), new_id(&main));
    old.say(&ipc(1, IpcKind::Send));
    assert!(main.settled(&old).is_empty());
}

/// The number of the newest agent.
fn new_id(main: &Main) -> u64 {
    main.shared.state().agents.keys().map(|agent| agent.0).max().unwrap()
}

impl Main {
    /// What main says without any agent's doing, by now: another agent's messages have been handled meanwhile.
    fn settled_or_waiting(&mut self) -> Vec<AppEvent> {
        let witness = self.agent();
        self.settled(&witness)
    }
}

#[test]
fn an_agent_that_never_names_its_document_only_stops_itself() {
    let mut main = Main::start();
    let (window, other) = (main.window(), main.window());
    let (agent, _) = main.bound(&window);
    agent.say(&claim(1, BANK));
    agent.say(&ipc(1, IpcKind::Send));
    let honest = main.shown(&other);
    honest.say(&ipc(1, IpcKind::Send));
    assert_eq!(main.message().sender, other.web_contents());
    // After its end its messages are handled as those of a document without a URL.
    drop(agent);
    let message = main.message();
    assert_eq!((&*message.url, &*message.origin), ("", "null"));
    main.until(|event| matches!(event, AppEvent::Frame { event: FrameEvent::DocumentGone { .. }, .. }));
}

#[test]
fn an_agent_that_waits_and_floods_is_ended() {
    let mut main = Main::start();
    let window = main.window();
    let (agent, _) = main.bound(&window);
    agent.say(&claim(1, BANK));
    let payload = vec![0; 1 << 20];
    let flood = || ToMain::Ipc { document: 1, kind: IpcKind::Send, channel: "channel".into(), payload: payload.clone() };
    let started = Instant::now();
    let mut said = 0;
    while !agent.bootstrap.is_ended() && started.elapsed() < PATIENCE {
        if said < 2 * MAX_BACKLOG_BYTES {
            said += payload.len();
            let _ = agent.bootstrap.post(Message::new(strait_protocol::encode(&flood())));
        }
        let _ = agent.node.wait(Some(Duration::from_millis(1)));
    }
    assert!(agent.bootstrap.is_ended());
    main.until(
        |event| matches!(event, AppEvent::Contents { event: ContentsEvent::Console(message), .. } if message.text.contains("is ended")),
    );
}

#[test]
fn an_event_does_not_show_the_page_that_came_after_its_sender() {
    let mut main = Main::start();
    let window = main.window();
    let (agent, nonce) = main.bound(&window);
    main.commits(&window, nonce, 1, "https://a.test/one");
    agent.say(&claim(1, BANK));
    agent.say(&ipc(1, IpcKind::Send));
    let message = main.message();
    let frame = window.web_contents().main_frame();
    assert_eq!(message.sender_frame(), Some(frame.clone()));
    // The same document under another URL, then a document of the same origin.
    main.shared.moved(window.web_contents().id(), "https://a.test/pushed");
    assert_eq!((frame.url().as_str(), &*message.url), ("https://a.test/pushed", "https://a.test/one"));
    main.commits(&window, nonce, 2, "https://a.test/two");
    agent.say(&claim(2, BANK));
    main.created();
    assert_eq!(message.sender_frame(), Some(frame.clone()));
    // While a document goes it is detached, and its last messages do not show its successor.
    agent.say(&ToMain::DocumentLeaving { document: 2 });
    agent.say(&ipc(2, IpcKind::Send));
    let parting = main.message();
    assert!(parting.leaving && frame.is_detached());
    assert_eq!(parting.sender_frame(), Some(frame.clone()));
    main.commits(&window, nonce, 3, "https://a.test/three");
    agent.say(&claim(3, BANK));
    main.created();
    assert!(!frame.is_detached());
    assert_eq!((parting.sender_frame(), message.sender_frame()), (None, Some(frame.clone())));
    main.commits(&window, nonce, 4, BANK);
    agent.say(&claim(4, BANK));
    main.created();
    assert_eq!((message.sender_frame(), &*message.origin), (None, "https://a.test"));
}

#[test]
fn a_binding_of_nothing_does_nothing() {
    let mut main = Main::start();
    let window = main.window();
    let agent = main.shown(&window);
    main.shared.bind_document(ContentsId(77), DocumentBinding { nonce: [9; 16], document: 1 });
    main.shared.bind_document(window.web_contents().id(), DocumentBinding { nonce: [9; 16], document: 99 });
    assert!(main.settled(&agent).is_empty());
    assert_eq!(window.web_contents().main_frame().url(), "https://example.test/");
}
