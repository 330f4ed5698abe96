//! Natives for pages and frames, and for answers to their requests.

use std::rc::Rc;

use napi::{Error, Result};
use serde_json::{Value as Json, json};
use strait::{DocumentId, EvalFuture, PostMessageError, SenderDocument, WebContents, WebFrameMain, World};
use strait_node_core::{Value, with_ports};
use strait_ports::Port;

use super::{Call, Natives};
use crate::{events, host::Host};

pub(super) fn register(natives: &mut Natives<'_>) -> Result<()> {
    natives.set("contentsState", |call| {
        let contents = call.host.window(call.get(0)?).map(|window| window.web_contents());
        Ok(contents.map(|contents| Value::from(contents_state(&call.host, &contents))))
    })?;
    natives.set("contentsLoad", load)?;
    natives.set("contentsStop", |call| {
        if let Ok(contents) = contents(call) {
            contents.stop();
        }
        Ok(())
    })?;
    natives.set("contentsAskOpen", |call| {
        if let Ok(contents) = contents(call) {
            contents.ask_window_open(call.get(1)?);
        }
        Ok(())
    })?;
    natives
        .set("contentsSend", |call| contents(call)?.send_encoded(&call.get::<String>(1)?, call.written(2)?.to_vec()).map_err(|_| gone()))?;
    natives.set("contentsPost", |call| {
        let contents = contents(call)?;
        let (channel, payload): (String, _) = (call.get(1)?, call.written(2)?.to_vec());
        let world = world(call.get(5)?);
        with_ports(call, 4, |ports| contents.post_encoded_to(world, &channel, payload, ports).map_err(refused))
    })?;
    natives.set("contentsEval", |call| {
        let running = contents(call)?.execute_encoded(world(call.get(1)?), &call.get::<String>(2)?);
        settle_script(&call.host, running, call.get(3)?);
        Ok(())
    })?;
    natives.set("frameState", |call| {
        // An argument that is not a number refers to no frame.
        let key = call.get::<f64>(0).unwrap_or(-1.0);
        let frame = call.host.frames.borrow().get(&(key as u64)).cloned();
        Ok(frame.filter(|frame| !frame.is_destroyed()).map(|frame| Value::from(frame_state(&call.host, &frame))))
    })?;
    natives.set("frameShows", |call| {
        let (_, sender) = sender(call, 1)?;
        Ok(frame(call).is_ok_and(|frame| frame.shows_sender(&sender)))
    })?;
    natives.set("frameSend", |call| frame(call)?.send_encoded(&call.get::<String>(1)?, call.written(2)?.to_vec()).map_err(|_| gone()))?;
    // To the sender of a message, or to a document that counts as the sender.
    natives.set("frameReply", |call| {
        let (next, sender) = sender(call, 1)?;
        frame(call)?.reply_encoded(sender, &call.get::<String>(next)?, call.written(next + 1)?.to_vec()).map_err(|_| gone())
    })?;
    natives.set("framePost", |call| {
        let frame = frame(call)?;
        let (channel, payload): (String, _) = (call.get(1)?, call.written(2)?.to_vec());
        let world = world(call.get(5)?);
        with_ports(call, 4, |ports| frame.post_encoded_to(world, &channel, payload, ports).map_err(refused))
    })?;
    natives.set("frameEval", |call| {
        let running = frame(call)?.execute_encoded(world(call.get(1)?), &call.get::<String>(2)?);
        settle_script(&call.host, running, call.get(3)?);
        Ok(())
    })?;
    // Answers an `invoke` or `sendSync`, with a value.
    natives.set("answer", |call| {
        let responder = call.host.responders.borrow_mut().remove(&call.get(0)?);
        if let Some(responder) = responder {
            responder.resolve(call.written(1)?.to_vec());
        }
        Ok(())
    })?;
    // Answers with an error; without a text, as if there had been no answer.
    natives.set("answerError", |call| {
        let responder = call.host.responders.borrow_mut().remove(&call.get(0)?);
        if let (Some(responder), Some(text)) = (responder, call.get::<Option<String>>(1)?) {
            responder.reject(text);
        }
        Ok(())
    })
}

/// The page whose number is the first argument.
fn contents(call: &Call<'_>) -> Result<WebContents> {
    call.host.window(call.get(0)?).map(|window| window.web_contents()).ok_or_else(gone)
}

/// The frame whose number is the first argument.
fn frame(call: &Call<'_>) -> Result<WebFrameMain> {
    let key: f64 = call.get(0)?;
    call.host.frames.borrow().get(&(key as u64)).cloned().ok_or_else(gone)
}

fn gone() -> Error {
    Error::from_reason(strait::FrameGone.to_string())
}

/// The sender of a message (its document's number, its origin, whether it was being unloaded), from
/// three arguments; and the index of the next one.
fn sender(call: &Call<'_>, index: usize) -> Result<(usize, SenderDocument)> {
    let document: f64 = call.get(index)?;
    let (origin, leaving): (String, bool) = (call.get(index + 1)?, call.get(index + 2)?);
    Ok((index + 3, SenderDocument::new(DocumentId::from_number(document as u64), origin, leaving)))
}

fn refused(error: PostMessageError<Port>) -> (Vec<Port>, String) {
    let text = error.to_string();
    (error.ports, text)
}

fn world(isolated: bool) -> World {
    if isolated { World::Isolated } else { World::Main }
}

/// The page's present state.
fn contents_state(host: &Host, contents: &WebContents) -> Json {
    json!({
        "url": contents.url(),
        "title": contents.title(),
        "destroyed": contents.is_destroyed(),
        "crashed": contents.is_crashed(),
        "osProcessId": contents.os_process_id().unwrap_or(0),
        "mainFrame": host.know(&contents.main_frame()),
    })
}

/// The frame's present state.
fn frame_state(host: &Host, frame: &WebFrameMain) -> Json {
    json!({
        "url": &*frame.url(),
        "origin": &*frame.origin(),
        "name": frame.name(),
        "detached": frame.is_detached(),
        "visible": frame.is_visible(),
        "processId": frame.process_id(),
        "osProcessId": frame.os_process_id().unwrap_or(0),
        "parent": frame.parent().map(|parent| host.know(&parent)),
        "top": frame.top().map(|top| host.know(&top)),
        "contents": frame.web_contents().map(|contents| contents.id().get()),
        "frames": frame.frames().iter().map(|child| host.know(child)).collect::<Vec<_>>(),
    })
}

/// `(page, how, what, headers, token)`: begins a load; `token` identifies it when it ends.
fn load(call: &Call<'_>) -> Result<()> {
    let contents = contents(call).map_err(|_| Error::from_reason("Object has been destroyed"))?;
    let what: String = call.get(2)?;
    let load = match call.get::<String>(1)?.as_str() {
        "file" => contents.load_file(what),
        "url" => {
            let headers: Vec<Vec<String>> = call.get(3)?;
            let pairs = headers.into_iter().filter_map(|pair| <[String; 2]>::try_from(pair).ok());
            contents.load_url_with_headers(&what, pairs.map(|[name, value]| (name, value)))
        }
        _ => contents.reload(),
    };
    let (host, token) = (call.host.clone(), call.get(4)?);
    call.host.core.tasks.spawn(async move { events::load_settled(&host, token, load.await) });
    Ok(())
}

fn settle_script(host: &Rc<Host>, running: EvalFuture, token: u32) {
    let settled = host.clone();
    host.core.tasks.spawn(async move { events::script_settled(&settled, token, running.await) });
}
