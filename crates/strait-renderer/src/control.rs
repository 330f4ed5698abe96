//! Main's control messages, and the blocking waits for them, such as `sendSync`.

use std::time::Duration;

use strait_ports::{CloseReason, Event, Port};
use strait_protocol::{DocumentId, EmitKind, IpcKind, Outcome, PageId, RequestId, ToAgent, ToMain, World, decode};

use crate::agent::{Agent, Control, Emit};

/// How long one wait in `sendSync` lasts before the agent checks the connection to main again (1
/// s). The link's end wakes the agent too; this limit covers all other cases.
const WAIT: Duration = Duration::from_secs(1);

/// The result of one read of the bootstrap port.
enum ControlEvent {
    Control(Control),
    Nothing,
    Gone(CloseReason),
}

impl Agent {
    fn pull_control(&self) -> ControlEvent {
        loop {
            let event = match self.bootstrap.borrow().as_ref() {
                Some(port) => port.try_recv(),
                None => return ControlEvent::Gone(CloseReason::Exited),
            };
            match event {
                None => return ControlEvent::Nothing,
                Some(Event::Close(reason)) => return ControlEvent::Gone(reason),
                Some(Event::Message(message)) => match decode(&message.data) {
                    Ok(decoded) => return ControlEvent::Control(Control { message: decoded, ports: message.ports }),
                    Err(error) => strait_output::report!("strait agent: {error}"),
                },
            }
        }
    }

    /// Handles one control message from the bootstrap port.
    pub(crate) fn receive_control(&self) {
        match self.pull_control() {
            ControlEvent::Control(control) => {
                // The port may have more messages: the next one comes after the ports that are
                // ready now.
                self.ready.push(0);
                self.handle(control);
            }
            ControlEvent::Nothing => {}
            ControlEvent::Gone(reason) => self.main_is_gone(reason),
        }
    }

    /// Handles one control message that was put aside; false when there is none.
    pub(crate) fn handle_queued_control(&self) -> bool {
        let Some(control) = self.control.borrow_mut().pop_front() else { return false };
        self.handle(control);
        true
    }

    fn handle(&self, Control { message, ports }: Control) {
        match message {
            ToAgent::Emit { document, channel, kind, payload } => self.accept_emit(Emit { document, channel, kind, payload, ports }),
            ToAgent::Reply { document, request, outcome } => {
                if let Some(realm) = self.document(document).and_then(|document| document.ipc_realm()) {
                    match outcome {
                        Outcome::Value(payload) => realm.reply(request, "", &payload),
                        Outcome::Error(text) => realm.reply(request, if text.is_empty() { "Error" } else { &text }, &[]),
                    }
                }
            }
            ToAgent::Eval { request, document, world, source } => {
                match self.document(document).and_then(|document| document.realm(world)) {
                    Some(realm) if realm.evaluate(request, source) => {}
                    Some(_) => self.answer(request, Outcome::Error("Error: the script could not be run".to_owned())),
                    None => self.answer(request, Outcome::Error("Error: the frame was disposed before the script ran".to_owned())),
                }
            }
            // The waiting call has taken the message, or has ended. `Admitted` was taken at the
            // start.
            ToAgent::PageSettled { .. } | ToAgent::Preload { .. } | ToAgent::Admitted { .. } => {}
            ToAgent::ClosePage { page } => self.close_page(page),
        }
    }

    pub(crate) fn answer(&self, request: RequestId, outcome: Outcome) {
        self.tell(&ToMain::EvalDone { request, outcome }, Vec::new());
    }

    /// Delivers one emit that is due; false when there is none.
    pub(crate) fn deliver_emit(&self) -> bool {
        let Some(emit) = self.emits.borrow_mut().pop_front() else { return false };
        let Emit { document, channel, kind, payload, ports } = emit;
        let realm = self.document(document).and_then(|document| match kind {
            EmitKind::Window => document.realm(World::Main),
            EmitKind::Send | EmitKind::PostMessage => document.ipc_realm(),
        });
        let Some(realm) = realm else { return true };
        let Some(handles) = self.adopt(ports, document, realm.world) else { return true };
        if !realm.emit(&channel, kind, &payload, &handles) {
            // The realm has not taken the ports: dropping closes them.
            let mut table = self.ports.borrow_mut();
            for handle in handles {
                drop(table.take(handle, document));
            }
        }
        true
    }

    /// Sends an IPC message; false if main is gone.
    pub(crate) fn send_ipc(&self, document: DocumentId, kind: IpcKind, channel: String, payload: Vec<u8>, ports: Vec<Port>) -> bool {
        self.tell(&ToMain::Ipc { document, kind, channel, payload }, ports)
    }

    /// Sends the IPC messages that waited for ports in them and are due now.
    pub(crate) fn send_due_ipc(&self) {
        loop {
            let Some(due) = self.ports.borrow_mut().next_due() else { return };
            self.send_ipc(due.document, due.kind, due.channel, due.payload, due.ports);
        }
    }

    /// Waits for the answer to a `sendSync`. The node goes on routing for others; nothing is
    /// delivered meanwhile.
    pub(crate) fn wait_for_reply(&self, document: DocumentId, request: RequestId) -> Result<Vec<u8>, String> {
        let answer = self.wait_for(|message| match message {
            ToAgent::Reply { document: d, request: r, outcome } if (d, r) == (document, request) => Ok(outcome),
            other => Err(other),
        })?;
        match answer {
            Outcome::Value(payload) => Ok(payload),
            Outcome::Error(text) => Err(text),
        }
    }

    /// Requests the text of a sandboxed page's preload from main and waits for it, as in
    /// `sendSync`.
    ///
    /// # Errors
    /// Main is gone, or main's reason why it has no text.
    pub(crate) fn preload_text(&self, page: PageId) -> Result<String, String> {
        if !self.tell(&ToMain::PreloadWanted { page }, Vec::new()) {
            return Err("the main process is gone".to_owned());
        }
        self.wait_for(|message| match message {
            ToAgent::Preload { page: of, text } if of == page => Ok(text),
            other => Err(other),
        })?
    }

    /// Waits for the first control message that `wanted` accepts. All others are put aside.
    pub(crate) fn wait_for<T>(&self, wanted: impl Fn(ToAgent) -> Result<T, ToAgent>) -> Result<T, String> {
        loop {
            match self.pull_control() {
                ControlEvent::Control(Control { message, ports }) => match wanted(message) {
                    Ok(found) => {
                        self.ready.push(0);
                        return Ok(found);
                    }
                    Err(message) => self.control.borrow_mut().push_back(Control { message, ports }),
                },
                ControlEvent::Nothing => {
                    if let Err(error) = self.node.wait(Some(WAIT)) {
                        return Err(format!("the main process cannot be reached: {error}"));
                    }
                }
                ControlEvent::Gone(reason) => {
                    self.main_is_gone(reason);
                    return Err("the main process is gone".to_owned());
                }
            }
        }
    }
}
