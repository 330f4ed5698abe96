//! Message ports between windows, background processes and a Rust main process.
//!
//! A program is a function. [`App::run`] calls it on a thread of its own as soon as windows can be
//! made. The program makes [`BrowserWindow`]s and receives messages from pages through [`IpcMain`].
//! It sends the two ports of a [`MessageChannel`] to two pages. From then on these pages exchange
//! messages directly, from process to process.
//!
//! ```no_run
//! use strait::{App, AppConfig, BrowserWindow, MessageChannel};
//!
//! fn main() -> Result<(), strait::StartError> {
//!     let code = App::run(AppConfig::new(env!("CARGO_MANIFEST_DIR")), |app| async move {
//!         let worker = BrowserWindow::builder().show(false).node_integration(true).build(&app);
//!         worker.load_file("worker.html").await?;
//!         let window = BrowserWindow::builder().node_integration(true).build(&app);
//!         let page = window.web_contents();
//!         app.ipc_main().on("request-worker-channel", move |event, _args| {
//!             if event.sender() != &page {
//!                 return;
//!             }
//!             let MessageChannel { port1, port2 } = MessageChannel::new(event.app());
//!             let _ = worker.web_contents().post_message("new-client", (), vec![port1]);
//!             let _ = page.post_message("provide-worker-channel", (), vec![port2]);
//!         });
//!         window.load_file("app.html").await?;
//!         Ok::<(), strait::LoadError>(())
//!     })?;
//!     std::process::exit(code)
//! }
//! ```
//!
//! Programs that work with bytes and the engine's own ports (as the addon for Node does) use
//! [`App::set_event_sink`] and the methods with names that end in `_encoded`.
//!
//! # Threads
//! The process's first thread belongs to GTK, the second one routes messages, and the third runs
//! the program. Every handle may be used from every thread. Handlers are always called on the
//! program's thread, one event after another.

mod agent_so;
mod app;
mod commits;
mod config;
mod console;
mod dispatch;
mod embed;
mod error;
mod event;
mod fair;
mod ffi;
mod frame;
mod handlers;
mod instance;
mod io;
mod ipc;
mod loading;
mod metrics;
mod outbox;
mod page;
mod page_sender;
mod popup;
mod preload;
mod program;
mod queue;
mod quit;
mod quota;
mod registry;
mod reply;
mod runtime_dir;
mod sandbox;
mod shared;
mod text;
mod ui;
mod utility;
mod web_contents;
mod window;

use strait_child::{port, value};

pub use app::App;
pub use config::{AppConfig, DEFAULT_AGENT_BACKLOG_LIMIT, DEFAULT_AGENT_QUEUES_LIMIT, DEFAULT_PORT_QUEUE_LIMIT, WebPreferences};
pub use embed::{Delivery, Embedded};
pub use error::{FrameGone, HandlerExists, LoadError, ScriptError, StartError};
pub use event::{AppEvent, ConsoleMessage, ContentsEvent, Decision, DocumentId, FrameEvent, IpcEventKind, IpcMessage, WindowEvent};
pub use frame::WebFrameMain;
pub use handlers::ListenerId;
pub use instance::SecondInstance;
pub use ipc::{IpcEvent, IpcMain};
pub use loading::LoadFuture;
pub use metrics::{ProcessKind, ProcessMetrics};
pub use page::{StyleKey, StyleOrigin};
pub use popup::{Disposition, Opened, WindowOpenDetails, WindowOpenRequest, WindowOpenResponse};
pub use program::{PROGRAM_STACK, ProgramResult};
pub use quota::QuotaGuard;
pub use registry::{ContentsId, FrameKey, SenderDocument, WindowId};
pub use reply::Responder;
pub use sandbox::NO_SANDBOX;
pub use strait_child::{
    DecodeValueError, MessageChannel, MessageEvent, MessagePort, PortRecvError, PostMessageError, PostMessageErrorKind,
};
pub use strait_clone::Value;
pub use strait_nodejs::{NoNodeJs, NodeJs, NodeRole};
pub use strait_ports::CloseReason;
pub use strait_protocol::{ConsoleLevel, World};
pub use text::printable;
pub use utility::{ExitReason, ExitStatus, FatalError, UtilityEvent, UtilityId, UtilityProcess, UtilityProcessBuilder};
pub use web_contents::{EvalFuture, WebContents};
pub use window::{BrowserWindow, BrowserWindowBuilder, CloseEvent};
