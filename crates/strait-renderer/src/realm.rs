//! Realms: a realm is one world of one document, with the glue in it.

use std::cell::{Cell, OnceCell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::LazyLock;

use strait_ports::Unread;
use strait_protocol::{DocumentId, EmitKind, RequestId, World};

use crate::ffi::{Completion, Context, Object, Pinned, Value};
use crate::natives;
use crate::ports::Handle;
use crate::strip_comments::strip_comments;
use crate::system::Cargo;
use crate::trace;
use crate::world_calls::Answer;

/// The rights and settings of a realm, beyond ports.
#[derive(Default)]
pub(crate) struct Privileges {
    /// The realm has `ipcRenderer`.
    pub(crate) ipc: bool,
    pub(crate) context_isolated: bool,
    /// The script that runs when the realm begins.
    pub(crate) preload: Option<PathBuf>,
    /// Every script of the realm may call `require`.
    pub(crate) require: bool,
    pub(crate) app_path: PathBuf,
    pub(crate) main_frame: bool,
    /// The preload has a few modules and no files.
    pub(crate) sandboxed: bool,
    /// The realm's modules may use files and query the machine.
    pub(crate) system: bool,
    /// The last entries of `process.argv`.
    pub(crate) arguments: Vec<String>,
}

/// The size of the receive buffer (64 KiB). A larger message gets a larger buffer for itself.
const INBOX: usize = 64 * 1024;

/// A larger array of the codec is not cached (1 MiB).
const KEPT_OUTBOX: usize = 1 << 20;

/// The functions that the glue gives the agent to call.
struct Glue {
    deliver: Object,
    closed: Object,
    resize: Object,
    arm: Object,
    renew: Object,
    handle_of: Object,
    release: Object,
    look: Object,
    relay: Object,
    forget_twin: Object,
    invoke: Object,
    send: Object,
    is_frame_gone: Object,
    run_preload: Object,
    emit: Object,
    speak: Object,
    cross: Object,
    settle: Object,
    release_function: Object,
    reply: Object,
    evaluate: Object,
    system_done: Object,
}

/// The arrays through which bytes and handles enter a realm.
pub(crate) struct Buffers {
    /// The receive buffer.
    pub(crate) inbox: Pinned,
    /// Words, for handles in both directions.
    pub(crate) words: Pinned,
}

/// One world of one document.
pub(crate) struct Realm {
    pub(crate) id: u32,
    /// Changes when the window passes to its frame's next document.
    pub(crate) document: Cell<DocumentId>,
    pub(crate) world: World,
    pub(crate) context: Context,
    pub(crate) privileges: Privileges,
    glue: OnceCell<Glue>,
    pub(crate) buffers: RefCell<Option<Buffers>>,
    size: Cell<usize>,
    /// The codec's array of the last message, cached because the codec mostly writes the next
    /// message there too.
    outbox: RefCell<Option<Pinned>>,
    /// The message that is being delivered, if it is longer than the receive buffer. The glue pulls
    /// it part by part.
    incoming: RefCell<Option<Unread>>,
    /// The script that `evaluate` runs next.
    pub(crate) script: RefCell<Option<(RequestId, String)>>,
    /// This realm's answer to the other world of its document.
    pub(crate) answer: RefCell<Option<Answer>>,
    /// The number of ports in the other world's answer.
    pub(crate) answered_ports: Cell<usize>,
    /// Bytes and files under way between its modules and the system.
    pub(crate) cargo: Cargo,
}

/// The modules of a document's glue, by the names under which the glue uses them.
const MODULES: &[(&str, &str)] = &[
    ("makeCodec", strait_clone::JS_CODEC),
    ("makeNativeLook", include_str!("../js/native-look.js")),
    ("makeTransferList", include_str!("../js/transfer-list.js")),
    ("makePorts", include_str!("../js/ports.js")),
    ("makeOutbox", include_str!("../js/outbox.js")),
    ("patchConsole", include_str!("../js/console.js")),
    ("makeForeignPorts", include_str!("../js/foreign-ports.js")),
    ("makeUntrackedPorts", include_str!("../js/untracked-ports.js")),
    ("patchDocumentOpen", include_str!("../js/document-open.js")),
    ("makeWorkers", include_str!("../js/worker.js")),
    ("makeRelays", include_str!("../js/worker-relays.js")),
    ("patchServiceWorkers", include_str!("../js/service-worker.js")),
    ("patchClone", include_str!("../js/structured-clone.js")),
    ("patchWindowPostMessage", include_str!("../js/window-post-message.js")),
    ("patchWindowOpen", include_str!("../js/window-open.js")),
    ("makeWorldChannel", include_str!("../js/world-channel.js")),
    ("makeContextBridge", include_str!("../js/context-bridge.js")),
    ("makeExpose", include_str!("../js/expose.js")),
    ("makeExports", include_str!("../js/exports.js")),
    ("makeIpcRenderer", include_str!("../js/ipc-renderer.js")),
    ("makeEsModules", strait_modules::ES_MODULES),
    ("makeProcess", include_str!("../js/process.js")),
    ("makeModules", include_str!("../js/modules.js")),
    #[cfg(feature = "hostile")]
    ("exposeHostile", include_str!("../js/hostile.js")),
];

/// The modules of a worker's glue.
const WORKER_MODULES: &[(&str, &str)] = &[
    ("makeCodec", strait_clone::JS_CODEC),
    ("makeNativeLook", include_str!("../js/native-look.js")),
    ("makeTransferList", include_str!("../js/transfer-list.js")),
    ("makePorts", include_str!("../js/ports.js")),
    ("makeForeignPorts", include_str!("../js/foreign-ports.js")),
    ("makeWorkers", include_str!("../js/worker.js")),
    ("makeRelays", include_str!("../js/worker-relays.js")),
    ("patchClone", include_str!("../js/structured-clone.js")),
    ("makeWorkerPorts", include_str!("../js/worker-ports.js")),
    ("patchBase", include_str!("../js/worker-base.js")),
];

/// All texts of the glue.
#[cfg(test)]
pub(crate) fn texts() -> impl Iterator<Item = (&'static str, &'static str)> {
    let joining = [
        ("glue", include_str!("../js/glue.js")),
        ("primordials", include_str!("../js/primordials.js")),
        ("worker-scope", include_str!("../js/worker-scope.js")),
    ];
    MODULES.iter().chain(WORKER_MODULES).copied().chain(joining)
}

/// The glue as one function expression: its modules, then the function that joins them.
static SOURCE: LazyLock<String> = LazyLock::new(|| {
    let glue = expression(include_str!("../js/glue.js"));
    format!(
        "(function straitGlue(natives, ...given) {{\n{}return ({glue})(primordials, parts, globalThis, natives, ...given)\n}})",
        prologue(MODULES)
    )
});

/// The same for workers: the glue's modules that a worker needs, then the worker's own.
static WORKER_SCOPE: LazyLock<String> = LazyLock::new(|| {
    let scope = expression(include_str!("../js/worker-scope.js"));
    format!(
        "function straitWorker(given) {{\n{};({scope})(primordials, parts, globalThis, given, straitWorker)\n}}",
        prologue(WORKER_MODULES)
    )
});

/// The text of the function that a worker runs before its own script.
pub(crate) fn worker_scope() -> &'static str {
    &WORKER_SCOPE
}

/// The beginning of every realm's glue: `parts` and `primordials`.
fn prologue(modules: &[(&str, &str)]) -> String {
    let mut source = String::from("const parts = { __proto__: null,\n");
    for (name, text) in modules {
        source.push_str(&format!("{name}: {},\n", expression(text)));
    }
    source.push_str(&format!("}}\nconst primordials = {}(globalThis)\n", expression(include_str!("../js/primordials.js"))));
    source
}

/// A module's text as an operand: without comments, and without a semicolon that a formatter may
/// have added.
fn expression(text: &str) -> String {
    #[cfg(feature = "planted-elimination")]
    let text = &crate::planted::patch(text);
    let mut stripped = strip_comments(text);
    stripped.truncate(stripped.trim_end().trim_end_matches(';').len());
    stripped
}

/// An exception as text: its message, place and stack.
pub(crate) fn describe(thrown: &Value<'_>) -> String {
    let text = thrown.to_text().unwrap_or_else(|| "Error: an error that cannot be printed".to_owned());
    let string = |name| thrown.property(name).and_then(|value| value.as_string());
    let number = |name| thrown.property(name).and_then(|value| value.as_number());
    let place = match (string("sourceURL"), number("line")) {
        (Some(source), Some(line)) => format!("{source}:{line}:{}", number("column").unwrap_or(1.0)),
        _ => String::new(),
    };
    trace::describe(&text, &place, &string("stack").unwrap_or_default())
}

impl Realm {
    pub(crate) fn new(id: u32, document: DocumentId, world: World, context: Context, privileges: Privileges) -> Rc<Self> {
        Rc::new(Self {
            id,
            document: Cell::new(document),
            world,
            context,
            privileges,
            glue: OnceCell::new(),
            buffers: RefCell::new(None),
            size: Cell::new(INBOX),
            outbox: RefCell::default(),
            incoming: RefCell::default(),
            script: RefCell::new(None),
            answer: RefCell::default(),
            answered_ports: Cell::default(),
            cargo: Cargo::default(),
        })
    }

    /// Runs the glue. The realm must be registered before, because the glue calls natives at once.
    pub(crate) fn install(&self) -> Result<(), String> {
        let context = &self.context;
        let function = context.evaluate(&SOURCE, "strait:glue", 1).map_err(|thrown| describe(&thrown))?;
        let function = function.protect(context).ok_or("the glue is no function")?;
        let natives = context.natives(self.id, natives::names());
        let preload = self.privileges.preload.as_ref().map_or_else(String::new, |path| path.display().to_string());
        let arguments = [
            natives,
            context.boolean(self.world == World::Main),
            context.boolean(self.privileges.ipc),
            context.boolean(self.privileges.context_isolated),
            context.string(&preload),
            context.boolean(self.privileges.require),
        ];
        let glue = function.call(&arguments).map_err(|thrown| describe(&thrown))?;
        let member = |name: &str| {
            glue.property(name).and_then(|function| function.protect(context)).ok_or_else(|| format!("the glue has no {name}"))
        };
        let glue = Glue {
            deliver: member("deliver")?,
            closed: member("closed")?,
            resize: member("resize")?,
            arm: member("arm")?,
            renew: member("renew")?,
            handle_of: member("handleOf")?,
            release: member("release")?,
            look: member("look")?,
            relay: member("relay")?,
            forget_twin: member("forgetTwin")?,
            invoke: member("invoke")?,
            send: member("send")?,
            is_frame_gone: member("isFrameGone")?,
            run_preload: member("runPreload")?,
            emit: member("emit")?,
            speak: member("speak")?,
            cross: member("cross")?,
            settle: member("settle")?,
            release_function: member("releaseFunction")?,
            reply: member("reply")?,
            evaluate: member("evaluate")?,
            system_done: member("systemDone")?,
        };
        let _ = self.glue.set(glue);
        Ok(())
    }

    /// Calls a function of the glue. The glue catches everything that pages throw, so an exception
    /// here is a bug of the agent.
    fn call<'a>(&'a self, which: impl Fn(&'a Glue) -> &'a Object, arguments: &[Value<'_>]) -> Option<Value<'a>> {
        match which(self.glue.get()?).call(arguments) {
            Ok(value) => Some(value),
            Err(thrown) => {
                strait_output::report!("strait agent: the glue threw: {}", describe(&thrown));
                None
            }
        }
    }

    fn number(&self, value: impl Into<f64>) -> Value<'_> {
        self.context.number(value.into())
    }

    /// Puts a message into the receive buffer; false if the realm has no memory for it.
    pub(crate) fn fill(&self, data: &[u8], handles: &[Handle]) -> bool {
        let wanted = if data.len() > self.size.get() { data.len() } else { INBOX.max(data.len()) };
        if wanted > self.size.get() || self.size.get() > INBOX && data.len() <= INBOX {
            if self.call(|glue| &glue.resize, &[self.number(wanted as f64)]).is_none() {
                return false;
            }
            self.size.set(wanted);
        }
        let buffers = self.buffers.borrow();
        buffers.as_ref().is_some_and(|buffers| buffers.inbox.write(data) && buffers.words.write_words(handles))
    }

    /// Delivers a message to a started port.
    pub(crate) fn deliver(&self, handle: Handle, message: Unread, handles: &[Handle]) {
        let length = message.len();
        let filled = if length > INBOX {
            self.incoming.replace(Some(message));
            self.fill(&[], handles) && self.pull(0, INBOX)
        } else {
            self.fill(&message.into_message().data, handles)
        };
        if filled {
            let arguments = [self.number(handle), self.number(length as f64), self.number(handles.len() as f64)];
            self.call(|glue| &glue.deliver, &arguments);
        }
        self.incoming.take();
    }

    /// Puts a part of the message that is being delivered into the receive buffer, which is large
    /// enough. `size` 0 means that the glue has read the message.
    pub(crate) fn pull(&self, start: usize, size: usize) -> bool {
        if size == 0 {
            self.incoming.take();
            return true;
        }
        let (incoming, buffers) = (self.incoming.borrow(), self.buffers.borrow());
        let (Some(message), Some(buffers)) = (incoming.as_ref(), buffers.as_ref()) else { return false };
        buffers.inbox.fill(size, |inbox| message.copy_to(start, inbox))
    }

    /// Fills `bytes` with a part of the message that is being delivered. False, and nothing is
    /// written, if the message is shorter.
    pub(crate) fn copy_incoming(&self, start: usize, bytes: &mut [u8]) -> bool {
        self.incoming.borrow().as_ref().is_some_and(|message| message.copy_to(start, bytes))
    }

    /// The first `length` bytes of an array that the codec wrote to.
    pub(crate) fn outgoing(&self, array: Value<'_>, length: usize) -> Option<Vec<u8>> {
        let mut outbox = self.outbox.borrow_mut();
        if outbox.as_ref().is_none_or(|known| !known.is(&array)) {
            *outbox = Pinned::bytes(array, &self.context);
        }
        let bytes = outbox.as_ref()?.copy(length);
        // The codec drops a large array too.
        if outbox.as_ref().is_some_and(|known| known.len() > KEPT_OUTBOX) {
            *outbox = None;
        }
        bytes
    }

    /// The glue has made a receive buffer of this size by itself.
    pub(crate) fn inbox_is(&self, buffers: Option<Buffers>, size: usize) {
        self.buffers.replace(buffers);
        self.size.set(size);
    }

    /// Reports that a port's other end is gone. With `speaks` the glue also dispatches the event.
    pub(crate) fn closed(&self, handle: Handle, reason: &str, speaks: bool) {
        let arguments = [self.number(handle), self.context.string(reason), self.context.boolean(speaks)];
        self.call(|glue| &glue.closed, &arguments);
    }

    /// Emits on `ipcRenderer`, or sends the page's own window a message. False if the realm has no
    /// receiver for it; then nothing was taken.
    pub(crate) fn emit(&self, channel: &str, kind: EmitKind, payload: &[u8], handles: &[Handle]) -> bool {
        if !self.fill(payload, handles) {
            return false;
        }
        let (channel, length, count) = (self.context.string(channel), self.number(payload.len() as f64), self.number(handles.len() as f64));
        let taken = match kind {
            EmitKind::Window => self.call(|glue| &glue.speak, &[channel, length, count]),
            _ => self.call(|glue| &glue.emit, &[channel, self.context.boolean(kind == EmitKind::Send), length, count]),
        };
        taken.and_then(|taken| taken.as_bool()).unwrap_or(false)
    }

    /// Calls the glue's function `id` for the other world of the document; the result is then in
    /// `answer`.
    pub(crate) fn cross(&self, id: u32, payload: &[u8], handles: &[Handle]) {
        self.answer.take();
        if self.fill(payload, handles) {
            self.call(|glue| &glue.cross, &[self.number(id), self.number(payload.len() as f64), self.number(handles.len() as f64)]);
        }
    }

    /// Reports that a promise of the other world has settled.
    pub(crate) fn settle(&self, id: u32, ok: bool, payload: &[u8], handles: &[Handle]) {
        if self.fill(payload, handles) {
            let arguments =
                [self.number(id), self.context.boolean(ok), self.number(payload.len() as f64), self.number(handles.len() as f64)];
            self.call(|glue| &glue.settle, &arguments);
        }
    }

    /// The other world has dropped a function that was sent there `count` times.
    pub(crate) fn release_function(&self, id: u32, count: u32) {
        self.call(|glue| &glue.release_function, &[self.number(id), self.number(count)]);
    }

    /// Settles an invocation. An empty `error` means that the value is in `payload`.
    pub(crate) fn reply(&self, request: RequestId, error: &str, payload: &[u8]) {
        if self.fill(payload, &[]) {
            let arguments = [self.number(request as f64), self.context.string(error), self.number(payload.len() as f64)];
            self.call(|glue| &glue.reply, &arguments);
        }
    }

    /// Runs a script as `executeJavaScript` does; the answer comes through a native. False if the
    /// script did not run.
    pub(crate) fn evaluate(&self, request: RequestId, source: String) -> bool {
        self.script.replace(Some((request, source)));
        self.call(|glue| &glue.evaluate, &[self.number(request as f64)]);
        self.script.take().is_none()
    }

    /// Reports that an operation of the system, which a module requested without waiting, is done.
    pub(crate) fn system_done(&self, request: u32, answer: &str) {
        self.call(|glue| &glue.system_done, &[self.number(request), self.context.string(answer)]);
    }

    pub(crate) fn run_preload(&self) {
        self.call(|glue| &glue.run_preload, &[]);
    }

    /// The window has a new document: the glue restores erased listeners, and the main realm
    /// reports the document.
    pub(crate) fn renew(&self) {
        self.call(|glue| &glue.renew, &[]);
    }

    /// Restores the glue's listeners, because the window's may have been erased.
    pub(crate) fn arm(&self) {
        self.call(|glue| &glue.arm, &[]);
    }

    /// Whether the frame went with the document; valid after `pagehide`.
    pub(crate) fn is_frame_gone(&self) -> bool {
        self.call(|glue| &glue.is_frame_gone, &[]).and_then(|gone| gone.as_bool()).unwrap_or(false)
    }

    /// The handle of a DOM port that is stamped in this realm, 0 once it is detached; `None` if it
    /// is not stamped here.
    pub(crate) fn handle_of(&self, port: Value<'_>) -> Option<Handle> {
        let handle = self.call(|glue| &glue.handle_of, &[port])?.as_number()?;
        (handle >= 0.0).then_some(handle as Handle)
    }

    /// Detaches a DOM port that is stamped in this realm, so that another realm can transfer it.
    pub(crate) fn release(&self, port: Value<'_>) -> Option<Handle> {
        self.call(|glue| &glue.release, &[port])?.as_number().map(|handle| handle as Handle)
    }

    /// Checks for ports that have left this realm by a native function, because an untracked port
    /// has arrived in a document. `sent` means that a document of this realm's origin sent it.
    pub(crate) fn look_for_untracked(&self, sent: bool) {
        self.call(|glue| &glue.look, &[self.context.boolean(sent)]);
    }

    /// Relays between a port of this realm (`handle`) and its twin, which is kept here under `key`.
    /// A message that could not be delivered goes first.
    pub(crate) fn relay(&self, key: Handle, handle: Handle, first: Option<(&[u8], &[Handle])>) {
        let (length, count) = match first {
            Some((payload, handles)) if self.fill(payload, handles) => (payload.len() as f64, handles.len() as f64),
            _ => (-1.0, 0.0),
        };
        let arguments = [self.number(key), self.number(handle), self.number(length), self.number(count)];
        self.call(|glue| &glue.relay, &arguments);
    }

    /// The port whose twin is kept here under `key` is gone.
    pub(crate) fn forget_twin(&self, key: Handle) {
        self.call(|glue| &glue.forget_twin, &[self.number(key)]);
    }

    /// Calls a method of `MessagePort` on a port that is stamped in this realm, for a call in
    /// another realm.
    pub(crate) fn invoke(&self, arguments: &[Value<'_>]) -> Option<Completion<'_>> {
        self.glue.get().map(|glue| glue.invoke.call(arguments))
    }

    /// Sends a window message with ports of this realm. An exception is passed to the caller in the
    /// page.
    pub(crate) fn send_window_message(&self, arguments: &[Value<'_>]) -> Option<Completion<'_>> {
        self.glue.get().map(|glue| glue.send.call(arguments))
    }
}
