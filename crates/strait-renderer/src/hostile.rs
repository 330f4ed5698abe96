//! Gives a page what native code in its process has: the bootstrap port, the links, and any bytes to
//! send there. Tests of main use it as a compromised renderer that their pages' scripts steer.
//!
//! It exists only with the feature `hostile`, which no agent that ships is built with.

use strait_ports::{CloseReason, Message, Port, hostile};
use strait_protocol::{DOCUMENT_MESSAGE, DocumentBinding, Nonce, PageId, encode};

use crate::agent::Agent;
use crate::ffi::{Args, NativeResult};
use crate::realm::Realm;

/// Sends something over a port or its link; returns how often it was sent.
///
/// Arguments: `what` (see below); `handle` of the port, 0 for the bootstrap port; `bytes`, in
/// hexadecimal digits, or for `frame` the name of a kind of frame; `number`; `times`, how often.
///
/// | `what` | sends |
/// |---|---|
/// | `message` | a message with these bytes and `number` ends of new channels |
/// | `frame` | a frame with `number` descriptors |
/// | `half-close` | the end of the link in this direction |
/// | `leave` | `Goodbye` on every link |
/// | `sealed` | a shared buffer of `number` bytes in sealed memory, and its message |
/// | `keep` | nothing: from now on the process keeps a copy of every descriptor that it receives |
/// | `withhold` | nothing: from now on it keeps them and does nothing else about the frame |
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
            // The other ends stay open for ever, as in a process that hoards ports.
            kept.into_iter().for_each(std::mem::forget);
            port.post(Message::with_ports(bytes.to_vec(), sent)).is_ok()
        }
        "frame" => hostile::send(port, bytes.to_vec(), number),
        "half-close" => hostile::half_close(port),
        "leave" => {
            agent.node.leave(CloseReason::Exited);
            true
        }
        "sealed" => hostile::send_sealed(port, number) && port.post(b"x").is_ok(),
        "keep" | "withhold" => {
            let hoard = if what == "keep" { hostile::Hoard::Copies } else { hostile::Hoard::Frames };
            hostile::hoard(port, hoard);
            true
        }
        _ => false,
    }
}

/// The ids of the caller's page, document and frame, and its page's nonce in hexadecimal digits,
/// separated by spaces.
pub(crate) fn identity<'a>(agent: &Agent, realm: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    let Some(document) = agent.document(realm.document.get()) else { return NativeResult::Text(String::new()) };
    let nonce = agent.config(document.page).map(|config| config.nonce).unwrap_or_default();
    let digits: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
    NativeResult::Text(format!("{} {} {} {digits}", document.page, document.id, document.frame))
}

/// Sends bindings of documents to a page's view, through WebKit.
///
/// Arguments: `page` whose view it is, 0 for the caller's own; `document`, the first document's id;
/// `count`, how many documents follow each other; `nonce` in hexadecimal digits, none for the page's
/// own nonce.
pub(crate) fn bind<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let page = page_of(agent, realm, args.index(0));
    let own = agent.config(page).map(|config| config.nonce).unwrap_or_default();
    let nonce = Nonce::try_from(from_hex(&args.text(3))).unwrap_or(own);
    let first = u64::from(args.index(1));
    for document in first..first + u64::from(args.index(2)) {
        agent.extension.send_to_view(page, DOCUMENT_MESSAGE, &encode(&DocumentBinding { nonce, document }));
    }
    NativeResult::Nothing
}

/// Sends bytes to a page's view in the place of a binding.
///
/// Arguments: `page` whose view it is, 0 for the caller's own; `bytes` in hexadecimal digits;
/// `times`, how often.
pub(crate) fn view<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let (page, bytes) = (page_of(agent, realm, args.index(0)), from_hex(&args.text(1)));
    for _ in 0..args.index(2) {
        agent.extension.send_to_view(page, DOCUMENT_MESSAGE, &bytes);
    }
    NativeResult::Nothing
}

fn page_of(agent: &Agent, realm: &Realm, page: u32) -> PageId {
    let own = || agent.document(realm.document.get()).map_or(0, |document| document.page);
    if page == 0 { own() } else { PageId::from(page) }
}

/// Whether a port's messages travel over a link of their own and not over the link to main.
///
/// Argument: the port's `handle`.
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
