//! A child process that runs JavaScript: the host of `strait-host` with a parent port instead of windows.
//!
//! `strait-cli` makes the program `strait-utility` of it. The main process starts that for each `utilityProcess.fork`, and tells it over the bootstrap port what to run.
//!
//! **Architecture Invariant**: this links no GTK and no WebKit. A test looks at what such a process has mapped.

mod child;

use std::{rc::Rc, thread};

use strait_child::join::{Joined, join};
use strait_host::{Engine, Entry, EventLoop, Host, Installed};
use strait_ports::CloseReason;
use tokio::task::LocalSet;

use crate::child::Child;

/// Stack of the thread that runs JavaScript, as main's. Pages of it that are never touched cost nothing.
const STACK: usize = 16 << 20;
/// The code of a child that could not begin.
const FAILED: i32 = 1;

/// Runs the child that this process was started as; gives its exit code.
pub fn run() -> i32 {
    let joined = match join(true) {
        Ok(joined) => joined,
        Err(error) => {
            let why = std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
            eprintln!("strait-utility: {error}{why}");
            return FAILED;
        }
    };
    let program = thread::Builder::new().name("strait-program".into()).stack_size(STACK).spawn(|| program_thread(joined));
    match program.map(thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        _ => FAILED,
    }
}

fn program_thread(Joined { node, control, start, parent_port }: Joined) -> i32 {
    let Some(script) = start.script else {
        eprintln!("strait-utility: there is no script to run");
        return FAILED;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Messages for the program then need neither the I/O thread nor anybody who wakes this one.
        .on_thread_park({
            let node = node.clone();
            move || {
                let _told = node.busy_poll();
            }
        })
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("strait-utility: no runtime: {error}");
            return FAILED;
        }
    };
    let memory_limit = memory_limit(&script.exec_args);
    let entry = Entry { main: script.module.into(), args: script.args, exec_args: script.exec_args };
    let child = Rc::new(Child::new(node.clone(), start.name, parent_port, control, memory_limit));
    let host = Rc::new(Host::new(child, entry));
    let _installed = Installed::new(host.clone());
    LocalSet::new().block_on(&runtime, async {
        match Engine::new(STACK).await {
            Ok(engine) => {
                if memory_limit > 0 {
                    engine.limit_memory(memory_limit).await;
                }
                let event_loop = EventLoop::new(host, engine);
                let code = event_loop.run().await;
                // Before the engine goes, which lets go of its ports: they end with the process. What was posted arrives in either case.
                node.leave(if code == 0 { CloseReason::Exited } else { CloseReason::Crashed });
                code
            }
            Err(error) => {
                eprintln!("strait-utility: can't start the JavaScript engine: {error}");
                FAILED
            }
        }
    })
}

/// What `--max-old-space-size=MIB` says, in bytes; 0 if nothing does. The last one counts, as in Node.
fn memory_limit(exec_args: &[String]) -> usize {
    let said = |arg: &String| {
        let value = arg.strip_prefix("--max-old-space-size=").or_else(|| arg.strip_prefix("--max_old_space_size="))?;
        let limit = value.parse().ok().filter(|mib| *mib > 0).and_then(|mib: usize| mib.checked_mul(1 << 20));
        if limit.is_none() {
            eprintln!("strait-utility: {arg} is no number of mebibytes: memory is not limited");
        }
        limit
    };
    exec_args.iter().filter_map(said).next_back().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_last_limit_counts() {
        let table: [(&[&str], usize); 5] = [
            (&[], 0),
            (&["--expose-gc", "--max-old-space-size=64"], 64 << 20),
            (&["--max-old-space-size=64", "--max_old_space_size=32", "--x"], 32 << 20),
            (&["--max-old-space-size=", "--max-old-space-size=-1", "--max-old-space-size=0"], 0),
            (&["--max-old-space-size=99999999999999999999"], 0),
        ];
        for (args, bytes) in table {
            let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
            assert_eq!(super::memory_limit(&args), bytes, "{args:?}");
        }
    }
}
