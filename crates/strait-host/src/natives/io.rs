//! Natives for child processes and sockets. What takes time is a promise, of a value or of an error's code (a string, such as `ENOENT`).

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    future::Future,
    io,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{Output, Stdio},
    rc::Rc,
};

use rquickjs::{Array, Ctx, IntoJs, Object, Result, TypedArray, Value, prelude::Func, promise::Promised};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    process::{Child, Command},
    sync::{Mutex, Notify},
};

/// The most that is read at once.
const CHUNK: usize = 64 << 10;

type Id = u32;

#[derive(Clone)]
enum Resource {
    Reader(Rc<Mutex<Box<dyn AsyncRead + Unpin>>>),
    Writer(Rc<Mutex<Box<dyn AsyncWrite + Unpin>>>),
    Process(Rc<Process>),
    Tcp(Rc<TcpListener>),
    Unix(Rc<UnixListener>),
}

struct Process {
    child: Mutex<Child>,
    pid: u32,
    ended: Cell<bool>,
}

struct Entry {
    resource: Resource,
    /// Told when a script lets go of it: whoever waits for it waits no longer.
    dropped: Rc<Notify>,
}

thread_local! {
    /// What the program of this thread has open.
    static OPEN: RefCell<HashMap<Id, Entry>> = RefCell::default();
    static LAST: Cell<Id> = const { Cell::new(0) };
}

/// Registers them.
pub(crate) fn register(natives: &Object<'_>) -> Result<()> {
    natives.set("processSpawn", Func::from(spawn))?;
    natives.set("processWait", Func::from(wait))?;
    natives.set("processKill", Func::from(kill))?;
    natives.set("processRun", Func::from(run))?;
    natives.set("killPid", Func::from(kill_pid))?;
    natives.set("removeSocket", Func::from(|path: String| drop(std::fs::remove_file(path))))?;
    natives.set("ioRead", Func::from(read))?;
    natives.set("ioWrite", Func::from(write))?;
    natives.set("ioEnd", Func::from(end))?;
    natives.set("ioDrop", Func::from(drop_resource))?;
    natives.set("netConnect", Func::from(connect))?;
    natives.set("netListen", Func::from(listen))?;
    natives.set("netAccept", Func::from(accept))
}

fn keep(resource: Resource) -> Id {
    let id = LAST.get() + 1;
    LAST.set(id);
    OPEN.with_borrow_mut(|open| open.insert(id, Entry { resource, dropped: Rc::default() }));
    id
}

fn open(id: Id) -> Option<(Resource, Rc<Notify>)> {
    OPEN.with_borrow(|open| open.get(&id).map(|entry| (entry.resource.clone(), entry.dropped.clone())))
}

fn drop_resource(id: Id) {
    let entry = OPEN.with_borrow_mut(|open| open.remove(&id));
    if let Some(entry) = entry {
        entry.dropped.notify_waiters();
    }
}

/// The name that programs know an error by.
fn code(error: &io::Error) -> String {
    const CODES: [(i32, &str); 24] = [
        (1, "EPERM"),
        (2, "ENOENT"),
        (7, "E2BIG"),
        (8, "ENOEXEC"),
        (9, "EBADF"),
        (11, "EAGAIN"),
        (12, "ENOMEM"),
        (13, "EACCES"),
        (20, "ENOTDIR"),
        (21, "EISDIR"),
        (22, "EINVAL"),
        (23, "ENFILE"),
        (24, "EMFILE"),
        (32, "EPIPE"),
        (91, "EPROTOTYPE"),
        (97, "EAFNOSUPPORT"),
        (98, "EADDRINUSE"),
        (99, "EADDRNOTAVAIL"),
        (101, "ENETUNREACH"),
        (104, "ECONNRESET"),
        (107, "ENOTCONN"),
        (110, "ETIMEDOUT"),
        (111, "ECONNREFUSED"),
        (113, "EHOSTUNREACH"),
    ];
    let number = error.raw_os_error();
    match CODES.iter().find(|(known, _)| Some(*known) == number) {
        Some((_, name)) => (*name).into(),
        // A name that no address is found for.
        None if number.is_none() => "ENOTFOUND".into(),
        None => "EIO".into(),
    }
}

/// A value, or an error's code.
struct Answer<T>(io::Result<T>);

impl<'js, T: IntoJs<'js>> IntoJs<'js> for Answer<T> {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        match self.0 {
            Ok(value) => value.into_js(ctx),
            Err(error) => code(&error).into_js(ctx),
        }
    }
}

/// Bytes as a Uint8Array; `None` as null.
struct Bytes(Option<Vec<u8>>);

impl<'js> IntoJs<'js> for Bytes {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        match self.0 {
            Some(bytes) => TypedArray::new(ctx.clone(), bytes)?.into_js(ctx),
            None => Ok(Value::new_null(ctx.clone())),
        }
    }
}

fn promised<'js, T: IntoJs<'js> + 'js>(ctx: &Ctx<'js>, future: impl Future<Output = io::Result<T>> + 'js) -> Result<Value<'js>> {
    Promised(async move { Answer(future.await) }).into_js(ctx)
}

/// `None` once the resource has been dropped.
async fn unless_dropped<T>(dropped: &Notify, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = dropped.notified() => None,
        result = future => Some(result),
    }
}

fn command(options: &Object<'_>) -> Result<std::process::Command> {
    let mut command = std::process::Command::new(options.get::<_, String>("file")?);
    command.args(options.get::<_, Vec<String>>("args")?);
    if let Some(name) = options.get::<_, Option<String>>("argv0")? {
        command.arg0(name);
    }
    command.env_clear();
    for pair in options.get::<_, Vec<Vec<String>>>("env")? {
        if let [name, value] = pair.as_slice() {
            command.env(name, value);
        }
    }
    if let Some(folder) = options.get::<_, Option<String>>("cwd")? {
        command.current_dir(folder);
    }
    if options.get::<_, Option<bool>>("detached")? == Some(true) {
        command.process_group(0);
    }
    let kinds = options.get::<_, Vec<String>>("stdio")?;
    let stdio = |index: usize| match kinds.get(index).map(String::as_str) {
        Some("pipe") => Stdio::piped(),
        Some("inherit") => Stdio::inherit(),
        _ => Stdio::null(),
    };
    command.stdin(stdio(0)).stdout(stdio(1)).stderr(stdio(2));
    Ok(command)
}

/// `[process, pid, stdin, stdout, stderr]` (0: no pipe), or an error's code.
fn spawn<'js>(ctx: Ctx<'js>, options: Object<'js>) -> Result<Value<'js>> {
    let spawned = Command::from(command(&options)?).spawn().map(|mut child| {
        let writer = child.stdin.take().map(|pipe| keep(Resource::Writer(Rc::new(Mutex::new(Box::new(pipe))))));
        let out = child.stdout.take().map(|pipe| keep(Resource::Reader(Rc::new(Mutex::new(Box::new(pipe))))));
        let err = child.stderr.take().map(|pipe| keep(Resource::Reader(Rc::new(Mutex::new(Box::new(pipe))))));
        let pid = child.id().unwrap_or_default();
        let process = keep(Resource::Process(Rc::new(Process { child: Mutex::new(child), pid, ended: Cell::new(false) })));
        vec![process, pid, writer.unwrap_or(0), out.unwrap_or(0), err.unwrap_or(0)]
    });
    Answer(spawned).into_js(&ctx)
}

/// `[code or -1, number of the signal or 0]`, when the process has ended.
fn wait<'js>(ctx: Ctx<'js>, id: Id) -> Result<Value<'js>> {
    promised(&ctx, async move {
        let Some((Resource::Process(process), _)) = open(id) else { return Ok(vec![-1, 0]) };
        let status = process.child.lock().await.wait().await;
        process.ended.set(true);
        drop_resource(id);
        status.map(|status| vec![status.code().unwrap_or(-1), status.signal().unwrap_or(0)])
    })
}

/// Whether the process was there to hear it.
fn kill(id: Id, signal: i32) -> bool {
    let Some((Resource::Process(process), _)) = open(id) else { return false };
    !process.ended.get() && kill_pid(process.pid as i32, signal).is_empty()
}

/// An error's code, or nothing.
fn kill_pid(pid: i32, signal: i32) -> String {
    let Some(target) = Pid::from_raw(pid) else { return "EINVAL".into() };
    let result = if signal == 0 {
        rustix::process::test_kill_process(target)
    } else {
        match Signal::from_named_raw(signal) {
            Some(signal) => kill_process(target, signal),
            None => return "EINVAL".into(),
        }
    };
    match result {
        Ok(()) => String::new(),
        Err(rustix::io::Errno::SRCH) => "ESRCH".into(),
        Err(error) => code(&error.into()),
    }
}

/// Runs a process to its end while nothing else happens: `{ pid, code, signal, stdout, stderr }`, or an error's code.
fn run<'js>(ctx: Ctx<'js>, options: Object<'js>, input: Option<TypedArray<'js, u8>>) -> Result<Value<'js>> {
    let mut command = command(&options)?;
    let input = input.and_then(|bytes| bytes.as_bytes().map(<[u8]>::to_vec));
    let ended = command.spawn().and_then(|mut child| {
        let pid = child.id();
        let writer = child.stdin.take().map(|mut pipe| {
            std::thread::spawn(move || {
                // Who does not read it all does not want it.
                let _ = io::Write::write_all(&mut pipe, &input.unwrap_or_default());
            })
        });
        let output = child.wait_with_output();
        if let Some(writer) = writer {
            let _ = writer.join();
        }
        Ok((pid, output?))
    });
    let (pid, Output { status, stdout, stderr }) = match ended {
        Ok(ended) => ended,
        Err(error) => return code(&error).into_js(&ctx),
    };
    let answer = Object::new(ctx.clone())?;
    answer.set("pid", pid)?;
    answer.set("code", status.code().unwrap_or(-1))?;
    answer.set("signal", status.signal().unwrap_or(0))?;
    answer.set("stdout", Bytes(Some(stdout)))?;
    answer.set("stderr", Bytes(Some(stderr)))?;
    answer.into_js(&ctx)
}

/// Some bytes; `null` at the end.
fn read<'js>(ctx: Ctx<'js>, id: Id) -> Result<Value<'js>> {
    promised(&ctx, async move {
        let Some((Resource::Reader(reader), dropped)) = open(id) else { return Ok(Bytes(None)) };
        let mut reader = reader.lock().await;
        let mut bytes = vec![0; CHUNK];
        let length = unless_dropped(&dropped, reader.read(&mut bytes)).await.unwrap_or(Ok(0))?;
        bytes.truncate(length);
        Ok(Bytes((length > 0).then_some(bytes)))
    })
}

/// `null` once all is on its way.
fn write<'js>(ctx: Ctx<'js>, id: Id, bytes: TypedArray<'js, u8>) -> Result<Value<'js>> {
    let bytes = bytes.as_bytes().unwrap_or_default().to_vec();
    promised(&ctx, async move {
        let Some((Resource::Writer(writer), dropped)) = open(id) else { return Err(io::Error::from_raw_os_error(32)) };
        let mut writer = writer.lock().await;
        unless_dropped(&dropped, async {
            writer.write_all(&bytes).await?;
            writer.flush().await
        })
        .await
        .unwrap_or_else(|| Err(io::Error::from_raw_os_error(32)))
        .map(|()| Bytes(None))
    })
}

/// Says that nothing more is written.
fn end<'js>(ctx: Ctx<'js>, id: Id) -> Result<Value<'js>> {
    promised(&ctx, async move {
        let Some((Resource::Writer(writer), _)) = open(id) else { return Ok(Bytes(None)) };
        let result = writer.lock().await.shutdown().await;
        drop_resource(id);
        // A pipe ends with its last handle; a socket may have been ended by its other end.
        match result {
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Err(error),
            _ => Ok(Bytes(None)),
        }
    })
}

/// `[reader, writer, local address, port, remote address, port]`
struct Connected(Id, Id, [(String, u16); 2]);

impl<'js> IntoJs<'js> for Connected {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        let answer = Array::new(ctx.clone())?;
        let [local, remote] = self.2;
        answer.set(0, self.0)?;
        answer.set(1, self.1)?;
        answer.set(2, local.0)?;
        answer.set(3, local.1)?;
        answer.set(4, remote.0)?;
        answer.set(5, remote.1)?;
        answer.into_js(ctx)
    }
}

fn tcp(stream: TcpStream) -> io::Result<Connected> {
    let names = [stream.local_addr()?, stream.peer_addr()?].map(|address| (address.ip().to_string(), address.port()));
    // Messages are small, and somebody waits for each.
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.into_split();
    let reader = keep(Resource::Reader(Rc::new(Mutex::new(Box::new(reader)))));
    Ok(Connected(reader, keep(Resource::Writer(Rc::new(Mutex::new(Box::new(writer))))), names))
}

fn unix(stream: UnixStream) -> Connected {
    let (reader, writer) = stream.into_split();
    let reader = keep(Resource::Reader(Rc::new(Mutex::new(Box::new(reader)))));
    Connected(reader, keep(Resource::Writer(Rc::new(Mutex::new(Box::new(writer))))), Default::default())
}

/// `path` counts if it is not empty.
fn connect<'js>(ctx: Ctx<'js>, host: String, port: u16, path: String) -> Result<Value<'js>> {
    promised(&ctx, async move {
        if path.is_empty() { tcp(TcpStream::connect((host.as_str(), port)).await?) } else { Ok(unix(UnixStream::connect(path).await?)) }
    })
}

/// `[listener, address, port]`
struct Listening(Id, String, u16);

impl<'js> IntoJs<'js> for Listening {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<Value<'js>> {
        let answer = Array::new(ctx.clone())?;
        answer.set(0, self.0)?;
        answer.set(1, self.1)?;
        answer.set(2, self.2)?;
        answer.into_js(ctx)
    }
}

fn listen<'js>(ctx: Ctx<'js>, host: String, port: u16, path: String) -> Result<Value<'js>> {
    promised(&ctx, async move {
        if !path.is_empty() {
            let listener = UnixListener::bind(Path::new(&path))?;
            return Ok(Listening(keep(Resource::Unix(Rc::new(listener))), path, 0));
        }
        let listener = TcpListener::bind((host.as_str(), port)).await?;
        let address = listener.local_addr()?;
        Ok(Listening(keep(Resource::Tcp(Rc::new(listener))), address.ip().to_string(), address.port()))
    })
}

/// The next connection; `null` once the listener has been dropped.
fn accept<'js>(ctx: Ctx<'js>, id: Id) -> Result<Value<'js>> {
    promised(&ctx, async move {
        let accepted = match open(id) {
            Some((Resource::Tcp(listener), dropped)) => match unless_dropped(&dropped, listener.accept()).await {
                Some(accepted) => Some(tcp(accepted?.0)?),
                None => None,
            },
            Some((Resource::Unix(listener), dropped)) => match unless_dropped(&dropped, listener.accept()).await {
                Some(accepted) => Some(unix(accepted?.0)),
                None => None,
            },
            _ => None,
        };
        Ok(accepted)
    })
}
