//! Options of a child process.

use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use strait_ports::Port;
use strait_protocol::child::{INSPECT_VARIABLE, Start};

use super::{UtilityId, UtilityProcess, children::Launch, script::Script};
use crate::{App, MessagePort, shared::SharedRef};

/// The default name of children, as in Electron.
const DEFAULT_NAME: &str = "Node Utility Process";

/// Options for a child process before it is started; made by [`UtilityProcess::builder`] or
/// [`UtilityProcess::script`].
///
/// ```no_run
/// # fn f(app: &strait::App) {
/// use std::process::Stdio;
/// let child = strait::UtilityProcess::script("child.js")
///     .arg("--depth=3")
///     .env("LANG", "C")
///     .stdout(Stdio::piped())
///     .name("crawler")
///     .spawn(app);
/// # }
/// ```
#[derive(Debug)]
pub struct UtilityProcessBuilder {
    what: What,
    args: Vec<OsString>,
    exec_args: Vec<String>,
    env: Vec<(OsString, Option<OsString>)>,
    env_clear: bool,
    folder: Option<PathBuf>,
    stdout: Option<Stdio>,
    stderr: Option<Stdio>,
    name: String,
    parent_port: Option<Port>,
}

#[derive(Debug)]
enum What {
    Program(PathBuf),
    Script(String),
}

impl UtilityProcessBuilder {
    pub(super) fn program(program: PathBuf) -> Self {
        Self::new(What::Program(program))
    }

    pub(super) fn script(module: String) -> Self {
        Self::new(What::Script(module))
    }

    fn new(what: What) -> Self {
        Self {
            what,
            args: Vec::new(),
            exec_args: Vec::new(),
            env: Vec::new(),
            env_clear: false,
            folder: None,
            stdout: None,
            stderr: None,
            name: DEFAULT_NAME.into(),
            parent_port: None,
        }
    }

    /// Adds an argument. (A script finds it in `process.argv`, as text.)
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().into());
        self
    }

    /// Adds several arguments.
    pub fn args(self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Adds an option for Node, which runs the script: `process.execArgv`. A program receives none
    /// of them. With an option that keeps Node from running the script (`--eval`, `--test`,
    /// `--watch`, ...) the process is not started, and
    /// [`UtilityEvent::LaunchFailed`](crate::UtilityEvent::LaunchFailed) contains the option.
    pub fn exec_arg(mut self, arg: impl Into<String>) -> Self {
        self.exec_args.push(arg.into());
        self
    }

    /// Sets an environment variable. The other variables are inherited from this process.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().into(), Some(value.as_ref().into())));
        self
    }

    /// Removes an environment variable.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().into(), None));
        self
    }

    /// Removes all environment variables of this process.
    pub fn env_clear(mut self) -> Self {
        self.env.clear();
        self.env_clear = true;
        self
    }

    /// The working folder; by default this process's.
    pub fn current_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = Some(folder.as_ref().into());
        self
    }

    /// The destination of the standard output; by default this process's.
    pub fn stdout(mut self, stdout: Stdio) -> Self {
        self.stdout = Some(stdout);
        self
    }

    /// The destination of the standard error; by default this process's. (Standard input is always
    /// empty.)
    pub fn stderr(mut self, stderr: Stdio) -> Self {
        self.stderr = Some(stderr);
        self
    }

    /// A name for people; by default `Node Utility Process`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the child's parent port, for programs that work with the engine's own ports.
    /// [`UtilityProcess::port`] and the methods that use it have no effect then.
    pub fn parent_port(mut self, port: Port) -> Self {
        self.parent_port = Some(port);
        self
    }

    /// Starts the process, soon. The result is reported as a [`UtilityEvent`](crate::UtilityEvent).
    /// Messages can be posted at once.
    pub fn spawn(mut self, app: &App) -> UtilityProcess {
        let (ours, theirs) = match self.parent_port.take() {
            Some(theirs) => {
                let unused = app.node().channel().0;
                let port = MessagePort::from(unused);
                drop(port.clone().into_raw());
                (port, theirs)
            }
            None => {
                let (ours, theirs) = app.node().channel();
                (ours.into(), theirs)
            }
        };
        let id = UtilityId(app.0.children.next_id());
        let process = UtilityProcess::new(id, self.name.clone(), ours, app.0.clone());
        let start = self.start();
        let shared = app.0.clone();
        let command = Box::new(move || self.command(&shared, id));
        let launch = Launch { process: process.clone(), command, start, parent_port: theirs };
        app.0.children.launch(launch);
        process
    }

    /// The first message to the child.
    fn start(&self) -> Start {
        let args = match &self.what {
            What::Script(_) => self.args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect(),
            // They are in its command line.
            What::Program(_) => Vec::new(),
        };
        Start { name: self.name.clone(), args }
    }

    /// The command to run, or the reason why there is none. Called on the children's thread,
    /// because Node may have to be searched first.
    fn command(self, shared: &SharedRef, id: UtilityId) -> Result<Command, String> {
        let (mut command, script) = match self.what {
            What::Program(program) => {
                let mut command = Command::new(program);
                command.args(&self.args);
                (command, None)
            }
            What::Script(module) => {
                let node = shared.children.node_js()?;
                (Command::new(&node.program), Some((node, Script { module, exec_args: self.exec_args })))
            }
        };
        if self.env_clear {
            command.env_clear();
        }
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        match &shared.inspect {
            Some(file) => command.env(INSPECT_VARIABLE, file),
            None => command.env_remove(INSPECT_VARIABLE),
        };
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command.stdin(Stdio::null()).stdout(self.stdout.unwrap_or(Stdio::inherit())).stderr(self.stderr.unwrap_or(Stdio::inherit()));
        if let Some((node, script)) = script {
            let report = shared.children.report(id);
            // Without the folder a failing engine writes no report.
            let _ = report.parent().map(fs::create_dir_all);
            script.complete(&mut command, node, &shared.app_path, &report)?;
        }
        Ok(command)
    }
}
