//! Answers to `invoke` and `sendSync`.

use strait_clone::Value;
use strait_protocol::{Outcome, RequestId, ToAgent};

use crate::{DocumentId, shared::SharedRef, value};

/// Answers one `ipcRenderer.invoke` or `sendSync`, once. Dropped without an answer, it rejects with
/// `Error: reply was never sent`. An answer to a document that is gone is dropped silently.
///
/// ```no_run
/// # fn f(event: strait::AppEvent) -> Result<(), Box<dyn std::error::Error>> {
/// use strait::{AppEvent, IpcEventKind, IpcMessage, Value};
/// if let AppEvent::Ipc(IpcMessage { kind: IpcEventKind::Invoke(responder), .. }) = event {
///     responder.resolve(strait_clone::write(&Value::from("done"))?);
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Responder {
    open: Option<(SharedRef, DocumentId, RequestId)>,
}

impl Responder {
    pub(crate) fn new(shared: SharedRef, document: DocumentId, request: RequestId) -> Self {
        Self { open: Some((shared, document, request)) }
    }

    /// Answers with a value: its structured clone.
    pub fn resolve(mut self, payload: Vec<u8>) {
        self.answer(Outcome::Value(payload));
    }

    pub(crate) fn resolve_value(self, value: &Value) {
        match value::encode(value) {
            Ok(payload) => self.resolve(payload),
            Err(error) => self.reject(format!("Error: {error}")),
        }
    }

    /// Answers with an error, in the form of `String(error)`: `TypeError: no such thing`. The
    /// page's promise rejects with `Error invoking remote method 'CHANNEL': ` and this text.
    pub fn reject(mut self, error: impl Into<String>) {
        self.answer(Outcome::Error(error.into()));
    }

    fn answer(&mut self, outcome: Outcome) {
        let Some((shared, document, request)) = self.open.take() else { return };
        let state = shared.state();
        if let Some(document) = state.registry.document(document) {
            let reply = ToAgent::Reply { document: document.wire, request, outcome };
            let _ = state.post(document.agent, &reply, Vec::new());
        }
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.answer(Outcome::Error("Error: reply was never sent".into()));
    }
}
