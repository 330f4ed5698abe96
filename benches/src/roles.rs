//! What this program does when it is started as somebody's counterpart.

use rustix::process::{Signal, set_parent_process_death_signal};

use crate::placement::Placement;
use crate::{Outcome, measure, ours, peers};

/// Plays the role that the arguments name: the role, where to run, and what the role needs to know.
///
/// # Errors
/// There is no such role, or it could not be played.
pub fn play(arguments: &[String]) -> Outcome<()> {
    // Not every peer notices the end of its counterpart.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let [role, place, rest @ ..] = arguments else { return Err("a role and a placement are needed".into()) };
    let (placement, side) = Placement::from_argument(place)?;
    placement.pin(side)?;
    let first = || rest.first().cloned().ok_or("an argument is missing");
    let number = || Outcome::Ok(first()?.parse::<u32>()?);
    match role.as_str() {
        "echo-polled" => ours::echo::serve_polled(),
        "echo-blocking" => ours::echo::serve_blocking(),
        "echo-large" => ours::echo::serve_large(),
        "sink" => ours::stream::serve(),
        "seqpacket" => peers::seqpacket::serve(),
        "futex" => peers::futex::serve(),
        "memcpy" => peers::memcpy::serve(number()? as usize),
        "ipc-typed-echo" => peers::ipc_channel::serve_typed_echo(first()?),
        "ipc-bytes-echo" => peers::ipc_channel::serve_bytes_echo(first()?),
        "ipc-typed-sink" => peers::ipc_channel::serve_typed_sink(first()?),
        "ipc-bytes-sink" => peers::ipc_channel::serve_bytes_sink(first()?),
        "create" => measure::create::create(number()?),
        "million" => measure::million::hold(number()?, placement),
        "million-far" => measure::million::hold_far(),
        "million-flume" => measure::million::hold_flume(number()?),
        "fan-in" => measure::many_ports::fan_in(),
        "mover" => measure::transfer::mover(),
        "answerer" => measure::introduction::answerer(),
        "newcomer" => measure::introduction::newcomer(),
        unknown => Err(format!("no role {unknown}").into()),
    }
}
