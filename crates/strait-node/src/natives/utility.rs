//! Natives for child processes.

use std::{
    os::fd::{IntoRawFd, OwnedFd},
    process::Stdio,
};

use napi::{Error, Result};
use rustix::pipe::{PipeFlags, pipe_with};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use strait::UtilityProcess;
use strait_node_core::{Value, with_ports};

use super::{Call, Natives};

/// A script's options for a child; JavaScript has checked them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    module: String,
    args: Vec<String>,
    exec_argv: Vec<String>,
    env: Vec<[String; 2]>,
    cwd: Option<String>,
    name: Option<String>,
    stdout: String,
    stderr: String,
}

pub(super) fn register(natives: &mut Natives<'_>) -> Result<()> {
    natives.set("utilityFork", fork)?;
    natives.set("utilityKill", |call| Ok(call.host.utilities.borrow().get(&call.get(0)?).is_some_and(UtilityProcess::kill)))?;
    // The fatal error of the child's engine, if it has reported one: location and report.
    natives.set("utilityFatal", |call| {
        let error = call.host.utilities.borrow().get(&call.get(0)?).and_then(UtilityProcess::take_fatal_error);
        Ok(error.map(|error| Value::from(vec![error.location, error.report])))
    })?;
    natives.set("utilityForget", |call| {
        let process = call.host.utilities.borrow_mut().remove(&call.get(0)?);
        drop(process);
        Ok(())
    })
}

/// `(plan, ports)`: forks a child whose parent port is the one of the list. Returns its number, and
/// the descriptors of its standard output and standard error, which the script owns from now on;
/// null where they are not piped.
fn fork(call: &Call<'_>) -> Result<Value> {
    let plan: Plan = call.plain(0)?;
    let mut builder = UtilityProcess::script(plan.module).args(plan.args);
    for arg in plan.exec_argv {
        builder = builder.exec_arg(arg);
    }
    builder = builder.env_clear();
    for [name, value] in &plan.env {
        builder = builder.env(name, value);
    }
    if let Some(folder) = plan.cwd {
        builder = builder.current_dir(folder);
    }
    if let Some(name) = plan.name {
        builder = builder.name(name);
    }
    let ((stdout, out), (stderr, err)) = (stream(&plan.stdout)?, stream(&plan.stderr)?);
    builder = builder.stdout(stdout).stderr(stderr);
    let mut forked = None;
    with_ports(call, 1, |ports| {
        let Some(port) = ports.into_iter().next() else { return Err((Vec::new(), "no port".into())) };
        forked = Some(builder.parent_port(port).spawn(&call.host.app));
        Ok(())
    })?;
    let process = forked.ok_or_else(|| Error::from_reason("nothing was forked"))?;
    let id = process.id().get();
    call.host.utilities.borrow_mut().insert(id, process);
    let number = |end: Option<OwnedFd>| end.map_or(Json::Null, |end| end.into_raw_fd().into());
    Ok(Value::from(json!([id, number(out), number(err)])))
}

/// The destination of a child's stream, and the end to read from if it is a pipe.
fn stream(kind: &str) -> Result<(Stdio, Option<OwnedFd>)> {
    Ok(match kind {
        "pipe" => {
            let (read, write) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| Error::from_reason(format!("no pipe: {error}")))?;
            (write.into(), Some(read))
        }
        "ignore" => (Stdio::null(), None),
        _ => (Stdio::inherit(), None),
    })
}
