//! The natives: functions of the agent that the glue calls. Each native carries the number of the
//! realm that it was made for and acts only for that realm.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::rc::Rc;

use serde_json::json;
use strait_ports::{Buffer, CloseReason, MAX_DATA, MAX_PORTS, Message};
use strait_protocol::{IpcKind, Outcome, ToMain};

use crate::agent::{self, Agent};
use crate::document::Birth;
use crate::ffi::{Args, NativeResult, Pinned, RESERVED};
use crate::files;
use crate::message_writers;
use crate::modules;
use crate::ports::{Handle, PortTable, Way, with_rooms};
use crate::realm::{Buffers, Privileges, Realm};
use crate::system;
use crate::trace;
use crate::world_calls;

type Native = for<'a> fn(&Agent, &Realm, &Args<'a>) -> NativeResult<'a>;

/// Every native with its name in the glue.
const NATIVES: &[(&str, Native)] = &[
    ("channel", channel),
    ("post", post),
    ("openWriter", message_writers::open),
    ("put", message_writers::put),
    ("cut", message_writers::cut),
    ("paste", message_writers::paste),
    ("postWritten", message_writers::post),
    ("abandon", message_writers::abandon),
    ("hold", hold),
    ("fill", fill),
    ("filled", filled),
    ("start", start),
    ("close", close),
    ("discard", discard),
    ("end", end),
    ("move", move_port),
    ("workerScope", worker_scope),
    ("maximumPorts", maximum_ports),
    ("maximumData", maximum_data),
    ("collected", collected),
    ("stageTransfer", stage_transfer),
    ("abort", abort),
    ("redeemTransfer", redeem_transfer),
    ("forward", forward),
    ("foreignHandle", foreign_handle),
    ("rehome", rehome),
    ("invoke", invoke),
    ("untrackedArrived", untracked_arrived),
    ("keepTwin", keep_twin),
    ("partner", partner),
    ("keepInstead", keep_instead),
    ("follow", follow),
    #[cfg(feature = "planted-elimination")]
    ("departed", crate::planted::departed),
    #[cfg(feature = "planted-elimination")]
    ("eliminate", crate::planted::eliminate),
    ("created", created),
    ("ready", ready),
    ("loaded", loaded),
    ("gone", gone),
    ("documentOpened", document_opened),
    ("opening", opening),
    ("opened", opened),
    ("inboxIs", inbox_is),
    ("pull", pull),
    ("buffer", buffer),
    ("reserve", reserve),
    ("ipc", ipc),
    ("sendSync", send_sync),
    ("listen", listen),
    ("evaluate", evaluate),
    ("evalDone", eval_done),
    ("evalFailed", eval_failed),
    ("resolve", modules::resolve),
    ("read", modules::read),
    ("folder", modules::folder),
    ("url", modules::url),
    ("compile", modules::compile),
    ("compileModule", modules::compile_module),
    ("names", modules::names),
    ("builtin", modules::builtin),
    ("system", system::now),
    ("systemLater", system::later),
    ("systemPut", system::put),
    ("systemPull", system::pull),
    ("preloadError", preload_error),
    ("bridgeCall", world_calls::call),
    ("bridgeAnswer", world_calls::answer),
    ("bridgePorts", world_calls::ports),
    ("bridgeSettle", world_calls::settle),
    ("bridgeRelease", world_calls::release),
    ("bridgeCompile", world_calls::compile),
    ("version", version),
    ("collects", collects),
    ("collect", collect),
    ("reportRelay", report_relay),
    ("documented", documented),
    ("process", process),
    ("environment", environment),
    ("pageFolder", page_folder),
    ("pageFile", page_file),
    #[cfg(feature = "hostile")]
    ("hostile", crate::hostile::act),
    #[cfg(feature = "hostile")]
    ("hostileIsDirect", crate::hostile::is_direct),
    #[cfg(feature = "hostile")]
    ("hostileKinds", crate::hostile::kinds),
    #[cfg(feature = "hostile")]
    ("hostileIdentity", crate::hostile::identity),
    #[cfg(feature = "hostile")]
    ("hostileBind", crate::hostile::bind),
    #[cfg(feature = "hostile")]
    ("hostileView", crate::hostile::view),
];

/// The natives' names, in the order of the indices that [`call`] gets.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    NATIVES.iter().map(|(name, _)| *name)
}

/// Executes a native. After a document has ended, its realms' natives do nothing and return
/// `undefined`.
pub(crate) fn call<'a>(realm: u32, index: u8, args: &Args<'a>) -> NativeResult<'a> {
    let Some(agent) = agent::current() else { return NativeResult::Nothing };
    let Some(realm) = agent.realm(realm) else { return NativeResult::Nothing };
    match NATIVES.get(usize::from(index)) {
        Some((_, native)) => native(agent, &realm, args),
        None => NativeResult::Nothing,
    }
}

/// `()`: creates a channel. Returns the first port's handle; the second one's is the next number.
fn channel<'a>(agent: &Agent, realm: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    let ends = agent.node.channel();
    let handle = agent.ports.borrow_mut().add_pair(ends, realm.document.get(), realm.world);
    NativeResult::Number(handle.unwrap_or(0).into())
}

/// From this size on (256 KiB) a message is written directly where its receiver reads it. That
/// saves one copy by the engine.
const IN_PLACE_FROM: usize = 1 << 18;

/// `(handle, bytes, length, handles, count)`: posts a message.
fn post<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if args.index(2) as usize >= IN_PLACE_FROM {
        return post_in_place(agent, realm, args);
    }
    let handle = args.index(0);
    let (Some(data), Some(handles)) = (realm.outgoing(args.get(1), args.index(2) as usize), args.get(3).words(args.index(4) as usize))
    else {
        return NativeResult::Throw("The message cannot be read.".to_owned());
    };
    let mut table = agent.ports.borrow_mut();
    if table.must_wait(&Way::Port(handle), &handles) {
        return wait_behind(&mut table, realm, Way::Port(handle), data, handles);
    }
    let Some(ports) = table.take_all(&handles, handle, realm.document.get()) else {
        return NativeResult::Throw(UNTRANSFERABLE.to_owned());
    };
    if let Some(entry) = table.get_mut(handle, realm.document.get())
        && let Err(error) = entry.port.post(Message::with_ports(data, ports))
    {
        // `take_all` has removed the handles: this restores their ports.
        let reason = error.reason.to_string();
        table.restore(&handles, error.message.ports, realm.document.get(), realm.world);
        return NativeResult::Throw(reason);
    }
    NativeResult::Nothing
}

/// `post` of a large message.
fn post_in_place<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let handle = args.index(0);
    let Some(handles) = args.get(3).words(args.index(4) as usize) else {
        return NativeResult::Throw("The message cannot be read.".to_owned());
    };
    let mut table = agent.ports.borrow_mut();
    let Some(entry) = table.get_mut(handle, realm.document.get()) else { return NativeResult::Nothing };
    let mut buffer = match entry.port.alloc(args.index(2) as usize) {
        Ok(buffer) => buffer,
        Err(error) => return NativeResult::Throw(error.to_string()),
    };
    if !args.get(1).copy_to(&mut buffer) {
        return NativeResult::Throw("The message cannot be read.".to_owned());
    }
    drop(table);
    post_buffer(agent, realm, handle, buffer, handles)
}

/// Posts a written buffer with the ports of these handles.
pub(crate) fn post_buffer<'a>(agent: &Agent, realm: &Realm, handle: Handle, buffer: Buffer, handles: Vec<Handle>) -> NativeResult<'a> {
    let mut table = agent.ports.borrow_mut();
    if table.must_wait(&Way::Port(handle), &handles) {
        return wait_behind(&mut table, realm, Way::Port(handle), buffer.into_vec(), handles);
    }
    let Some(ports) = table.take_all(&handles, handle, realm.document.get()) else {
        return NativeResult::Throw(UNTRANSFERABLE.to_owned());
    };
    if let Some(entry) = table.get_mut(handle, realm.document.get())
        && let Err(error) = entry.port.post_buffer(buffer, ports)
    {
        let reason = error.reason.to_string();
        table.restore(&handles, error.ports, realm.document.get(), realm.world);
        return NativeResult::Throw(reason);
    }
    NativeResult::Nothing
}

const UNTRANSFERABLE: &str = "A port in the transfer list cannot be transferred.";

/// Posts a message that has to wait behind others.
fn wait_behind<'a>(table: &mut PortTable, realm: &Realm, way: Way, data: Vec<u8>, handles: Vec<Handle>) -> NativeResult<'a> {
    match table.hold(way, data, handles, realm.document.get(), false) {
        Some(_) => NativeResult::Nothing,
        None => NativeResult::Throw(UNTRANSFERABLE.to_owned()),
    }
}

/// `(handle, bytes, length, handles, count, rooms, words, writer)`: `post` of a message that waits
/// for the bytes of its Blobs. `rooms` are pairs of a place and a length. `writer` may have the
/// message's first part. Returns the number that `fill` and `filled` take.
fn hold<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let way = Way::Port(args.index(0));
    let last = realm.outgoing(args.get(1), args.index(2) as usize);
    let written = last.map(|last| message_writers::with_written(agent, realm, args.index(7), last));
    let (Some(written), Some(handles), Some(rooms)) =
        (written, args.get(3).words(args.index(4) as usize), args.get(5).words(args.index(6) as usize))
    else {
        return NativeResult::Throw("The message cannot be read.".to_owned());
    };
    let Some(data) = with_rooms(&written, &rooms) else {
        return NativeResult::Throw("The message is too large.".to_owned());
    };
    match agent.ports.borrow_mut().hold(way, data, handles, realm.document.get(), true) {
        Some(id) => NativeResult::Number(id.into()),
        None => NativeResult::Throw(UNTRANSFERABLE.to_owned()),
    }
}

/// `(id, start, bytes, length)`: adds bytes to a message that waits for them; false if it no longer
/// waits.
fn fill<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let (start, length) = (args.index(1) as usize, args.index(3) as usize);
    let bytes = args.get(2);
    let taken = agent.ports.borrow_mut().fill(args.index(0), realm.document.get(), start, length, |room| bytes.copy_to(room));
    NativeResult::Bool(taken)
}

/// `(id, whole)`: the message has all its bytes (`whole`), or will never have them.
fn filled<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    agent.ports.borrow_mut().filled(args.index(0), realm.document.get(), args.get(1).as_bool().unwrap_or(false));
    agent.send_due_ipc();
    NativeResult::Nothing
}

/// `(handle)`: from now on the port's messages are delivered to this realm.
fn start<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let handle = args.index(0);
    let mut table = agent.ports.borrow_mut();
    if let Some(entry) = table.get_mut(handle, realm.document.get()) {
        entry.started.get_or_insert(realm.id);
        table.relist(handle);
    }
    NativeResult::Nothing
}

/// `(handle)`: closes the port.
fn close<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    agent.ports.borrow_mut().close(args.index(0), realm.document.get(), CloseReason::Closed);
    NativeResult::Nothing
}

/// `(handle)`: closes a port that arrived with a message that cannot be received.
fn discard<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    agent.ports.borrow_mut().close(args.index(0), realm.document.get(), CloseReason::Dropped);
    NativeResult::Nothing
}

/// `(handle, reason)`: closes a port with the reason that a worker, or another port that this one
/// continues, has reported.
fn end<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let reason = args.text(1);
    let known = [
        CloseReason::Closed,
        CloseReason::Dropped,
        CloseReason::Unloaded,
        CloseReason::Exited,
        CloseReason::Crashed,
        CloseReason::Unreachable,
    ];
    let reason = known.into_iter().find(|known| known.as_str() == reason).unwrap_or(CloseReason::Crashed);
    agent.ports.borrow_mut().close(args.index(0), realm.document.get(), reason);
    NativeResult::Nothing
}

/// `(handle)`: moves the port to a new handle, which was never started and which only the caller
/// has; 0 if the port is gone.
fn move_port<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let mut table = agent.ports.borrow_mut();
    let document = realm.document.get();
    let handle = table.renew(args.index(0), document, document, realm.world);
    if let Some(handle) = handle {
        table.relist(handle);
    }
    NativeResult::Number(handle.unwrap_or(0).into())
}

/// `()`: the text of the function that a worker runs first.
fn worker_scope<'a>(_: &Agent, _: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    NativeResult::Text(crate::realm::worker_scope().to_owned())
}

/// `()`: the most ports of one message.
fn maximum_ports<'a>(_: &Agent, _: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    NativeResult::Number(MAX_PORTS as f64)
}

/// `()`: the most bytes of one message.
fn maximum_data<'a>(_: &Agent, _: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    NativeResult::Number(MAX_DATA as f64)
}

/// `(handle)`: the realm's object for the port was collected.
fn collected<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    agent.ports.borrow_mut().release(args.index(0), realm.document.get(), realm.world);
    NativeResult::Nothing
}

/// `(count, handles, window)`: stages ports for a message to that window. Returns the nonce, or an
/// empty string if that failed.
fn stage_transfer<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let Some(handles) = args.get(1).words(args.index(0) as usize) else { return NativeResult::Text(String::new()) };
    let mut random = [0; 16];
    if getrandom::fill(&mut random).is_err() {
        return NativeResult::Text(String::new());
    }
    let nonce: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let target = agent.document_of_window(realm.world, args.get(2).identity());
    let staged = agent.ports.borrow_mut().stage_transfer(nonce.clone(), handles, realm.document.get(), target);
    NativeResult::Text(if staged { nonce } else { String::new() })
}

/// `(nonce)`: the window message was not sent; its ports return to the sender.
fn abort<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    agent.ports.borrow_mut().abort(&args.text(0), realm.document.get());
    NativeResult::Nothing
}

/// `(nonce)`: a window message arrived. Writes its handles into the realm's words and returns their
/// number.
fn redeem_transfer<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let handles = agent.ports.borrow_mut().redeem_transfer(&args.text(0), realm.document.get(), realm.world);
    let laid = realm.buffers.borrow().as_ref().is_some_and(|buffers| buffers.words.write_words(&handles));
    NativeResult::Number(if laid { handles.len() as f64 } else { 0.0 })
}

/// `(port, window, message, targetOrigin, transfer)`: sends the window message by the realm that
/// stamped the port, in another document of this world; false if there is none.
fn forward<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let Some((owner, _)) = owner_of(agent, realm, args) else { return NativeResult::Bool(false) };
    let arguments = [args.get(1), args.get(2), args.get(3), args.get(4)];
    match owner.send_window_message(&arguments) {
        Some(Ok(_)) => NativeResult::Bool(true),
        Some(Err(thrown)) => NativeResult::ThrowValue(thrown.rebind(args)),
        None => NativeResult::Bool(false),
    }
}

/// Finds the other realm of the same world that stamped the port in the first argument. Returns it
/// with the port's handle there.
///
/// A page that holds the object may use it: WebKit gives objects only to documents of the same
/// origin.
fn owner_of(agent: &Agent, realm: &Realm, args: &Args<'_>) -> Option<(Rc<Realm>, Handle)> {
    let others: Vec<_> =
        agent.realms.borrow().values().filter(|other| other.world == realm.world && other.id != realm.id).cloned().collect();
    others.into_iter().find_map(|other| other.handle_of(args.get(0)).map(|handle| (other, handle)))
}

/// `(port)`: the handle of a port that another document stamped; 0 once it is detached there, -1 if
/// no document stamped it.
fn foreign_handle<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    NativeResult::Number(owner_of(agent, realm, args).map_or(-1.0, |(_, handle)| handle.into()))
}

/// `(port)`: moves a port that another document stamped to this document, which transfers it.
/// Returns its handle; 0 if no document stamped it.
fn rehome<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let owned = owner_of(agent, realm, args).filter(|(_, handle)| *handle != 0);
    let handle = owned.and_then(|(owner, _)| {
        let handle = owner.release(args.get(0))?;
        agent.ports.borrow_mut().renew(handle, owner.document.get(), realm.document.get(), realm.world)
    });
    NativeResult::Number(handle.unwrap_or(0).into())
}

/// `(port, method, first, second, count)`: calls a method of `MessagePort` on a port that another
/// document of this world stamped.
fn invoke<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let Some((owner, _)) = owner_of(agent, realm, args) else { return NativeResult::Nothing };
    let arguments = [args.get(0), args.get(1), args.get(2), args.get(3), args.get(4)];
    match owner.invoke(&arguments) {
        Some(Ok(value)) => NativeResult::Value(value.rebind(args)),
        Some(Err(thrown)) => NativeResult::ThrowValue(thrown.rebind(args)),
        None => NativeResult::Nothing,
    }
}

/// `(window)`: an untracked port has arrived in a message from that window. The realm that lost a
/// port relays its messages.
fn untracked_arrived<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let sender = agent.document_of_window(realm.world, args.get(0).identity());
    agent.look_for_untracked(sender);
    NativeResult::Nothing
}

/// `(handle)`: a window message has brought the port. Returns the handle of the port whose twin it
/// is, or 0. From now on the realm keeps that twin.
fn partner<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    NativeResult::Number(agent.keep_for_partner(realm, args.index(0)).unwrap_or(0).into())
}

/// `(handle)`: from now on this realm keeps the twin of the port; no page has that object any more.
fn keep_instead<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    agent.keep_instead(realm, args.index(0));
    NativeResult::Nothing
}

/// `(handle, partner)`: the port will leave in a window message, and the realm keeps its twin.
/// `partner` is the twin's handle, or 0 if no page has the twin.
fn keep_twin<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    agent.ports.borrow_mut().keep_twin(args.index(0), realm.document.get(), realm.id, args.index(1));
    NativeResult::Nothing
}

/// `(handle, bytes, length, handles, count)`: the port has left untracked, and its twin is in
/// another realm, which relays from now on. It first delivers the message, if `length` is not 0.
/// False if there is no such realm.
fn follow<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let (handle, length, count) = (args.index(0), args.index(2) as usize, args.index(4) as usize);
    let message = (length > 0).then(|| realm.outgoing(args.get(1), length).zip(args.get(3).words(count)));
    NativeResult::Bool(match message {
        Some(None) => false,
        Some(message) => agent.follow(realm, handle, message),
        None => agent.follow(realm, handle, None),
    })
}

/// `(url, origin, name, parentWindow)`: reports the new document.
fn created<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if let Some(document) = agent.document(realm.document.get()) {
        let parent = args.get(3);
        let parent = if parent.is_object() { agent.frame_of_window(parent.identity()) } else { None };
        let birth = Birth { url: args.text(0), origin: args.text(1), name: args.text(2), parent };
        agent.document_created(&document, birth);
    }
    NativeResult::Nothing
}

/// `()`: `DOMContentLoaded`.
fn ready<'a>(agent: &Agent, realm: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    if let Some(document) = agent.document(realm.document.get()) {
        agent.document_ready(&document);
    }
    NativeResult::Nothing
}

/// `()`: the `load` event.
fn loaded<'a>(agent: &Agent, realm: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    if let Some(document) = agent.document(realm.document.get()) {
        agent.document_loaded(&document);
    }
    NativeResult::Nothing
}

/// `()`: `pagehide`.
fn gone<'a>(agent: &Agent, realm: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    agent.document_leaves(realm.document.get());
    NativeResult::Nothing
}

/// `()`: a document was opened for writing. It can be any document that the caller can reach.
fn document_opened<'a>(agent: &Agent, _: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    agent.arm_documents();
    NativeResult::Nothing
}

/// `(target, features)`: the page calls `window.open` next.
fn opening<'a>(agent: &Agent, _: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    agent.opening(args.text(0), args.text(1));
    NativeResult::Nothing
}

/// `()`: `window.open` has returned; true if the window that it opened was refused.
fn opened<'a>(agent: &Agent, _: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    NativeResult::Bool(agent.opened())
}

/// `(inbox, words, size)`: the glue has made a receive buffer (`inbox`) of `size` bytes.
fn inbox_is<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let buffers = Pinned::bytes(args.get(0), &realm.context).zip(Pinned::words(args.get(1), &realm.context));
    realm.inbox_is(buffers.map(|(inbox, words)| Buffers { inbox, words }), args.index(2) as usize);
    NativeResult::Nothing
}

/// `(start, size)`: copies this part of the message that is being delivered into the receive
/// buffer.
fn pull<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    NativeResult::Bool(realm.pull(args.index(0) as usize, args.index(1) as usize))
}

/// `(start, length)`: an ArrayBuffer with this part of the message that is being delivered. Returns
/// nothing if the glue must make the array, and a number to request `reserve`.
fn buffer<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if agent.buffer_pool.are_without_room() {
        return NativeResult::Number(RESERVED as f64);
    }
    let (start, length) = (args.index(0) as usize, args.index(1) as usize);
    let made = agent.buffer_pool.buffer(args, length, |bytes| realm.copy_incoming(start, bytes));
    made.map_or(NativeResult::Nothing, NativeResult::Value)
}

/// `(buffer)`: gives the agent an empty resizable ArrayBuffer, whose reserved size is the number
/// that `buffer` returned.
fn reserve<'a>(agent: &Agent, _: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    agent.buffer_pool.reserve(args.get(0));
    NativeResult::Nothing
}

/// `(kind, channel, bytes, length, handles, count, request)`: sends a message of `ipcRenderer`;
/// false when the realm has no IPC or main is gone.
fn ipc<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let kind = match args.index(0) {
        0 => IpcKind::Send,
        1 => IpcKind::PostMessage,
        _ => IpcKind::Invoke(args.index(6).into()),
    };
    let (Some(payload), Some(handles)) = (realm.outgoing(args.get(2), args.index(3) as usize), args.get(4).words(args.index(5) as usize))
    else {
        return NativeResult::Throw("The message cannot be read.".to_owned());
    };
    if !realm.privileges.ipc {
        return NativeResult::Bool(false);
    }
    let document = realm.document.get();
    let way = Way::Ipc { document, kind, channel: args.text(1) };
    if agent.ports.borrow().must_wait(&way, &handles) {
        if let NativeResult::Throw(text) = wait_behind(&mut agent.ports.borrow_mut(), realm, way, payload, handles) {
            return NativeResult::Throw(text);
        }
        agent.send_due_ipc();
        return NativeResult::Bool(agent.has_main());
    }
    let taken = agent.ports.borrow_mut().take_all(&handles, 0, document);
    let Some(ports) = taken else {
        return NativeResult::Throw(UNTRANSFERABLE.to_owned());
    };
    NativeResult::Bool(agent.send_ipc(document, kind, args.text(1), payload, ports))
}

/// `(channel, bytes, length, request)`: blocks. Returns the length of the answer in the receive
/// buffer, or an error's text.
fn send_sync<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let request = u64::from(args.index(3));
    let Some(payload) = realm.outgoing(args.get(1), args.index(2) as usize) else {
        return NativeResult::Throw("The message cannot be read.".to_owned());
    };
    if !realm.privileges.ipc || !agent.send_ipc(realm.document.get(), IpcKind::SendSync(request), args.text(0), payload, Vec::new()) {
        return NativeResult::Text("IPC method called after context was released".to_owned());
    }
    match agent.wait_for_reply(realm.document.get(), request) {
        Ok(answer) if realm.fill(&answer, &[]) => NativeResult::Number(answer.len() as f64),
        Ok(_) => NativeResult::Text("the answer is too large".to_owned()),
        Err(text) => NativeResult::Text(text),
    }
}

/// `(channel)`: the channel has a listener now.
fn listen<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if let Some(document) = agent.document(realm.document.get()) {
        agent.document_listens(&document, args.text(0));
    }
    NativeResult::Nothing
}

/// `(request)`: runs the waiting script and returns its value.
fn evaluate<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let waiting = realm.script.take();
    let Some((_, source)) = waiting.filter(|(request, _)| *request == u64::from(args.index(0))) else { return NativeResult::Nothing };
    match realm.context.evaluate(&source, "", 1) {
        Ok(value) => NativeResult::Value(value.rebind(args)),
        Err(thrown) => NativeResult::ThrowValue(thrown.rebind(args)),
    }
}

/// `(request, bytes, length)`: reports a script's value.
fn eval_done<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let outcome =
        realm.outgoing(args.get(1), args.index(2) as usize).map_or_else(|| Outcome::Error("Error: unreadable".to_owned()), Outcome::Value);
    agent.answer(args.index(0).into(), outcome);
    NativeResult::Nothing
}

/// `(request, text)`: reports a script's error.
fn eval_failed<'a>(agent: &Agent, _: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    agent.answer(args.index(0).into(), Outcome::Error(args.text(1)));
    NativeResult::Nothing
}

/// `(text, place, stack)`: reports an error of the preload.
fn preload_error<'a>(agent: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    if let (Some(document), Some(path)) = (agent.document(realm.document.get()), realm.privileges.preload.clone()) {
        let message = trace::describe(&args.text(0), &args.text(1), &args.text(2));
        agent.tell(&ToMain::PreloadError { page: document.page, path, message }, Vec::new());
    }
    NativeResult::Nothing
}

/// `()`: Strait's version.
fn version<'a>(_: &Agent, _: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    NativeResult::Text(env!("CARGO_PKG_VERSION").to_owned())
}

/// `()`: whether pages may collect garbage.
fn collects<'a>(agent: &Agent, _: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    NativeResult::Bool(agent.expose_gc)
}

/// `()`: collects garbage now, if pages may.
fn collect<'a>(agent: &Agent, realm: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    if agent.expose_gc {
        realm.context.collect_garbage();
    }
    NativeResult::Nothing
}

/// The size in bytes that the engine assumes for a relay of `untracked-ports.js`.
const RELAY_COST: usize = 1024 * 1024;

/// `()`: counts one relay more for the collector.
///
/// For each message WebKit visits all port objects of a page, garbage included. The objects are
/// small, so the engine would collect them late: after about ten thousand relays these visits would
/// take most of the time of a message.
fn report_relay<'a>(_: &Agent, realm: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    realm.context.report_memory(RELAY_COST);
    NativeResult::Nothing
}

/// `()`: the exports of Electron's module in pages, from the compatibility table.
fn documented<'a>(_: &Agent, _: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    NativeResult::Text(include_str!("../../../packages/electron/compatibility/exports-renderer.json").to_owned())
}

/// `()`: the values of `process`, in JSON.
fn process<'a>(agent: &Agent, realm: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    let lossy = |path: std::io::Result<PathBuf>| path.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    let arch = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        "x86" => "ia32",
        other => other,
    };
    let Privileges { main_frame, sandboxed, arguments, .. } = &realm.privileges;
    let said = json!({
        "pid": agent.pid,
        "arch": arch,
        "execPath": lossy(std::env::current_exe()),
        "cwd": lossy(std::env::current_dir()),
        "isMainFrame": main_frame,
        "sandboxed": sandboxed,
        "arguments": arguments,
    });
    NativeResult::Text(said.to_string())
}

/// `()`: the environment, in JSON.
fn environment<'a>(_: &Agent, realm: &Realm, _: &Args<'a>) -> NativeResult<'a> {
    if !realm.privileges.ipc {
        return NativeResult::Nothing;
    }
    let text = |text: OsString| text.to_string_lossy().into_owned();
    let all: BTreeMap<String, String> = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
    NativeResult::Text(json!(all).to_string())
}

/// `(url)`: the folder that the page's own `require` is relative to.
fn page_folder<'a>(_: &Agent, realm: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    let folder = files::folder_of_url(&args.text(0)).unwrap_or_else(|| realm.privileges.app_path.clone());
    NativeResult::Text(folder.display().to_string())
}

/// `(url)`: the path of the page's file, if it is a local file.
fn page_file<'a>(_: &Agent, _: &Realm, args: &Args<'a>) -> NativeResult<'a> {
    strait_modules::path_of_url(&args.text(0)).map_or(NativeResult::Nothing, |path| NativeResult::Text(path.display().to_string()))
}
