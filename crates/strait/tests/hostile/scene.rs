//! What the cases are made of: a compromised window, one that is not, and the program's own figures.

use std::fs;

use strait::{App, BrowserWindow, MessageChannel, MessagePort, ScriptError, Value, WebContents};
use strait_protocol::{IpcKind, ToMain};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::kit::{Heard, Kit, heard, next, number};

/// How much main's memory may grow in one case, in KiB: more than all named limits on what one
/// renderer can make main keep (`PAUSE_ABOVE`, the port and reply limits) together.
const MOST_GROWTH: u64 = 512 << 10;

/// A page that answers by IPC and over a port, and counts what reaches it by other ways.
const BYSTANDER: &str = "
    ipc.on('ask', (event, number) => ipc.send('answer', number));
    ipc.on('port', ({ ports: [port] }) => { port.onmessage = ({ data }) => port.postMessage(data) });
    window.ipc = ipc";

/// A window that takes no part in the attack.
pub(super) struct Bystander {
    pub(super) window: BrowserWindow,
    answers: Heard,
    port: MessagePort,
    asked: u32,
}

impl Bystander {
    pub(super) async fn open(app: &App, kit: &Kit) -> Self {
        let window = kit.shown(app, BYSTANDER).await.expect("the bystander's page loads");
        let answers = heard(&window.web_contents(), "answer");
        let MessageChannel { port1, port2 } = MessageChannel::new(app);
        window.web_contents().post_message("port", (), vec![port2]).expect("the page is there");
        Self { window, answers, port: port1, asked: 0 }
    }

    pub(super) fn page(&self) -> WebContents {
        self.window.web_contents()
    }

    /// The window still answers, by IPC and over its port, and is the one it was.
    pub(super) async fn check(&mut self) {
        self.asked += 1;
        self.page().send("ask", [number(self.asked)]).expect("the bystander is there");
        assert_eq!(next(&mut self.answers).await, number(self.asked), "the bystander's answer");
        self.port.post_message(number(self.asked), Vec::new()).expect("a port of the program's own");
        let echo = self.port.recv().await.expect("the bystander's port is open");
        assert_eq!(echo.data, number(self.asked), "the bystander's echo");
        assert_eq!(self.page().main_frame().frames_in_subtree().len(), 1, "the bystander's frames");
        assert!(self.page().url().ends_with(".html"), "{}", self.page().url());
    }
}

/// A window whose renderer is compromised, with the defaults of a window: its process is in the sandbox.
pub(super) struct Attacker {
    pub(super) window: BrowserWindow,
    said: Heard,
}

impl Attacker {
    pub(super) async fn open(app: &App, kit: &Kit) -> Self {
        let preload = kit.file("attacker.js", "window.ipc = require('electron').ipcRenderer");
        let window = BrowserWindow::builder().show(false).context_isolation(false).preload(preload).build(app);
        window.load_file(kit.page("")).await.expect("the attacker's page loads");
        let said = heard(&window.web_contents(), "said");
        Self { window, said }
    }

    pub(super) fn page(&self) -> WebContents {
        self.window.web_contents()
    }

    /// Runs a script in the page, in which `hostile` is what native code can do. An error if its
    /// process was cut off or ended meanwhile.
    pub(super) async fn run(&self, script: &str) -> Result<Value, ScriptError> {
        self.page().execute_javascript(script).await
    }

    /// Whether its page has sent a message on the channel `said` since the last look.
    pub(super) fn has_said(&mut self) -> bool {
        self.said.try_recv().is_ok()
    }

    /// Sends control messages as they are, and returns once main has handled them.
    pub(super) async fn say(&mut self, messages: impl IntoIterator<Item = ToMain>) {
        let calls: String = messages.into_iter().map(|message| format!("hostile.message('{}');\n", hex(&message))).collect();
        // The script's own answer may be among what is forged: the IPC message behind it counts.
        let running = self.page().execute_javascript(&format!("{calls} ipc.send('said', 1); 0"));
        let _ = tokio::join!(running, next(&mut self.said));
    }
}

/// A report of a main frame's document.
pub(super) fn created(page: u64, document: u64, url: &str) -> ToMain {
    let (url, origin, name) = (url.into(), url.trim_end_matches('/').into(), "forged".into());
    ToMain::DocumentCreated { page, document, frame: document, parent: None, url, origin, name }
}

/// A message of a document on the channel `forged`, without arguments.
pub(super) fn send(document: u64) -> ToMain {
    ToMain::Ipc { document, kind: IpcKind::Send, channel: "forged".into(), payload: vec![0xff, 15, b'A', 0, b'$', 0, 0] }
}

pub(super) fn hex(message: &ToMain) -> String {
    strait_protocol::encode(message).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Main's own memory, in KiB.
pub(super) fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("this process");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("a figure");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Main's open descriptors.
pub(super) fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("this process").count()
}

/// Watches main's memory during a case.
pub(super) struct Memory(u64);

impl Memory {
    pub(super) fn measure() -> Self {
        Self(memory())
    }

    pub(super) fn check(&self) {
        let growth = memory().saturating_sub(self.0);
        assert!(growth < MOST_GROWTH, "main's memory grew by {growth} KiB");
    }
}

/// The URLs and senders of what comes on the channel `forged` from now on.
pub(super) fn forged(app: &App) -> UnboundedReceiver<(WebContents, String)> {
    let (sender, receiver) = unbounded_channel();
    app.ipc_main().remove_all_listeners("forged");
    app.ipc_main().on("forged", move |event, _| {
        // The case may be over.
        let _ = sender.send((event.sender().clone(), event.sender_url().to_owned()));
    });
    receiver
}

/// What names a page's document in its process.
pub(super) struct Identity {
    pub(super) page: u64,
    pub(super) document: u64,
    /// In hexadecimal digits.
    pub(super) nonce: String,
}

impl Identity {
    /// No other process can ask for this: the tests know it, so that lies are as good as they can be.
    pub(super) async fn of(page: &WebContents) -> Self {
        let script = "const { page, document, nonce } = hostile.identity(); [page, document, nonce].join()";
        let answer = page.main_frame().execute_javascript(&format!("{{ {script} }}")).await.expect("the page is there");
        let parts: Vec<&str> = answer.as_str().expect("text").split(',').collect();
        let number = |part: &str| part.parse().expect("a number");
        Self { page: number(parts[0]), document: number(parts[1]), nonce: parts[2].into() }
    }
}
