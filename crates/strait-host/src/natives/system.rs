//! Natives for the terminal, the clock, files, compiling, and the end of the program.

use std::{
    cell::Cell,
    fs,
    io::{self, IsTerminal, Write},
    os::unix::process::parent_id,
    path::Path,
};

use llrt_modules::buffer::{Blob, File};
use rquickjs::{
    Array, Class, Ctx, Exception, Function, Object, Promise, Result, TypedArray, Value, context::EvalOptions, prelude::Func,
    promise::PromiseState,
};

use crate::{builtins, ffi, host::host};

/// Registers them.
pub(crate) fn register<'js>(ctx: &Ctx<'js>, natives: &Object<'js>) -> Result<()> {
    natives.set("write", Func::from(write))?;
    natives.set("withoutWaiting", Func::from(without_waiting))?;
    natives.set("isTerminal", Func::from(is_terminal))?;
    natives.set("now", Func::from(|| host().now()))?;
    natives.set("pathKind", Func::from(path_kind))?;
    natives.set("readText", Func::from(read_text))?;
    natives.set("realPath", Func::from(real_path))?;
    natives.set("compile", Func::from(compile))?;
    natives.set("builtin", Func::from(builtins::module))?;
    natives.set("codec", Func::from(codec))?;
    natives.set("isProxy", Func::from(is_proxy))?;
    natives.set("blobBytes", Func::from(blob_bytes))?;
    natives.set("promiseState", Func::from(promise_state))?;
    natives.set("collect", Func::from(|ctx: Ctx<'_>| ctx.run_gc()))?;
    natives.set("randomBytes", Func::from(random_bytes))?;
    natives.set("heapUsed", Func::from(heap_used))?;
    natives.set("wantTick", Func::from(|| host().tick_wanted.set(true)))?;
    natives.set("finish", Func::from(|code: i32| host().finish(code)))?;
    natives.set("exit", Func::from(exit))?;
    natives.set("exiting", Func::from(|| host().finished().is_some()))?;
    let host = host();
    natives.set("pid", std::process::id())?;
    natives.set("parentPid", parent_id())?;
    natives.set("version", env!("CARGO_PKG_VERSION"))?;
    let executable = std::env::current_exe().unwrap_or_default();
    natives.set("executable", text(&executable))?;
    let program = Object::new(ctx.clone())?;
    program.set("main", text(&host.entry.main))?;
    program.set("args", host.entry.args.clone())?;
    program.set("execArgs", host.entry.exec_args.clone())?;
    natives.set("program", program)
}

fn random_bytes(ctx: Ctx<'_>, size: usize) -> Result<TypedArray<'_, u8>> {
    let mut bytes = vec![0; size];
    match getrandom::fill(&mut bytes) {
        Ok(()) => TypedArray::new(ctx, bytes),
        Err(error) => Err(Exception::throw_message(&ctx, &format!("no randomness: {error}"))),
    }
}

/// Bytes that the engine has in use.
fn heap_used(ctx: Ctx<'_>) -> f64 {
    ffi::heap_used(&ctx) as f64
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

thread_local! {
    /// What is written to stderr now waits for no reader.
    static WITHOUT_WAITING: Cell<bool> = const { Cell::new(false) };
}

/// Calls a function whose lines on stderr a page causes: an unread pipe must not stop the program.
fn without_waiting(function: Function<'_>) -> Result<()> {
    WITHOUT_WAITING.set(true);
    let called = function.call(());
    WITHOUT_WAITING.set(false);
    called
}

/// Writes all of `text` to stdout (1) or stderr (2), and waits for the reader, as Node does. A reader that went away is not the program's error.
fn write(fd: u32, text: String) {
    if fd == 2 && WITHOUT_WAITING.get() {
        return strait_output::stderr().line(text.strip_suffix('\n').unwrap_or(&text));
    }
    let written = match fd {
        1 => {
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        }
        _ => io::stderr().lock().write_all(text.as_bytes()),
    };
    let _ = written;
}

fn is_terminal(fd: u32) -> bool {
    match fd {
        0 => io::stdin().is_terminal(),
        1 => io::stdout().is_terminal(),
        _ => io::stderr().is_terminal(),
    }
}

/// 0: nothing there, 1: a file, 2: a folder.
fn path_kind(path: String) -> u32 {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => 2,
        Ok(_) => 1,
        Err(_) => 0,
    }
}

fn read_text(ctx: Ctx<'_>, path: String) -> Result<String> {
    let bytes = fs::read(&path).map_err(|error| Exception::throw_message(&ctx, &format!("can't read {path}: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn real_path(path: String) -> String {
    match fs::canonicalize(&path) {
        Ok(real) => real.to_string_lossy().into_owned(),
        Err(_) => path,
    }
}

/// The value of the expression `source`, sloppy unless it says otherwise; stacks name `file`.
pub(crate) fn compile<'js>(ctx: Ctx<'js>, source: String, file: String) -> Result<Function<'js>> {
    if source.contains('\0') {
        return Err(Exception::throw_syntax(&ctx, &format!("{file}: a script can't contain a NUL character")));
    }
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(file);
    ctx.eval_with_options(source, options)
}

/// The structured clone codec, made for `env`.
fn codec<'js>(ctx: Ctx<'js>, env: Object<'js>) -> Result<Object<'js>> {
    compile(ctx, strait_clone::JS_CODEC.into(), "strait:codec".into())?.call((env,))
}

/// The bytes of a Blob or File, which scripts get only later.
fn blob_bytes<'js>(ctx: Ctx<'js>, value: Object<'js>) -> Result<TypedArray<'js, u8>> {
    let bytes = match Class::<File>::from_object(&value) {
        Some(file) => file.borrow().get_blob().get_bytes(),
        None => match Class::<Blob>::from_object(&value) {
            Some(blob) => blob.borrow().get_bytes(),
            None => return Err(Exception::throw_type(&ctx, "neither a Blob nor a File")),
        },
    };
    TypedArray::new(ctx, bytes)
}

/// Scripts cannot tell a `Proxy` from what it stands for.
fn is_proxy(value: Value<'_>) -> bool {
    value.is_proxy()
}

fn promise_state<'js>(ctx: Ctx<'js>, promise: Promise<'js>) -> Result<Array<'js>> {
    let answer = Array::new(ctx.clone())?;
    let state = match promise.state() {
        PromiseState::Pending => "pending",
        PromiseState::Resolved => "fulfilled",
        PromiseState::Rejected => "rejected",
    };
    answer.set(0, state)?;
    let value = match promise.result::<Value<'js>>() {
        Some(Ok(value)) => value,
        Some(Err(_)) => ctx.catch(),
        None => Value::new_undefined(ctx),
    };
    answer.set(1, value)?;
    Ok(answer)
}

/// `process.exit`: nothing after it runs.
fn exit(ctx: Ctx<'_>, code: i32) -> Result<()> {
    host().finish(code);
    Err(ffi::throw_uncatchable(&ctx))
}
