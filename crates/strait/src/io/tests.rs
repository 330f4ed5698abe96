//! Hostile agents, on raw links to a running I/O thread. There is no display: commands to the UI
//! thread are only collected.

mod flood;
mod identity;
mod popups;
mod sandbox;
mod shortage;

use std::{
    os::fd::OwnedFd,
    path::PathBuf,
    sync::mpsc,
    time::{Duration, Instant},
};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, send, socket_with};
use strait_ports::{Event, Message, Node, Port};
use strait_protocol::{ConsoleLevel, DocumentBinding, IpcKind, Nonce, Outcome, ToAgent, ToMain};

use super::{IoCommand, IoThread};
use crate::{
    App, AppConfig, AppEvent, BrowserWindow, ContentsEvent, ContentsId, FrameEvent, IpcEventKind, ScriptError, WindowId, World,
    queue::{Entries, Queued, queue},
    runtime_dir::RuntimeDir,
    shared::{Claim, Shared, SharedRef},
    ui::{UiCommand, UiHandle},
};

/// The limit of any wait in these tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// Main without a display.
struct Main {
    shared: SharedRef,
    socket: PathBuf,
    events: Entries,
    commands: mpsc::Receiver<UiCommand>,
    thread: Option<IoThread>,
}

/// The agent's end of a link to main, with all of an agent's powers.
struct Agent {
    node: Node,
    bootstrap: Port,
}

impl Main {
    fn start() -> Self {
        let (queue, events) = queue();
        let (commands_in, commands) = mpsc::channel();
        let ui = UiHandle::new(move |command| drop(commands_in.send(command)));
        let (handle, inbox) = super::channel().unwrap();
        let shared = SharedRef::new(Shared::assemble(AppConfig::default(), Node::broker().unwrap(), ui, handle, queue, "/nowhere".into()));
        let folder = RuntimeDir::create().unwrap();
        let socket = folder.socket();
        let thread = Some(super::start(shared.clone(), inbox, folder).unwrap());
        Self { shared, socket, events, commands, thread }
    }

    fn window(&self) -> BrowserWindow {
        BrowserWindow::builder().build(&App(self.shared.clone()))
    }

    fn token(&self) -> Nonce {
        self.shared.state().tokens.issue().unwrap()
    }

    /// Makes a nonce, as the UI thread does before a view's first load.
    fn nonce(&self, window: &BrowserWindow) -> Nonce {
        let mut nonce = Nonce::default();
        getrandom::fill(&mut nonce).unwrap();
        let contents = window.web_contents().id();
        self.shared.state().view_nonces.insert(nonce, Claim { contents, epoch: 1 });
        nonce
    }

    /// Commits a document and binds it, as the view does when the page names its document.
    fn commits(&self, window: &BrowserWindow, nonce: Nonce, document: u64, url: &str) {
        let contents = window.web_contents().id();
        self.shared.committed(contents, url);
        self.shared.bind_document(contents, DocumentBinding { nonce, document });
    }

    fn connect(&self, token: &[u8]) -> OwnedFd {
        let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        connect(&socket, &SocketAddrUnix::new(&self.socket).unwrap()).unwrap();
        if !token.is_empty() {
            send(&socket, token, SendFlags::NOSIGNAL).unwrap();
        }
        socket
    }

    fn agent(&self) -> Agent {
        let (node, bootstrap) = Node::join(self.connect(&self.token())).unwrap();
        let Ok(Event::Message(first)) = bootstrap.recv_blocking(Some(PATIENCE)) else { panic!("an agent was not admitted") };
        let admitted: ToAgent = strait_protocol::decode(&first.data).unwrap();
        assert_eq!(admitted, ToAgent::Admitted { pid: std::process::id() });
        Agent { node, bootstrap }
    }

    /// An agent that shows the window's page, as page 1 with document 1 in frame 1.
    fn shown(&mut self, window: &BrowserWindow) -> Agent {
        self.shown_with(window).0
    }

    /// The same, with the view's nonce.
    fn shown_with(&mut self, window: &BrowserWindow) -> (Agent, Nonce) {
        let (agent, nonce) = (self.agent(), self.nonce(window));
        self.commits(window, nonce, 1, "https://example.test/");
        agent.say(&ToMain::PageBound { nonce, page: 1 });
        agent.say(&document(1, 1, 1, None));
        self.until(|event| matches!(event, AppEvent::Frame { event: FrameEvent::DocumentCreated { .. }, .. }));
        (agent, nonce)
    }

    /// Handles events up to one that fits, and returns it.
    fn until(&mut self, mut fits: impl FnMut(&AppEvent) -> bool) -> AppEvent {
        let started = Instant::now();
        loop {
            match self.events.try_recv() {
                Some(Queued::Event(event)) if fits(&event) => return event,
                Some(Queued::Settle(tell)) => tell(),
                Some(_) => {}
                None if started.elapsed() < PATIENCE => std::thread::yield_now(),
                None => panic!("no such event within {PATIENCE:?}"),
            }
        }
    }

    /// Waits until all messages of `agent` are handled; returns the events that they caused
    /// (without those of the marker).
    fn settled(&mut self, agent: &Agent) -> Vec<AppEvent> {
        let marker = self.window();
        // A page that only the marker uses.
        let page = 1000 + u64::from(marker.id().get());
        agent.say(&ToMain::PageBound { nonce: self.nonce(&marker), page });
        agent.say(&ToMain::Console { page, level: ConsoleLevel::Log, text: "marker".into(), source: String::new(), line: 0 });
        let mut seen = Vec::new();
        let started = Instant::now();
        loop {
            match self.events.try_recv() {
                Some(Queued::Event(AppEvent::Contents { contents, event: ContentsEvent::Console(_), .. }))
                    if contents == marker.web_contents() =>
                {
                    return seen;
                }
                // Windows of the program's own, the marker among them.
                Some(Queued::Event(AppEvent::WindowCreated { opened: None, .. })) => {}
                Some(Queued::Event(event)) => seen.push(event),
                Some(Queued::Settle(tell)) => tell(),
                Some(Queued::Started(_) | Queued::End(_)) => {}
                None if started.elapsed() > PATIENCE => panic!("the marker did not come within {PATIENCE:?}"),
                // A long message proceeds only while its sender is driven.
                None => drop(agent.node.wait(Some(Duration::from_millis(1)))),
            }
        }
    }
}

impl Drop for Main {
    fn drop(&mut self) {
        self.shared.io.send(IoCommand::Shutdown);
        if let Some(thread) = self.thread.take() {
            thread.join();
        }
    }
}

impl Agent {
    fn say(&self, message: &ToMain) {
        self.say_with(message, Vec::new());
    }

    fn say_with(&self, message: &ToMain, ports: Vec<Port>) {
        self.bootstrap.post(Message::with_ports(strait_protocol::encode(message), ports)).unwrap();
    }

    /// The next message of main.
    fn hears(&self) -> ToAgent {
        match self.bootstrap.recv_blocking(Some(PATIENCE)).unwrap() {
            Event::Message(message) => strait_protocol::decode(&message.data).unwrap(),
            Event::Close(reason) => panic!("main closed: {reason}"),
        }
    }

    /// Whether main has sent nothing so far; meaningful once main has settled.
    fn heard_nothing(&self) -> bool {
        let _ = self.node.wait(Some(Duration::from_millis(50)));
        self.bootstrap.try_recv().is_none()
    }
}

fn document(page: u64, document: u64, frame: u64, parent: Option<u64>) -> ToMain {
    let (url, origin, name) = ("https://example.test/".into(), "https://example.test".into(), String::new());
    ToMain::DocumentCreated { page, document, frame, parent, url, origin, name }
}

fn ipc(document: u64, kind: IpcKind) -> ToMain {
    ToMain::Ipc { document, kind, channel: "channel".into(), payload: vec![0xff, 15, b'A', 0, b'$', 0, 0] }
}

/// Whether main closed the connection.
fn hung_up(socket: &OwnedFd) -> bool {
    let timeout = Some(PATIENCE);
    rustix::net::sockopt::set_socket_timeout(socket, rustix::net::sockopt::Timeout::Recv, timeout).unwrap();
    // A reset counts too: the token was still unread.
    matches!(recv(socket, &mut [0u8; 64][..], RecvFlags::empty()), Ok((0, _)) | Err(rustix::io::Errno::CONNRESET))
}

#[test]
fn only_a_fresh_token_is_let_in() {
    let main = Main::start();
    assert!(hung_up(&main.connect(&[7; 16])), "a wrong token");
    let token = main.token();
    assert!(hung_up(&main.connect(&token[..15])), "a part of a token");
    assert!(hung_up(&main.connect(&[token.as_slice(), &[0]].concat())), "a token and more");
    let (_node, _bootstrap) = Node::join(main.connect(&token)).unwrap();
    assert!(hung_up(&main.connect(&token)), "a token that another process has used");
    assert_eq!(main.shared.state().agents.len(), 1);
}

#[test]
fn a_flood_of_silent_connections_keeps_nobody_out() {
    let main = Main::start();
    let silent: Vec<OwnedFd> = (0..100).map(|_| main.connect(&[])).collect();
    assert!(hung_up(&silent[0]), "the oldest go");
    main.agent();
    drop(silent);
}

#[test]
fn a_forged_nonce_binds_nothing() {
    let mut main = Main::start();
    let window = main.window();
    let honest = main.shown(&window);
    let used = main.nonce(&window);
    let forger = main.agent();
    // Guessed; then one of another page's, used already.
    forger.say(&ToMain::PageBound { nonce: [3; 16], page: 1 });
    forger.say(&document(1, 1, 1, None));
    forger.say(&ipc(1, IpcKind::Send));
    assert!(main.settled(&forger).is_empty());
    honest.say(&ToMain::PageBound { nonce: used, page: 2 });
    main.settled(&honest);
    forger.say(&ToMain::PageBound { nonce: used, page: 1 });
    forger.say(&document(1, 1, 1, None));
    forger.say(&ipc(1, IpcKind::Invoke(1)));
    assert!(main.settled(&forger).is_empty());
    // A message from main to the window does not reach the forger.
    let _ = window.web_contents().send_encoded("secret", Vec::new());
    main.settled(&honest);
    assert!(forger.heard_nothing());
}

#[test]
fn an_agent_cannot_speak_for_anothers_documents() {
    let mut main = Main::start();
    let (one, two) = (main.window(), main.window());
    let victim = main.shown(&one);
    let forger = main.shown(&two);
    // The victim has two documents, the forger one: number 2 is not its own.
    victim.say(&document(1, 2, 2, Some(1)));
    main.settled(&victim);
    forger.say(&ipc(2, IpcKind::Send));
    forger.say(&ToMain::DocumentGone { document: 2, frame_gone: true });
    forger.say(&ToMain::DocumentReady { document: 2 });
    forger.say(&document(2, 5, 5, None));
    forger.say(&document(1, 6, 6, Some(2)));
    forger.say(&ToMain::Console { page: 2, level: ConsoleLevel::Log, text: "x".into(), source: String::new(), line: 0 });
    assert!(main.settled(&forger).is_empty());
    assert_eq!(one.web_contents().main_frame().frames().len(), 1);
    // Its own message has its own page as the sender.
    forger.say(&ipc(1, IpcKind::Send));
    let AppEvent::Ipc(message) = main.until(|event| matches!(event, AppEvent::Ipc(_))) else { unreachable!() };
    assert_eq!(message.sender, two.web_contents());
}

#[test]
fn an_agent_cannot_answer_anothers_questions() {
    let mut main = Main::start();
    let (one, two) = (main.window(), main.window());
    let victim = main.shown(&one);
    let forger = main.shown(&two);
    let mut answer = one.web_contents().execute_encoded(World::Main, "1 + 1");
    let ToAgent::Eval { request, .. } = victim.hears() else { panic!("a script") };
    forger.say(&ToMain::EvalDone { request, outcome: Outcome::Value(b"forged".to_vec()) });
    main.settled(&forger);
    victim.say(&ToMain::EvalDone { request, outcome: Outcome::Value(b"honest".to_vec()) });
    main.settled(&victim);
    assert_eq!(answer.0.try_recv().unwrap(), Ok(b"honest".to_vec()));
}

#[test]
fn nonsense_and_repetitions_are_ignored() {
    let mut main = Main::start();
    let window = main.window();
    let agent = main.shown(&window);
    agent.bootstrap.post(Message::new(vec![0xff; 100])).unwrap();
    agent.bootstrap.post(Message::new(Vec::new())).unwrap();
    // The same number again, a parent that does not exist, a frame in another place.
    agent.say(&document(1, 1, 7, None));
    agent.say(&document(1, 2, 8, Some(77)));
    agent.say(&ToMain::DocumentGone { document: 99, frame_gone: true });
    agent.say(&ToMain::PageClosed { page: 1 });
    agent.say(&ToMain::EvalDone { request: 5, outcome: Outcome::Error(String::new()) });
    assert!(main.settled(&agent).is_empty());
    let channel = "x".repeat(super::agent::MAX_CHANNEL + 1);
    agent.say(&ToMain::Ipc { document: 1, kind: IpcKind::Invoke(4), channel, payload: Vec::new() });
    assert!(matches!(agent.hears(), ToAgent::Reply { document: 1, request: 4, outcome: Outcome::Error(_) }));
}

#[test]
fn unanswered_requests_are_refused_and_ports_that_nobody_takes_close() {
    let mut main = Main::start();
    let window = main.window();
    let agent = main.shown(&window);
    let (port, kept) = agent.node.channel();
    agent.say_with(&ipc(1, IpcKind::Invoke(8)), vec![port]);
    let AppEvent::Ipc(message) = main.until(|event| matches!(event, AppEvent::Ipc(_))) else { unreachable!() };
    assert!(matches!(message.kind, IpcEventKind::Invoke(_)));
    drop(message);
    let ToAgent::Reply { request: 8, outcome: Outcome::Error(text), .. } = agent.hears() else { panic!("a reply") };
    assert_eq!(text, "Error: reply was never sent");
    assert!(matches!(kept.recv_blocking(Some(PATIENCE)), Ok(Event::Close(strait_ports::CloseReason::Dropped))));
}

#[test]
fn a_dead_agent_takes_its_frames_and_scripts_along() {
    let mut main = Main::start();
    let window = main.window();
    let agent = main.shown(&window);
    let mut answer = window.web_contents().execute_encoded(World::Main, "new Promise(() => {})");
    agent.hears();
    drop(agent);
    main.until(|event| matches!(event, AppEvent::Frame { event: FrameEvent::DocumentGone { .. }, .. }));
    assert!(window.web_contents().is_crashed());
    assert!(matches!(answer.0.try_recv(), Ok(Err(ScriptError::Unloaded)) | Err(_)));
    assert!(window.web_contents().send_encoded("x", Vec::new()).is_err());
    let lost = main.commands.try_iter().any(|command| matches!(command, UiCommand::ProcessLost { window: WindowId(1), epoch: 1 }));
    assert!(lost, "the view's process is to go too");
}

#[test]
fn closing_asks_the_agent_first_but_not_for_ever() {
    let mut main = Main::start();
    let (polite, hung) = (main.window(), main.window());
    let (agent, _silent) = (main.shown(&polite), main.shown(&hung));
    main.commands.try_iter().for_each(drop);
    polite.destroy();
    assert!(matches!(agent.hears(), ToAgent::ClosePage { page: 1 }));
    assert!(main.commands.try_recv().is_err(), "not before the answer");
    agent.say(&ToMain::PageClosed { page: 1 });
    let first = main.commands.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(first, UiCommand::Destroy { window } if window == polite.id()));
    let started = Instant::now();
    hung.destroy();
    let second = main.commands.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(second, UiCommand::Destroy { window } if window == hung.id()));
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(200) && took < Duration::from_secs(30), "{took:?}");
    assert_eq!(main.shared.state().contents.len(), 2);
    assert!(main.shared.state().contents.contains_key(&ContentsId(1)));
}
