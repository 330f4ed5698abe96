//! Starts the threads, runs the program's function, and ends everything.

use std::{
    any::Any,
    future::Future,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use strait_inspect::Inspector;
use strait_ports::Node;
use tokio::task::LocalSet;

use crate::{
    App, AppConfig, AppEvent, SecondInstance, StartError, Value, agent_so, dispatch,
    instance::{self, InstanceLock},
    io::{self as io_thread, IoCommand, IoThread},
    printable,
    queue::{self, Entries, Queue, Queued},
    quit,
    runtime_dir::RuntimeDir,
    sandbox::{self, Sandbox},
    shared::{Shared, SharedRef},
    ui::{self, UiCommand, UiHandle, Views},
    utility::raise_descriptor_limit,
    value,
};

/// Stack of the program's thread, in bytes: an embedded JS engine recurses on it. Unused pages of
/// it cost nothing.
pub const PROGRAM_STACK: usize = 16 << 20;

/// The exit code of a program that panicked, as in Rust's own runtime.
const PANIC_CODE: i32 = 101;

/// The result of the program's function: nothing, or an error that ends the program with code 1.
pub trait ProgramResult {
    /// The error's text, if the result is one.
    fn failure(self) -> Option<String>;
}

impl ProgramResult for () {
    fn failure(self) -> Option<String> {
        None
    }
}

impl<T: ProgramResult, E: std::fmt::Display> ProgramResult for Result<T, E> {
    fn failure(self) -> Option<String> {
        match self {
            Ok(inner) => inner.failure(),
            Err(error) => Some(error.to_string()),
        }
    }
}

pub(crate) fn run<F, Fut>(config: AppConfig, main: F) -> Result<i32, StartError>
where
    F: FnOnce(App) -> Fut + Send + 'static,
    Fut: Future + 'static,
    Fut::Output: ProgramResult,
{
    let (ui, connect) = UiHandle::deferred();
    let (running, entries, views) = start(config, ui)?;
    let ui = match ui::Ui::start() {
        Ok(ui) => ui,
        Err(error) => {
            running.end();
            return Err(error);
        }
    };
    Sandbox::prepare(&running.shared, ui.x_display());
    connect.to(ui.handle());
    let program = thread::Builder::new()
        .name("strait-program".into())
        .stack_size(PROGRAM_STACK)
        .spawn({
            let shared = running.shared.clone();
            move || program_thread(shared, entries, main)
        })
        .map_err(StartError::Engine)?;
    ui.run(&running.shared, views);
    let code = program.join().unwrap_or(PANIC_CODE);
    running.end();
    Ok(code)
}

/// The parts of a running program besides its own thread and GTK's.
pub(crate) struct Running {
    pub(crate) shared: SharedRef,
    io: IoThread,
}

impl Running {
    /// Ends everything, once all windows are closed: children, the node (and with it the remaining
    /// web processes), the runtime folder.
    pub(crate) fn end(self) {
        self.shared.children.end_all();
        drop(self.shared.instance().take());
        self.shared.io.send(IoCommand::Shutdown);
        self.io.join();
        strait_output::flush(strait_output::FLUSH_LIMIT);
    }
}

/// Starts everything except GTK and the program itself.
pub(crate) fn start(config: AppConfig, ui: UiHandle) -> Result<(Running, Entries, Views), StartError> {
    raise_descriptor_limit();
    let (queue, entries) = queue::queue();
    // Before all work that a later instance need not wait for.
    let instance = match &config.single_instance {
        Some(data) => Some(only_instance(&config, data, &queue)?),
        None => None,
    };
    sandbox::withhold_caches();
    let agent = agent_so::install()?;
    let extensions = agent.folder.clone();
    let folder = RuntimeDir::create().map_err(StartError::RuntimeFolder)?;
    let (socket, partitions) = (folder.socket(), folder.partitions());
    let node = Node::broker().map_err(StartError::Engine)?;
    if let Some(file) = &config.inspect {
        Inspector::attach(&node, ("main", std::process::id()), file)
            .map_err(|source| StartError::Inspect { path: file.clone(), source })?;
    }
    let (io_handle, io_inbox) = io_thread::channel().map_err(StartError::Engine)?;
    io_thread::watch_limits(&node, config.limits, io_handle.clone());
    let shared = SharedRef::new(Shared::assemble(config, node, ui, io_handle, queue, folder.reports()));
    *shared.instance() = instance;
    // The program is new, so it was not set before.
    let _ = shared.agent.set(agent);
    let io = io_thread::start(shared.clone(), io_inbox, folder)?;
    Ok((Running { shared, io }, entries, Views { extensions, socket, partitions }))
}

fn only_instance(config: &AppConfig, data: &Value, queue: &Queue) -> Result<InstanceLock, StartError> {
    let invalid = |_| StartError::Instance(io::Error::from(io::ErrorKind::InvalidInput));
    let me = SecondInstance::this(value::encode(data).map_err(invalid)?, config.arguments.clone());
    let lock = instance::acquire(&config.user_data_folder(), &me, report_instances(queue.clone()));
    lock.map_err(StartError::Instance)?.ok_or(StartError::AlreadyRunning)
}

/// Reports later instances to the program.
pub(crate) fn report_instances(queue: Queue) -> impl FnMut(SecondInstance) + Send {
    move |second| queue.event(AppEvent::SecondInstance(Box::new(second)))
}

fn program_thread<F, Fut>(shared: SharedRef, mut entries: Entries, main: F) -> i32
where
    F: FnOnce(App) -> Fut + 'static,
    Fut: Future + 'static,
    Fut::Output: ProgramResult,
{
    dispatch::enter_program_thread();
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // Then messages for the program need neither the I/O thread nor a wake-up of this one.
            .on_thread_park({
                let node = shared.node.clone();
                move || {
                    let _told = io_thread::route_here(|| node.busy_poll());
                }
            })
            .build()
            .expect("a runtime can be made");
        let local = LocalSet::new();
        let code = local.block_on(&runtime, async {
            let app = App(shared.clone());
            spawn(&shared, async move {
                if let Some(text) = main(app.clone()).await.failure() {
                    // It may quote a page's text.
                    strait_output::report!("Error: {}", printable(&text));
                    app.exit(1);
                }
            });
            loop {
                match entries.recv().await {
                    Queued::Event(event) => dispatch::dispatch(&shared, event),
                    Queued::Settle(tell) => tell(),
                    // This program starts when windows can be made already.
                    Queued::Started(_) => {}
                    Queued::End(code) => return code,
                }
            }
        });
        dispatch::drop_sink();
        drop(local);
        code
    }));
    let code = ran.unwrap_or_else(|_| {
        // The windows still close in order; all other events until then are dropped.
        quit::exit(&shared, PANIC_CODE);
        while !matches!(entries.blocking_recv(), Queued::End(_)) {}
        PANIC_CODE
    });
    shared.ui(UiCommand::Exit);
    code
}

/// Runs a future on the program's thread; a panic in it ends the program.
pub(crate) fn spawn(shared: &SharedRef, future: impl Future<Output = ()> + 'static) {
    let running = tokio::task::spawn_local(future);
    let shared = shared.clone();
    tokio::task::spawn_local(async move {
        if let Err(error) = running.await
            && error.is_panic()
        {
            let _: Box<dyn Any + Send> = error.into_panic();
            quit::exit(&shared, PANIC_CODE);
        }
    });
}
