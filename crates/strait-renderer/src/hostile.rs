//! Gives a page what native code in its process has: the bootstrap port, the links, and any bytes to
//! send there. Tests of main use it as a compromised renderer that their pages' scripts steer.
//!
//! It exists only with the feature `hostile`, which no agent that ships is built with.

use strait_ports::{CloseReason, Message, Port, hostile};

use crate::agent::Agent;
use crate::ffi::{Args, NativeResult};
use crate::realm::Realm;

/// `(what, handle, bytes, number, times)`: sends something `times` times over the port of this
/// handle (0: the bootstrap port) or its link. `bytes` are hexadecimal digits, or for `frame` the
/// name of a kind of frame. How often it was sent.
///
/// | `what` | sends |
/// |---|---|
/// | `message` | a message with these bytes and `number` ends of new channels |
/// | `frame` | a frame with `number` descriptors |
/// | `half-close` | the end of the link in this direction |
/// | `leave` | a goodbye on every link |
pub(crate) fn act<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let (what, handle, bytes) = (args.text(0), args.index(1), args.text(2));
    let (number, times) = (args.index(3) as usize, args.index(4).max(1));
    let act = |port: &Port| {
        let frame = hostile::frames(port).into_iter().find(|(kind, _)| *kind == bytes).map_or_else(|| from_hex(&bytes), |(_, frame)| frame);
        (0..times).filter(|_| act_once(agent, port, &what, &frame, number)).count()
    };
    let done = if handle == 0 {
        agent.bootstrap.borrow().as_ref().map(act)
    } else {
        agent.ports.borrow_mut().get_mut(handle, realm.document.get()).map(|entry| act(&entry.port))
    };
    NativeResult::Number(done.unwrap_or(0) as f64)
}

fn act_once(agent: &Agent, port: &Port, what: &str, bytes: &[u8], number: usize) -> bool {
    match what {
        "message" => {
            let (sent, kept): (Vec<_>, Vec<_>) = (0..number).map(|_| agent.node.channel()).unzip();
            // The other ends stay open for ever, as those of a process that hoards would.
            kept.into_iter().for_each(std::mem::forget);
            port.post(Message::with_ports(bytes.to_vec(), sent)).is_ok()
        }
        "frame" => hostile::send(port, bytes.to_vec(), number),
        "half-close" => hostile::half_close(port),
        "leave" => {
            agent.node.leave(CloseReason::Exited);
            true
        }
        _ => false,
    }
}

/// `(handle)`: whether the port has a link of its own, past main.
pub(crate) fn is_direct<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let bootstrap = agent.bootstrap.borrow();
    let mut ports = agent.ports.borrow_mut();
    let entry = ports.get_mut(args.index(0), realm.document.get());
    let direct = bootstrap.as_ref().zip(entry).is_some_and(|(main, entry)| !hostile::share_link(main, &entry.port));
    NativeResult::Bool(direct)
}

/// The names of all kinds of frames, a line each.
pub(crate) fn kinds<'a>(agent: &Agent, _: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    let bootstrap = agent.bootstrap.borrow();
    let frames = bootstrap.as_ref().map(hostile::frames).unwrap_or_default();
    NativeResult::Text(frames.iter().map(|(kind, _)| *kind).collect::<Vec<_>>().join("\n"))
}

fn from_hex(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs.filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
