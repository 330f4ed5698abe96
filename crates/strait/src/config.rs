//! What a program says about itself and its windows.

use std::{
    env,
    path::{Path, PathBuf},
};

use strait_ports::Limits;

use crate::NodeJs;

/// What [`App::run`](crate::App::run) needs to know.
///
/// ```
/// let config = strait::AppConfig::new("/opt/program").name("Program").version("1.2.0");
/// ```
#[derive(Debug, Clone)]
pub struct AppConfig {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) app_path: PathBuf,
    pub(crate) arguments: Option<Vec<String>>,
    pub(crate) console: bool,
    pub(crate) inspect: Option<PathBuf>,
    pub(crate) expose_gc: bool,
    pub(crate) no_sandbox: bool,
    pub(crate) user_data: Option<PathBuf>,
    pub(crate) single_instance: Option<strait_clone::Value>,
    pub(crate) limits: Limits,
    pub(crate) node_js: Option<NodeJs>,
}

/// [`AppConfig::port_queue_limit`] unless it is set, in bytes.
pub const DEFAULT_PORT_QUEUE_LIMIT: usize = 100 << 20;
/// [`AppConfig::agent_queues_limit`] unless it is set, in bytes.
pub const DEFAULT_AGENT_QUEUES_LIMIT: usize = 256 << 20;
/// [`AppConfig::agent_backlog_limit`] unless it is set, in bytes.
pub const DEFAULT_AGENT_BACKLOG_LIMIT: usize = 100 << 20;

impl AppConfig {
    /// A program whose pages lie in `app_path` (made absolute against the working folder). Its name is the executable's.
    pub fn new(app_path: impl AsRef<Path>) -> Self {
        let app_path = std::path::absolute(app_path.as_ref()).unwrap_or_else(|_| app_path.as_ref().to_path_buf());
        let name = env::current_exe().ok().and_then(|exe| exe.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        Self {
            name: name.unwrap_or_else(|| "strait".into()),
            version: "0.0.0".into(),
            app_path,
            arguments: None,
            console: true,
            inspect: None,
            expose_gc: false,
            no_sandbox: false,
            user_data: None,
            single_instance: None,
            limits: Limits {
                port_queue: Some(DEFAULT_PORT_QUEUE_LIMIT),
                peer_queues: Some(DEFAULT_AGENT_QUEUES_LIMIT),
                link_backlog: Some(DEFAULT_AGENT_BACKLOG_LIMIT),
            },
            node_js: None,
        }
    }

    /// The program's name: [`App::name`](crate::App::name) and the title of windows that have none.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The program's version: [`App::version`](crate::App::version).
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// The program's arguments, which an [earlier instance](crate::App::on_second_instance) gets; otherwise the process's. For programs that another one
    /// interprets.
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.arguments = Some(arguments.into_iter().map(Into::into).collect());
        self
    }

    /// Whether console messages of pages, preload errors and the like go to the terminal (the default). With an event sink the
    /// sink gets them in any case.
    pub fn console(mut self, on: bool) -> Self {
        self.console = on;
        self
    }
}

impl AppConfig {
    /// Whether pages have a function `gc`, which collects what is garbage at once (in the page's world and in the preload's): for tests of what is let go of.
    pub fn expose_gc(mut self, on: bool) -> Self {
        self.expose_gc = on;
        self
    }

    /// Every event of every port of the program is appended to this file (which may be `/dev/stderr`), as a line of JSON, by the process it happens in. See
    /// [`strait_inspect`] for what a line says. For finding mistakes: receiving is slower then.
    pub fn inspect_ports(mut self, file: impl AsRef<Path>) -> Self {
        let file = file.as_ref();
        self.inspect = Some(std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf()));
        self
    }

    /// What may wait at one port that the main process holds and does not read (100 MiB by default): bytes, where a message counts 128 besides its own
    /// and 512 for each port in it. `None`: any amount.
    ///
    /// A message that comes when more than that waits ends the channel, with the reason `dropped` at both ends, and what waits is dropped. A line on
    /// standard error says so, and [`NodeStats::overflowed_ports`](strait_ports::NodeStats::overflowed_ports) of [`App::node`](crate::App::node) counts it.
    /// One message of any size always has room. A program that reads slowly lets its pages wait: by streams, answers, or a
    /// [high-water mark](strait_ports::Port::set_high_water_mark).
    pub fn port_queue_limit(mut self, bytes: Option<usize>) -> Self {
        self.limits.port_queue = bytes;
        self
    }

    /// What may wait at all ports together that the main process holds and does not read, and for which one renderer or child process sends (256 MiB by default),
    /// counted as for [`AppConfig::port_queue_limit`]. `None`: any amount.
    ///
    /// Above that channels of this process end, those in which most waits first, as with [`AppConfig::port_queue_limit`]. A sixteenth more may wait
    /// before that happens.
    pub fn agent_queues_limit(mut self, bytes: Option<usize>) -> Self {
        self.limits.peer_queues = bytes;
        self
    }

    /// What may wait for one renderer or child process that does not read what is sent to it: answers to `invoke`, messages to its pages, and what is posted
    /// on ports (100 MiB by default), counted as for [`AppConfig::port_queue_limit`]. `None`: any amount.
    ///
    /// A message beyond that ends the connection: all its ports close with `crashed`, a renderer's process is ended (`render-process-gone`), and a line on the page's console
    /// and on standard error says why. The message that is being sent does not count, so two messages of any size always have room.
    /// [`NodeStats::overflowed_links`](strait_ports::NodeStats::overflowed_links) counts it.
    pub fn agent_backlog_limit(mut self, bytes: Option<usize>) -> Self {
        self.limits.link_backlog = bytes;
        self
    }

    /// Whether all windows run without the operating system's sandbox, whatever their [`WebPreferences::sandbox`] says (the default is no). For
    /// machines where the sandbox is not available, such as containers without namespaces: without this, a window there runs unsandboxed after a
    /// warning, or, with an explicit `sandbox: true`, fails its loads. The usual source is the command-line switch [`NO_SANDBOX`](crate::NO_SANDBOX).
    pub fn no_sandbox(mut self, on: bool) -> Self {
        self.no_sandbox = on;
        self
    }

    /// What runs utility processes in JavaScript: Node.js 18.19 or later, and the scripts and the addon that Strait has for it. Left out: what
    /// [`NodeJs::find`] finds when the first such process is started, on a thread of its own.
    pub fn node_js(mut self, node: NodeJs) -> Self {
        self.node_js = Some(node);
        self
    }

    /// Where the program keeps its data (made absolute against the working folder). Left out: the program's name in the user's folder for
    /// configuration, `$XDG_CONFIG_HOME` or `~/.config`. The folder `WebKit` in it holds what pages store: local storage, databases, cookies
    /// and caches. If that cannot be written, they last as long as the program.
    pub fn user_data(mut self, path: impl AsRef<Path>) -> Self {
        self.user_data = Some(std::path::absolute(path.as_ref()).unwrap_or_else(|_| path.as_ref().to_path_buf()));
        self
    }

    /// There shall be one instance of the program for each [user data folder](AppConfig::user_data): if there is one already, it hears of this
    /// one and of `data` ([`App::on_second_instance`](crate::App::on_second_instance)), and [`App::run`](crate::App::run) ends with
    /// [`StartError::AlreadyRunning`](crate::StartError::AlreadyRunning) before it has looked for a display.
    pub fn single_instance(mut self, data: impl Into<strait_clone::Value>) -> Self {
        self.single_instance = Some(data.into());
        self
    }

    /// The folder that holds.
    pub(crate) fn user_data_folder(&self) -> PathBuf {
        self.user_data.clone().unwrap_or_else(|| config_home().join(self.name.replace('/', "-")))
    }
}

/// The user's folder for configuration.
pub(crate) fn config_home() -> PathBuf {
    let variable = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    variable("XDG_CONFIG_HOME").unwrap_or_else(|| variable("HOME").unwrap_or_else(|| "/".into()).join(".config"))
}

impl Default for AppConfig {
    /// [`AppConfig::new`] with the working folder.
    fn default() -> Self {
        Self::new(".")
    }
}

/// What a window's pages may do.
///
/// ```
/// let preferences = strait::WebPreferences { node_integration: true, ..Default::default() };
/// assert!(!preferences.isolates());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebPreferences {
    /// Script that runs before each document of the main frame; relative paths are relative to the program's folder.
    pub preload: Option<PathBuf>,
    /// Gives the page's own scripts `require`.
    pub node_integration: bool,
    /// Whether preload and `ipcRenderer` live in a world of their own. Left out: yes, unless `node_integration` is on.
    pub context_isolation: Option<bool>,
    /// Preload and `require` are for the frames in the page too, wherever they come from.
    pub node_integration_in_sub_frames: bool,
    /// Whether the page's process runs in the operating system's sandbox, and its preload has `electron`, `events`, `timers` and `url` alone. Left
    /// out: yes, unless `node_integration` is on. `Some(true)` overrules `node_integration`, and its window fails its loads where the sandbox is not
    /// available (see [`AppConfig::no_sandbox`]). A window that a page opens is in its opener's process, and so in its opener's sandbox.
    pub sandbox: Option<bool>,
    /// What `process.argv` ends with in the page.
    pub additional_arguments: Vec<String>,
    /// Whether the inspector can be opened. Left out: yes.
    pub dev_tools: Option<bool>,
    /// Whether the same-origin policy holds. Left out: yes. Without it a page can read what any server has.
    pub web_security: Option<bool>,
    /// Whether a page that is hidden has slower timers. Left out: no, because hidden pages are workers.
    pub background_throttling: Option<bool>,
    /// Which cookies, storage and caches the pages have: those of all pages with the same partition. One whose name begins with `persist:` is kept in
    /// the [user data folder](crate::App::user_data), another lasts as long as the program. Left out or empty: the program's own.
    pub partition: Option<String>,
}

impl WebPreferences {
    /// The isolation that holds.
    pub fn isolates(&self) -> bool {
        self.context_isolation.unwrap_or(!self.node_integration)
    }

    /// Whether the window should run in the sandbox: Electron's rule.
    pub fn sandboxed(&self) -> bool {
        self.sandbox.unwrap_or(!self.node_integration)
    }
}
