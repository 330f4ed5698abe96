//! The program's configuration ([`AppConfig`]) and the preferences of its windows
//! ([`WebPreferences`]).

use std::{
    env,
    path::{Path, PathBuf},
};

use strait_ports::Limits;

use crate::NodeJs;

/// The configuration of a program, for [`App::run`](crate::App::run).
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

/// The default of [`AppConfig::port_queue_limit`], in bytes.
pub const DEFAULT_PORT_QUEUE_LIMIT: usize = 100 << 20;
/// The default of [`AppConfig::agent_queues_limit`], in bytes.
pub const DEFAULT_AGENT_QUEUES_LIMIT: usize = 256 << 20;
/// The default of [`AppConfig::agent_backlog_limit`], in bytes.
pub const DEFAULT_AGENT_BACKLOG_LIMIT: usize = 100 << 20;

impl AppConfig {
    /// A program whose pages are in the folder `app_path` (made absolute against the working
    /// folder). Its name is the executable's.
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

    /// The program's arguments, which an [earlier instance](crate::App::on_second_instance)
    /// receives; by default the process's. For programs that run in an interpreter.
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.arguments = Some(arguments.into_iter().map(Into::into).collect());
        self
    }

    /// Whether console messages of pages, preload errors and the like are printed on the terminal
    /// (the default). An event sink receives them in any case.
    pub fn console(mut self, on: bool) -> Self {
        self.console = on;
        self
    }
}

impl AppConfig {
    /// Whether pages have a function `gc`, in their own world and in the preload's, which collects
    /// garbage at once: for tests that objects are released.
    pub fn expose_gc(mut self, on: bool) -> Self {
        self.expose_gc = on;
        self
    }

    /// Appends every event of every port of the program to this file (which may be `/dev/stderr`).
    /// Each process writes its own events, each as a line of JSON; [`strait_inspect`] describes the
    /// lines. This is for debugging: receiving is slower with it.
    pub fn inspect_ports(mut self, file: impl AsRef<Path>) -> Self {
        let file = file.as_ref();
        self.inspect = Some(std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf()));
        self
    }

    /// The limit of messages that are queued at one port of the main process and not received (100
    /// MiB by default). It counts bytes; each message costs 128 bytes and each port in it 512 bytes
    /// besides. `None`: unlimited.
    ///
    /// A message that arrives when the limit is exceeded ends the channel, with the reason
    /// `dropped` at both ends. The queued messages are dropped, a line is printed on standard
    /// error, and [`NodeStats::overflowed_ports`](strait_ports::NodeStats::overflowed_ports) of
    /// [`App::node`](crate::App::node) counts it. One message of any size is always accepted. A
    /// program that receives slowly can make its pages wait: by streams, by answers, or by a
    /// [high-water mark](strait_ports::Port::set_high_water_mark).
    pub fn port_queue_limit(mut self, bytes: Option<usize>) -> Self {
        self.limits.port_queue = bytes;
        self
    }

    /// The limit of messages from one renderer or child process that are queued at all ports of the
    /// main process together and not received (256 MiB by default). It counts as
    /// [`AppConfig::port_queue_limit`] does. `None`: unlimited.
    ///
    /// Above the limit channels of this process end, those with the longest queues first, as with
    /// [`AppConfig::port_queue_limit`]. A tolerance of one sixteenth applies.
    pub fn agent_queues_limit(mut self, bytes: Option<usize>) -> Self {
        self.limits.peer_queues = bytes;
        self
    }

    /// The limit of messages that are queued for one renderer or child process that does not read
    /// (100 MiB by default): answers to `invoke`, messages to its pages, and messages on ports. It
    /// counts as [`AppConfig::port_queue_limit`] does. `None`: unlimited.
    ///
    /// A message beyond the limit ends the connection. All its ports close with `crashed`, and a
    /// renderer's process is ended (`render-process-gone`). A line on the page's console and on
    /// standard error reports the reason. The message being sent does not count, so two messages of
    /// any size are always accepted.
    /// [`NodeStats::overflowed_links`](strait_ports::NodeStats::overflowed_links) counts it.
    pub fn agent_backlog_limit(mut self, bytes: Option<usize>) -> Self {
        self.limits.link_backlog = bytes;
        self
    }

    /// Whether all windows run without the operating system's sandbox, whatever their
    /// [`WebPreferences::sandbox`] is (default: no). For machines without the sandbox, such as
    /// containers without namespaces. There, without this option, a window runs unsandboxed after a
    /// warning; with an explicit `sandbox: true` its loads fail. The usual source is the
    /// command-line switch [`NO_SANDBOX`](crate::NO_SANDBOX).
    pub fn no_sandbox(mut self, on: bool) -> Self {
        self.no_sandbox = on;
        self
    }

    /// The runtime of utility processes in JavaScript: Node.js 18.19 or later, with Strait's
    /// scripts and addon for it. By default [`NodeJs::find`] searches it when the first such
    /// process is started, on a thread of its own.
    pub fn node_js(mut self, node: NodeJs) -> Self {
        self.node_js = Some(node);
        self
    }

    /// The folder for the program's data (made absolute against the working folder). The default is
    /// a folder with the program's name in the user's folder for configuration, `$XDG_CONFIG_HOME`
    /// or `~/.config`. Its folder `WebKit` holds the pages' data: local storage, databases, cookies
    /// and caches. If that folder cannot be written, these data last as long as the program.
    pub fn user_data(mut self, path: impl AsRef<Path>) -> Self {
        self.user_data = Some(std::path::absolute(path.as_ref()).unwrap_or_else(|_| path.as_ref().to_path_buf()));
        self
    }

    /// Allows one instance of the program for each [user data folder](AppConfig::user_data). If
    /// there is one already, it receives this instance's arguments and `data`
    /// ([`App::on_second_instance`](crate::App::on_second_instance)). [`App::run`](crate::App::run)
    /// then returns [`StartError::AlreadyRunning`](crate::StartError::AlreadyRunning), before it
    /// connects to a display.
    pub fn single_instance(mut self, data: impl Into<strait_clone::Value>) -> Self {
        self.single_instance = Some(data.into());
        self
    }

    /// The folder that applies.
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

/// Preferences of a window's pages.
///
/// ```
/// let preferences = strait::WebPreferences { node_integration: true, ..Default::default() };
/// assert!(!preferences.isolates());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebPreferences {
    /// Script that runs before each document of the main frame; relative paths are relative to the
    /// program's folder.
    pub preload: Option<PathBuf>,
    /// Gives the page's own scripts `require`.
    pub node_integration: bool,
    /// Whether preload and `ipcRenderer` are in a world of their own. By default yes, unless
    /// `node_integration` is on.
    pub context_isolation: Option<bool>,
    /// Frames in the page have preload and `require` too, whichever their origin.
    pub node_integration_in_sub_frames: bool,
    /// Whether the page's process runs in the operating system's sandbox. Its preload then has only
    /// `electron`, `events`, `timers` and `url`. By default yes, unless `node_integration` is on.
    /// `Some(true)` overrides `node_integration`, and the window's loads fail where the sandbox is
    /// not available (see [`AppConfig::no_sandbox`]). A window that a page opens is in its opener's
    /// process, and so in its opener's sandbox.
    pub sandbox: Option<bool>,
    /// The last arguments in the page's `process.argv`.
    pub additional_arguments: Vec<String>,
    /// Whether the inspector can be opened. By default yes.
    pub dev_tools: Option<bool>,
    /// Whether the same-origin policy applies. By default yes. Without it a page can read any
    /// server's data.
    pub web_security: Option<bool>,
    /// Whether a hidden page has slower timers. By default no, because hidden pages are workers.
    pub background_throttling: Option<bool>,
    /// The partition of the pages' cookies, storage and caches; all pages with the same partition
    /// share them. A partition whose name begins with `persist:` is stored in the [user data
    /// folder](crate::App::user_data); any other lasts as long as the program. Left out or empty:
    /// the program's own.
    pub partition: Option<String>,
}

impl WebPreferences {
    /// Whether context isolation applies.
    pub fn isolates(&self) -> bool {
        self.context_isolation.unwrap_or(!self.node_integration)
    }

    /// Whether the window should run in the sandbox: Electron's rule.
    pub fn sandboxed(&self) -> bool {
        self.sandbox.unwrap_or(!self.node_integration)
    }
}
