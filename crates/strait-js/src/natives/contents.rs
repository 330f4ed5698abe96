//! Natives for pages and frames, and for answers to them.

use rquickjs::{
    Ctx, Exception, Object, Result, TypedArray,
    prelude::{Func, List},
};
use strait::{DocumentId, EvalFuture, LoadFuture, PostMessageError, SenderDocument, WebContents, WebFrameMain, World};
use strait_host::{PortId, with_ports, written};

use crate::host::{Host, Settled, host};

/// Registers them.
pub(crate) fn register(natives: &Object<'_>) -> Result<()> {
    natives.set("contentsState", Func::from(contents_state))?;
    natives.set("contentsLoad", Func::from(contents_load))?;
    natives.set("contentsStop", Func::from(contents_stop))?;
    natives.set("contentsSend", Func::from(contents_send))?;
    natives.set("contentsPost", Func::from(contents_post))?;
    natives.set("contentsAskOpen", Func::from(contents_ask_open))?;
    natives.set("contentsEval", Func::from(contents_eval))?;
    natives.set("frameState", Func::from(frame_state))?;
    natives.set("frameShows", Func::from(frame_shows))?;
    natives.set("frameSend", Func::from(frame_send))?;
    natives.set("frameReply", Func::from(frame_reply))?;
    natives.set("framePost", Func::from(frame_post))?;
    natives.set("frameEval", Func::from(frame_eval))?;
    natives.set("answer", Func::from(answer))?;
    natives.set("answerError", Func::from(answer_error))
}

fn contents(host: &Host, id: u32) -> Option<WebContents> {
    host.window(id).map(|window| window.web_contents())
}

fn frame(host: &Host, key: u64) -> Option<WebFrameMain> {
    host.frames.borrow().get(&key).cloned()
}

fn gone(ctx: &Ctx<'_>) -> rquickjs::Error {
    Exception::throw_message(ctx, &strait::FrameGone.to_string())
}

/// What is known of the page now; nothing once it is gone.
fn contents_state<'js>(ctx: Ctx<'js>, id: u32) -> Result<Option<Object<'js>>> {
    let host = host();
    let Some(contents) = contents(&host, id) else { return Ok(None) };
    let state = Object::new(ctx)?;
    state.set("url", contents.url())?;
    state.set("title", contents.title())?;
    state.set("destroyed", contents.is_destroyed())?;
    state.set("crashed", contents.is_crashed())?;
    state.set("osProcessId", contents.os_process_id().unwrap_or(0))?;
    state.set("mainFrame", host.know(&contents.main_frame()))?;
    Ok(Some(state))
}

/// Begins a load; `token` names it when it settles.
fn contents_load(ctx: Ctx<'_>, id: u32, how: String, what: String, headers: Vec<Vec<String>>, token: u32) -> Result<()> {
    let host = host();
    let Some(contents) = contents(&host, id) else { return Err(Exception::throw_type(&ctx, "Object has been destroyed")) };
    let load: LoadFuture = match how.as_str() {
        "file" => contents.load_file(what),
        "url" => {
            let pairs = headers.into_iter().filter_map(|pair| <[String; 2]>::try_from(pair).ok());
            contents.load_url_with_headers(&what, pairs.map(|[name, value]| (name, value)))
        }
        _ => contents.reload(),
    };
    tokio::task::spawn_local(async move {
        let settled = load.await;
        host.settle(token, Settled::Load(settled));
    });
    Ok(())
}

fn contents_stop(id: u32) {
    if let Some(contents) = contents(&host(), id) {
        contents.stop();
    }
}

fn contents_ask_open(id: u32, on: bool) {
    if let Some(contents) = contents(&host(), id) {
        contents.ask_window_open(on);
    }
}

fn contents_send(ctx: Ctx<'_>, id: u32, channel: String, bytes: TypedArray<'_, u8>, length: usize) -> Result<()> {
    let contents = contents(&host(), id).ok_or_else(|| gone(&ctx))?;
    contents.send_encoded(&channel, written(&bytes, length)).map_err(|_| gone(&ctx))
}

/// `isolated`: for `ipcRenderer` rather than for the page's own window.
fn contents_post(
    ctx: Ctx<'_>,
    id: u32,
    channel: String,
    bytes: TypedArray<'_, u8>,
    length: usize,
    ids: Vec<PortId>,
    isolated: bool,
) -> Result<()> {
    let contents = contents(&host(), id).ok_or_else(|| gone(&ctx))?;
    let payload = written(&bytes, length);
    with_ports(&ctx, &ids, |ports| contents.post_encoded_to(world(isolated), &channel, payload, ports).map_err(refused))
}

fn refused(error: PostMessageError<strait_ports::Port>) -> (Vec<strait_ports::Port>, String) {
    let text = error.to_string();
    (error.ports, text)
}

/// What is known of the frame now; nothing once it is gone.
fn frame_state<'js>(ctx: Ctx<'js>, key: u64) -> Result<Option<Object<'js>>> {
    let host = host();
    let Some(frame) = frame(&host, key).filter(|frame| !frame.is_destroyed()) else { return Ok(None) };
    let state = Object::new(ctx)?;
    state.set("url", frame.url())?;
    state.set("origin", frame.origin())?;
    state.set("name", frame.name())?;
    state.set("detached", frame.is_detached())?;
    state.set("visible", frame.is_visible())?;
    state.set("processId", frame.process_id())?;
    state.set("osProcessId", frame.os_process_id().unwrap_or(0))?;
    state.set("parent", frame.parent().map(|parent| host.know(&parent)))?;
    state.set("top", frame.top().map(|top| host.know(&top)))?;
    state.set("contents", frame.web_contents().map(|contents| contents.id().get()))?;
    state.set("frames", frame.frames().iter().map(|child| host.know(child)).collect::<Vec<_>>())?;
    Ok(Some(state))
}

/// Whether the frame shows the sender of a message, or what may be taken for it.
fn frame_shows(key: u64, document: u64, origin: String, leaving: bool) -> bool {
    let sender = SenderDocument::new(DocumentId::from_number(document), origin, leaving);
    frame(&host(), key).is_some_and(|frame| frame.shows_sender(&sender))
}

/// Sends to the sender of a message, or to what may be taken for it: `sender` is its document's number, origin, and whether it was leaving.
fn frame_reply(
    ctx: Ctx<'_>,
    key: u64,
    List((document, origin, leaving)): List<(u64, String, bool)>,
    channel: String,
    bytes: TypedArray<'_, u8>,
    length: usize,
) -> Result<()> {
    let frame = frame(&host(), key).ok_or_else(|| gone(&ctx))?;
    let sender = SenderDocument::new(DocumentId::from_number(document), origin, leaving);
    frame.reply_encoded(sender, &channel, written(&bytes, length)).map_err(|_| gone(&ctx))
}

fn frame_send(ctx: Ctx<'_>, key: u64, channel: String, bytes: TypedArray<'_, u8>, length: usize) -> Result<()> {
    let frame = frame(&host(), key).ok_or_else(|| gone(&ctx))?;
    frame.send_encoded(&channel, written(&bytes, length)).map_err(|_| gone(&ctx))
}

fn frame_post(
    ctx: Ctx<'_>,
    key: u64,
    channel: String,
    bytes: TypedArray<'_, u8>,
    length: usize,
    ids: Vec<PortId>,
    isolated: bool,
) -> Result<()> {
    let frame = frame(&host(), key).ok_or_else(|| gone(&ctx))?;
    let payload = written(&bytes, length);
    with_ports(&ctx, &ids, |ports| frame.post_encoded_to(world(isolated), &channel, payload, ports).map_err(refused))
}

/// Runs a script in a frame's main or isolated world; `token` names it when it settles.
fn frame_eval(ctx: Ctx<'_>, key: u64, isolated: bool, source: String, token: u32) -> Result<()> {
    let frame = frame(&host(), key).ok_or_else(|| gone(&ctx))?;
    settle_script(frame.execute_encoded(world(isolated), &source), token);
    Ok(())
}

/// The same in a page's main frame, once it shows a document and loads nothing.
fn contents_eval(ctx: Ctx<'_>, id: u32, isolated: bool, source: String, token: u32) -> Result<()> {
    let contents = contents(&host(), id).ok_or_else(|| gone(&ctx))?;
    settle_script(contents.execute_encoded(world(isolated), &source), token);
    Ok(())
}

fn world(isolated: bool) -> World {
    if isolated { World::Isolated } else { World::Main }
}

fn settle_script(running: EvalFuture, token: u32) {
    tokio::task::spawn_local(async move {
        let settled = running.await;
        host().settle(token, Settled::Script(settled));
    });
}

/// Answers an `invoke` or `sendSync` with a value.
fn answer(id: u32, bytes: TypedArray<'_, u8>, length: usize) {
    let responder = host().responders.borrow_mut().remove(&id);
    if let Some(responder) = responder {
        responder.resolve(written(&bytes, length));
    }
}

/// Answers with an error; without a text, as one that never answered.
fn answer_error(id: u32, text: Option<String>) {
    let responder = host().responders.borrow_mut().remove(&id);
    if let (Some(responder), Some(text)) = (responder, text) {
        responder.reject(text);
    }
}
