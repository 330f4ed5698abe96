//! A small main process: windows, agents bound by nonce, and the broker, all on one loop.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fs;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use gtk::prelude::*;
use gtk::{gio, glib};
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, listen, recv, socket_with, sockopt::socket_peercred,
};
use strait_ports::{Event, Message, Node, Port};
use strait_protocol::{
    AgentInit, DocumentId, EmitKind, FrameId, Outcome, PageId, ToAgent, ToMain, VIEW_MESSAGE, Verdict, ViewConfig, World, decode, encode,
};
use webkit2gtk::{SettingsExt, UserMessage, WebContext, WebContextExt, WebView, WebViewExt, WebsiteDataManager};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) type Check<T = ()> = Result<T, String>;

/// A test's name and what it does.
pub(crate) type Case = (&'static str, fn(&Host) -> Check);

/// What an agent said, and which agent.
pub(crate) struct Said {
    pub(crate) agent: usize,
    pub(crate) message: ToMain,
    pub(crate) ports: Vec<Port>,
}

/// The main process of the tests.
pub(crate) struct Host {
    pub(crate) node: Node,
    folder: PathBuf,
    context: WebContext,
    agents: Rc<RefCell<Vec<Option<Port>>>>,
    said: RefCell<VecDeque<Said>>,
    files: Cell<u32>,
    requests: Cell<u64>,
    nonces: Cell<u8>,
    /// The agent of the view that was opened last: what earlier cases left behind is not heard by `ipc`.
    latest: Cell<usize>,
    /// What becomes of the pages that pages open, one after the other; without any they are nobody's.
    verdicts: RefCell<VecDeque<Verdict>>,
    /// Nobody hears what becomes of theirs, for now.
    pub(crate) silent: Cell<bool>,
    /// Done after each turn of the loop, also of those in which something is waited for.
    pub(crate) after_turn: RefCell<Option<AfterTurn>>,
}

type AfterTurn = Box<dyn FnMut(&Host)>;

/// A window with a page.
pub(crate) struct View {
    window: gtk::Window,
    pub(crate) web: WebView,
    pub(crate) agent: usize,
    pub(crate) page: PageId,
    /// The main frame's present document.
    pub(crate) document: Cell<DocumentId>,
}

/// A window that a page opened.
pub(crate) struct Popup(gtk::Window);

impl Drop for Popup {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.window.close();
    }
}

/// How a view is set up.
#[derive(Default, Clone)]
pub(crate) struct Setup<'a> {
    pub(crate) html: &'a str,
    pub(crate) preload: Option<&'a str>,
    pub(crate) shared: bool,
    pub(crate) node: bool,
    /// Do not send a ViewConfig.
    pub(crate) unbound: bool,
    /// Do not wait for the page's own scripts.
    pub(crate) loading: bool,
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn agent_library() -> PathBuf {
    let test = std::env::current_exe().expect("the test knows its own path");
    let deps = test.parent().expect("a program is in a folder");
    let candidates = [deps.join("libstrait_renderer.so"), deps.join("../libstrait_renderer.so")];
    let newest = candidates.into_iter().filter(|path| path.exists()).max_by_key(|path| fs::metadata(path).and_then(|m| m.modified()).ok());
    newest.expect("cargo builds the agent beside the test")
}

impl Host {
    pub(crate) fn start() -> std::io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("strait-agent-test-{}", std::process::id()));
        let extensions = folder.join("agent");
        fs::create_dir_all(&extensions)?;
        fs::copy(agent_library(), extensions.join("libstrait_renderer.so"))?;

        let node = Node::broker()?;
        let agents = Rc::new(RefCell::new(Vec::new()));
        let path = folder.join("socket");
        let listener = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        bind(&listener, &SocketAddrUnix::new(&path)?)?;
        listen(&listener, 16)?;
        let token = [7; 16];
        watch_connections(listener, token, node.clone(), Rc::clone(&agents));
        let routed = node.clone();
        glib::unix_fd_add_local(node.as_fd().as_raw_fd(), glib::IOCondition::IN, move |_, _| {
            let _ = routed.dispatch(Duration::from_millis(1)).expect("the node routes");
            glib::ControlFlow::Continue
        });

        // Not an ephemeral context: WebKit keeps the console output of those to itself.
        let data = WebsiteDataManager::builder()
            .base_data_directory(folder.join("data").display().to_string())
            .base_cache_directory(folder.join("cache").display().to_string())
            .build();
        let context = WebContext::builder().website_data_manager(&data).build();
        context.set_web_extensions_directory(extensions.to_str().expect("a plain path"));
        context.connect_initialize_web_extensions(move |context| {
            let init = encode(&AgentInit { socket: path.clone(), token, inspect: None, expose_gc: false, sandboxed: false });
            context.set_web_extensions_initialization_user_data(&init.to_variant());
        });
        let host = Self {
            node,
            folder,
            context,
            agents,
            said: RefCell::default(),
            files: Cell::new(0),
            requests: Cell::new(0),
            nonces: Cell::new(0),
            latest: Cell::new(0),
            verdicts: RefCell::default(),
            silent: Cell::new(false),
            after_turn: RefCell::default(),
        };
        Ok(host)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a file of the test program.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        fs::write(&path, text).expect("the temporary folder can be written");
        path
    }

    fn fresh(&self, suffix: &str) -> String {
        self.files.set(self.files.get() + 1);
        format!("{}{suffix}", self.files.get())
    }

    /// One turn of the loop, then what the agents have said.
    pub(crate) fn turn(&self) {
        let timer = glib::timeout_add_local_once(Duration::from_millis(20), || {});
        glib::MainContext::default().iteration(true);
        if glib::MainContext::default().find_source_by_id(&timer).is_some() {
            timer.remove();
        }
        for (agent, port) in self.agents.borrow().iter().enumerate() {
            while let Some(Event::Message(Message { data, ports, .. })) = port.as_ref().and_then(Port::try_recv) {
                let message = decode(&data).expect("the agent speaks the protocol");
                if let ToMain::Console { text, .. } = &message
                    && std::env::var_os("STRAIT_TEST_CONSOLE").is_some()
                {
                    eprintln!("  console: {text}");
                }
                if let ToMain::PageOpened { page, .. } = message
                    && !self.silent.get()
                {
                    let verdict = self.verdicts.borrow_mut().pop_front().unwrap_or(Verdict::Unknown);
                    let answer = encode(&ToAgent::PageSettled { page, verdict });
                    let _ = port.as_ref().map(|port| port.post(Message::from(answer)));
                }
                self.said.borrow_mut().push_back(Said { agent, message, ports });
            }
        }
        let after = self.after_turn.take();
        if let Some(mut after) = after {
            after(self);
            self.after_turn.replace(Some(after));
        }
    }

    /// What is to be done now, without waiting.
    pub(crate) fn turn_at_once(&self) {
        while glib::MainContext::default().iteration(false) {}
    }

    /// Turns the loop until `done` gives something.
    pub(crate) fn until<T>(&self, what: &str, done: impl FnMut() -> Option<T>) -> Check<T> {
        self.until_within(PATIENCE, what, done)
    }

    /// [`Host::until`] with a limit of its own.
    pub(crate) fn until_within<T>(&self, limit: Duration, what: &str, mut done: impl FnMut() -> Option<T>) -> Check<T> {
        let end = Instant::now() + limit;
        loop {
            if let Some(value) = done() {
                return Ok(value);
            }
            if Instant::now() > end {
                return Err(format!("waited in vain for {what}"));
            }
            self.turn();
        }
    }

    /// Takes the first thing said that `matches`, if it has been said.
    pub(crate) fn take<T>(&self, mut matches: impl FnMut(&mut Said) -> Option<T>) -> Option<T> {
        let mut said = self.said.borrow_mut();
        let found = said.iter_mut().enumerate().find_map(|(at, entry)| matches(entry).map(|value| (at, value)))?;
        said.remove(found.0);
        Some(found.1)
    }

    /// Waits for and takes the first thing said that `matches`.
    pub(crate) fn heard<T>(&self, what: &str, mut matches: impl FnMut(&mut Said) -> Option<T>) -> Check<T> {
        let heard = self.until(what, || self.take(&mut matches));
        // What came instead helps to understand.
        heard.map_err(|text| {
            let others: Vec<_> = self.said.borrow().iter().map(|said| format!("{:?}", said.message)).collect();
            format!("{text}; heard\n        {}", others[others.len().saturating_sub(6)..].join("\n        "))
        })
    }

    pub(crate) fn tell(&self, agent: usize, message: &ToAgent, ports: Vec<Port>) {
        let agents = self.agents.borrow();
        agents[agent].as_ref().expect("not forsaken").post(Message::with_ports(encode(message), ports)).expect("a good message");
    }

    /// Ends the conversation with an agent, as the main process's end would.
    pub(crate) fn forsake(&self, agent: usize) {
        self.agents.borrow_mut()[agent] = None;
    }

    /// Opens a window and waits until the scripts of its first document have run.
    pub(crate) fn open(&self, setup: Setup<'_>) -> Check<View> {
        let file = self.write(&self.fresh(".html"), setup.html);
        let preload = setup.preload.map(|source| self.write(&self.fresh("-preload.js"), source));
        self.open_file(&file, preload, &setup)
    }

    pub(crate) fn open_file(&self, file: &Path, preload: Option<PathBuf>, setup: &Setup<'_>) -> Check<View> {
        let web = WebView::with_context(&self.context);
        let settings = WebViewExt::settings(&web).expect("a view has settings");
        settings.set_enable_page_cache(false);
        settings.set_allow_file_access_from_file_urls(true);
        settings.set_javascript_can_open_windows_automatically(true);
        let window = gtk::Window::new(gtk::WindowType::Toplevel);
        window.set_default_size(320, 200);
        window.add(&web);
        window.show_all();

        let config = self.config(preload, setup);
        let nonce = config.nonce;
        if !setup.unbound {
            let message = UserMessage::new(VIEW_MESSAGE, Some(&encode(&config).to_variant()));
            web.send_message_to_page(&message, gio::Cancellable::NONE, |_| {});
        }
        web.load_uri(&format!("file://{}", file.display()));
        if setup.unbound {
            return Ok(View { window, web, agent: usize::MAX, page: 0, document: Cell::new(0) });
        }
        let (agent, page) = self.heard("PageBound", |said| match said.message {
            ToMain::PageBound { nonce: answer, page } if answer == nonce => Some((said.agent, page)),
            _ => None,
        })?;
        self.latest.set(agent);
        let view = View { window, web, agent, page, document: Cell::new(0) };
        self.new_document(&view)?;
        if !setup.loading {
            self.ready(&view)?;
        }
        Ok(view)
    }

    /// Waits for DOMContentLoaded of a view's document.
    pub(crate) fn ready(&self, view: &View) -> Check {
        let is_it = |said: &Said| {
            said.agent == view.agent && matches!(said.message, ToMain::DocumentReady { document } if document == view.document.get())
        };
        self.until("DocumentReady", || self.has_heard(is_it).then_some(()))
    }

    fn config(&self, preload: Option<PathBuf>, setup: &Setup<'_>) -> ViewConfig {
        self.nonces.set(self.nonces.get() + 1);
        let nonce = [self.nonces.get(); 16];
        ViewConfig {
            nonce,
            window: 1,
            preload,
            context_isolation: !setup.shared,
            node_integration: setup.node,
            sub_frames: false,
            sandbox: false,
            arguments: Vec::new(),
            app_path: self.folder.clone(),
        }
    }

    /// The next page that a page opens is the program's, with this setup.
    pub(crate) fn expect_opened(&self, setup: &Setup<'_>) {
        let preload = setup.preload.map(|source| self.write(&self.fresh("-preload.js"), source));
        let config = self.config(preload, setup);
        self.verdicts.borrow_mut().push_back(Verdict::Bound(Box::new(config)));
    }

    /// The next page that a page opens is not wanted.
    pub(crate) fn refuse_opened(&self) {
        self.verdicts.borrow_mut().push_back(Verdict::Refused);
    }

    /// Lets a view open windows. They are closed when they are taken out of the list, and are taken out when their pages close them.
    pub(crate) fn let_open(&self, view: &View) -> Rc<RefCell<Vec<Popup>>> {
        let opened = Rc::new(RefCell::new(Vec::new()));
        let list = Rc::clone(&opened);
        view.web.connect_create(move |opener, _| {
            let web = WebView::builder().related_view(opener).build();
            if let Some(settings) = WebViewExt::settings(opener) {
                web.set_settings(&settings);
            }
            let window = gtk::Window::new(gtk::WindowType::Toplevel);
            window.add(&web);
            window.show_all();
            let (all, closed) = (Rc::downgrade(&list), window.downgrade());
            web.connect_close(move |_| {
                let (Some(all), Some(closed)) = (all.upgrade(), closed.upgrade()) else { return };
                let at = all.borrow().iter().position(|Popup(window)| *window == closed);
                drop(at.map(|at| all.borrow_mut().swap_remove(at)));
            });
            list.borrow_mut().push(Popup(window));
            Some(web.upcast())
        });
        opened
    }

    /// Has something been said that `matches`, and not been taken?
    pub(crate) fn has_heard(&self, matches: impl Fn(&Said) -> bool) -> bool {
        self.said.borrow().iter().any(matches)
    }

    /// The view's frames (without the main one) that main has heard of, and those that it has heard have gone. Takes nothing.
    pub(crate) fn frames_of(&self, view: &View) -> (BTreeSet<FrameId>, BTreeSet<FrameId>) {
        let said = self.said.borrow();
        let (mut frames, mut gone, mut documents) = (BTreeSet::new(), BTreeSet::new(), HashMap::new());
        for said in said.iter().filter(|said| said.agent == view.agent) {
            match said.message {
                ToMain::DocumentCreated { document, frame, parent: Some(_), .. } => {
                    frames.insert(frame);
                    documents.insert(document, frame);
                }
                ToMain::DocumentGone { document, frame_gone: true } => gone.extend(documents.get(&document)),
                _ => {}
            }
        }
        (frames, gone)
    }

    /// Waits for the next document of the view's main frame.
    pub(crate) fn new_document(&self, view: &View) -> Check {
        let document = self.heard("DocumentCreated", |said| match &said.message {
            ToMain::DocumentCreated { page, document, parent: None, url, .. }
                if said.agent == view.agent && *page == view.page && url != "about:blank" =>
            {
                Some(*document)
            }
            _ => None,
        })?;
        view.document.set(document);
        Ok(())
    }

    /// `executeJavaScript`: the script's value as JSON.
    pub(crate) fn eval(&self, view: &View, world: World, script: &str) -> Check<String> {
        self.eval_in(view, view.document.get(), world, script)
    }

    /// The same in any document of the view's process.
    pub(crate) fn eval_in(&self, view: &View, document: DocumentId, world: World, script: &str) -> Check<String> {
        let script = format!("Promise.resolve((() => {{ {script} }})()).then((value) => String(JSON.stringify(value)))");
        self.eval_string(view, document, world, &script)
    }

    /// A script whose value nobody waits for.
    pub(crate) fn run(&self, view: &View, script: &str) {
        self.requests.set(self.requests.get() + 1);
        let source = script.to_owned();
        let request = self.requests.get();
        self.tell(view.agent, &ToAgent::Eval { request, document: view.document.get(), world: World::Main, source }, Vec::new());
    }

    /// `executeJavaScript` of a script whose value is a string.
    pub(crate) fn eval_raw(&self, view: &View, world: World, script: &str) -> Check<String> {
        self.eval_string(view, view.document.get(), world, script)
    }

    fn eval_string(&self, view: &View, document: DocumentId, world: World, script: &str) -> Check<String> {
        self.requests.set(self.requests.get() + 1);
        let request = self.requests.get();
        let source = script.to_owned();
        self.tell(view.agent, &ToAgent::Eval { request, document, world, source }, Vec::new());
        let outcome = self.heard(&format!("the value of {script}"), |said| match &said.message {
            ToMain::EvalDone { request: answered, outcome } if *answered == request => Some(outcome.clone()),
            _ => None,
        })?;
        match outcome {
            Outcome::Value(bytes) => crate::wire::string(&bytes).ok_or_else(|| format!("not a string: {bytes:?}")),
            Outcome::Error(text) => Err(text),
        }
    }

    /// Turns the loop until the script (an expression) is `true` in the page's own world.
    pub(crate) fn until_true(&self, view: &View, world: World, expression: &str) -> Check {
        let end = Instant::now() + PATIENCE;
        let mut last = String::new();
        while Instant::now() < end {
            last = self.eval(view, world, &format!("return {expression}"))?;
            if last == "true" {
                return Ok(());
            }
            self.turn();
        }
        Err(format!("{expression} never was true, at last {last}"))
    }

    /// The next IPC message on a channel, from the view that was opened last.
    pub(crate) fn ipc(&self, channel: &str) -> Check<Said> {
        self.heard(&format!("ipc '{channel}'"), |said| match &said.message {
            ToMain::Ipc { channel: sent, .. } if sent == channel && said.agent == self.latest.get() => {
                Some(Said { agent: said.agent, message: said.message.clone(), ports: std::mem::take(&mut said.ports) })
            }
            _ => None,
        })
    }

    /// The port that a page sends on a channel.
    pub(crate) fn port(&self, channel: &str) -> Check<Port> {
        self.ipc(channel)?.ports.pop().ok_or_else(|| "no port came".to_owned())
    }

    /// The next event of a port.
    pub(crate) fn event(&self, port: &Port) -> Check<Event> {
        self.until("an event of a port", || port.try_recv())
    }

    /// The close of a port, past whatever comes before.
    pub(crate) fn close_of(&self, port: &Port) -> Check<String> {
        self.until("a close", || {
            loop {
                match port.try_recv()? {
                    Event::Close(reason) => return Some(reason.to_string()),
                    Event::Message(_) => {}
                }
            }
        })
    }

    /// The next message of a port, as the string in it.
    pub(crate) fn text(&self, port: &Port) -> Check<String> {
        match self.event(port)? {
            Event::Message(message) => crate::wire::string(&message.data).ok_or_else(|| format!("not a string: {:?}", message.data)),
            Event::Close(reason) => Err(format!("closed: {reason}")),
        }
    }

    /// Emits `postMessage`-fashion on the view's present document.
    pub(crate) fn emit(&self, view: &View, channel: &str, text: &str, ports: Vec<Port>) {
        self.emit_as(view, view.document.get(), EmitKind::PostMessage, channel, text, ports);
    }

    /// Emits on any document of the view's process.
    pub(crate) fn emit_as(&self, view: &View, document: DocumentId, kind: EmitKind, channel: &str, text: &str, ports: Vec<Port>) {
        let payload = crate::wire::of_string(text);
        self.tell(view.agent, &ToAgent::Emit { document, channel: channel.to_owned(), kind, payload }, ports);
    }
}

fn watch_connections(listener: OwnedFd, token: [u8; 16], node: Node, agents: Rc<RefCell<Vec<Option<Port>>>>) {
    glib::unix_fd_add_local(listener.as_raw_fd(), glib::IOCondition::IN, move |_, _| {
        let socket = accept_with(&listener, SocketFlags::CLOEXEC).expect("a connection");
        let (node, agents) = (node.clone(), Rc::clone(&agents));
        let fd = socket.as_raw_fd();
        let mut socket = Some(socket);
        glib::unix_fd_add_local(fd, glib::IOCondition::IN, move |_, _| {
            let Some(socket) = socket.take() else { return glib::ControlFlow::Break };
            let mut first = [0; 17];
            let (length, _) = recv(&socket, &mut first[..], rustix::net::RecvFlags::empty()).expect("the token");
            assert_eq!(first[..length], token);
            let pid = socket_peercred(&socket).expect("the peer").pid.as_raw_nonzero().get().unsigned_abs();
            let bootstrap = node.invite(socket).expect("an invitation");
            bootstrap.post(Message::from(encode(&ToAgent::Admitted { pid }))).expect("a good message");
            agents.borrow_mut().push(Some(bootstrap));
            glib::ControlFlow::Break
        });
        glib::ControlFlow::Continue
    });
}

/// Equal, or an error that shows both.
pub(crate) fn same(what: &str, is: &str, expected: &str) -> Check {
    if is == expected { Ok(()) } else { Err(format!("{what}:\n        is       {is}\n        expected {expected}")) }
}
