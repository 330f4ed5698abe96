//! Natives for child processes.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    io,
    os::fd::OwnedFd,
    process::Stdio,
    rc::Rc,
};

use rquickjs::{Ctx, Exception, Object, Result, prelude::Func};
use strait::{UtilityEvent, UtilityProcess};
use strait_host::{PortId, with_ports};
use tokio::{net::unix::pipe::Receiver, sync::Notify};

use crate::host::{Settled, host};

/// The most that is read of a pipe at once: what fits into one.
const CHUNK: usize = 64 << 10;

/// The children that scripts have forked, until they have ended and their output has been read.
#[derive(Default)]
pub(crate) struct Utilities(RefCell<HashMap<u32, Utility>>);

struct Utility {
    process: UtilityProcess,
    /// Its standard output and standard error, if they are piped and not at their end.
    pipes: [Option<Rc<Receiver>>; 2],
    ended: Rc<Ended>,
}

/// Tells who reads that the process has ended: what is in its pipes then is all there is, even if somebody it has started holds them open.
#[derive(Default)]
struct Ended {
    so: Cell<bool>,
    told: Notify,
}

/// Registers them.
pub(crate) fn register(natives: &Object<'_>) -> Result<()> {
    natives.set("utilityFork", Func::from(fork))?;
    natives.set("utilityKill", Func::from(kill))?;
    natives.set("utilityRead", Func::from(read))?;
    natives.set("utilityFatal", Func::from(fatal))?;
    natives.set("utilityForget", Func::from(|id: u32| drop(host().utilities.0.borrow_mut().remove(&id))))
}

/// Forks a child whose parent port is `port`; everything was checked in JavaScript. Gives its number.
fn fork(ctx: Ctx<'_>, options: Object<'_>, port: PortId) -> Result<u32> {
    let mut builder = UtilityProcess::script(options.get::<_, String>("module")?).args(options.get::<_, Vec<String>>("args")?);
    for arg in options.get::<_, Vec<String>>("execArgv")? {
        builder = builder.exec_arg(arg);
    }
    builder = builder.env_clear();
    for pair in options.get::<_, Vec<Vec<String>>>("env")? {
        let [name, value] = pair.as_slice() else { continue };
        builder = builder.env(name, value);
    }
    if let Some(folder) = options.get::<_, Option<String>>("cwd")? {
        builder = builder.current_dir(folder);
    }
    if let Some(name) = options.get::<_, Option<String>>("name")? {
        builder = builder.name(name);
    }
    let stream = |name: &str| -> Result<Stdio> {
        Ok(match options.get::<_, String>(name)?.as_str() {
            "pipe" => Stdio::piped(),
            "ignore" => Stdio::null(),
            _ => Stdio::inherit(),
        })
    };
    builder = builder.stdout(stream("stdout")?).stderr(stream("stderr")?);
    let host = host();
    let mut forked = None;
    with_ports(&ctx, &[port], |ports| {
        let Some(port) = ports.into_iter().next() else { return Err((Vec::new(), "no port".into())) };
        forked = Some(builder.parent_port(port).spawn(&host.app));
        Ok(())
    })?;
    let process = forked.ok_or_else(|| Exception::throw_message(&ctx, "nothing was forked"))?;
    let id = process.id().get();
    host.utilities.0.borrow_mut().insert(id, Utility { process, pipes: [None, None], ended: Rc::default() });
    Ok(id)
}

fn kill(id: u32) -> bool {
    host().utilities.0.borrow().get(&id).is_some_and(|utility| utility.process.kill())
}

/// Why the child's engine could not go on, if it has said so: location and report.
fn fatal(id: u32) -> Option<Vec<String>> {
    let error = host().utilities.0.borrow().get(&id)?.process.take_fatal_error()?;
    Some(vec![error.location, error.report])
}

/// What happened to a child.
pub(crate) fn heard<'js>(hook: &rquickjs::Function<'js>, process: &UtilityProcess, event: &UtilityEvent) -> Result<()> {
    let id = process.id().get();
    match event {
        UtilityEvent::Spawned { pid } => {
            if let Some(utility) = host().utilities.0.borrow_mut().get_mut(&id) {
                let pipes = [process.take_stdout().map(OwnedFd::from), process.take_stderr().map(OwnedFd::from)];
                utility.pipes = pipes.map(|pipe| pipe.and_then(receiver));
            }
            hook.call(("utility-spawned", id, *pid))
        }
        UtilityEvent::LaunchFailed { message } => {
            strait_output::report!(
                "strait: the utility process '{}' cannot be started: {}",
                strait::printable(process.name()),
                strait::printable(message)
            );
            hook.call(("utility-ended", id, 1, "launch-failed"))
        }
        UtilityEvent::Exited(status) => {
            if let Some(utility) = host().utilities.0.borrow_mut().get_mut(&id) {
                utility.ended.so.set(true);
                utility.ended.told.notify_waiters();
            }
            hook.call(("utility-ended", id, status.exit_code(), status.reason.as_str()))
        }
        _ => Ok(()),
    }
}

fn receiver(pipe: OwnedFd) -> Option<Rc<Receiver>> {
    match Receiver::from_owned_fd(pipe) {
        Ok(receiver) => Some(Rc::new(receiver)),
        Err(error) => {
            strait_output::report!("strait: a child's output cannot be read: {error}");
            None
        }
    }
}

/// Reads what there is of stream `which` (1 or 2), or waits for something; the end is nothing. `token` names it when it settles.
fn read(id: u32, which: usize, token: u32) {
    let host = host();
    let source = host.utilities.0.borrow().get(&id).map(|utility| (utility.pipes.get(which - 1).cloned().flatten(), utility.ended.clone()));
    tokio::task::spawn_local(async move {
        let chunk = match source {
            Some((Some(pipe), ended)) => next(&pipe, &ended).await,
            _ => None,
        };
        if chunk.is_none()
            && let Some(utility) = host.utilities.0.borrow_mut().get_mut(&id)
            && let Some(pipe) = utility.pipes.get_mut(which - 1)
        {
            *pipe = None;
        }
        host.settle(token, Settled::Chunk(chunk));
    });
}

async fn next(pipe: &Receiver, ended: &Ended) -> Option<Vec<u8>> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let last = ended.so.get();
        match pipe.try_read(&mut chunk) {
            Ok(0) => return None,
            Ok(length) => {
                chunk.truncate(length);
                return Some(chunk);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && !last => {
                tokio::select! {
                    readable = pipe.readable() => readable.ok()?,
                    () = ended.told.notified() => {}
                }
            }
            Err(_) => return None,
        }
    }
}
