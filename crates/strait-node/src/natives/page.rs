//! Natives for a program's operations on a page besides loads and messages.

use std::{future::Future, rc::Rc};

use napi::Result;
use strait::{FrameGone, StyleKey, StyleOrigin, WebContents};

use super::{Call, Natives};
use crate::{events, host::Host};

pub(super) fn register(natives: &mut Natives<'_>) -> Result<()> {
    natives.set("pageDo", act)?;
    natives.set("pageDevTools", |call| Ok(page(call)?.is_some_and(|page| page.is_devtools_opened())))?;
    natives.set("pageUserAgent", |call| {
        if let Some(page) = page(call)? {
            page.set_user_agent(&call.get::<String>(1)?);
        }
        Ok(())
    })?;
    natives.set("pageInsertStyle", insert_style)?;
    natives.set("pageRemoveStyle", remove_style)
}

fn page(call: &Call<'_>) -> Result<Option<WebContents>> {
    Ok(call.host.window(call.get(0)?).map(|window| window.web_contents()))
}

/// `(page, action)`
fn act(call: &Call<'_>) -> Result<()> {
    let Some(page) = page(call)? else { return Ok(()) };
    match call.get::<String>(1)?.as_str() {
        "devtools" => page.open_devtools(false),
        "devtools-detached" => page.open_devtools(true),
        "devtools-close" => page.close_devtools(),
        "devtools-toggle" => page.toggle_devtools(),
        "crash" => page.forcefully_crash_renderer(),
        _ => {}
    }
    Ok(())
}

/// `(page, css, user, token)`: settles with the sheet's key when the sheet applies.
fn insert_style(call: &Call<'_>) -> Result<()> {
    let Some(page) = page(call)? else { return Ok(()) };
    let origin = if call.get(2)? { StyleOrigin::User } else { StyleOrigin::Author };
    let inserted = page.insert_css(&call.get::<String>(1)?, origin);
    settle(&call.host, call.get(3)?, async move { inserted.await.map(|key| Some(key.get().to_string())) });
    Ok(())
}

/// `(page, key, token)`
fn remove_style(call: &Call<'_>) -> Result<()> {
    let Some(page) = page(call)? else { return Ok(()) };
    // Text that is not a number is not the key of a sheet; keys start at 1.
    let key = call.get::<String>(1)?.parse().unwrap_or(0);
    let removed = page.remove_inserted_css(StyleKey::from_number(key));
    settle(&call.host, call.get(2)?, async move { removed.await.map(|()| None) });
    Ok(())
}

fn settle(host: &Rc<Host>, token: u32, done: impl Future<Output = std::result::Result<Option<String>, FrameGone>> + 'static) {
    let settled = host.clone();
    host.core.tasks.spawn(async move {
        let done = done.await.map_err(|gone| format!("Error: {gone}"));
        events::settled(&settled, token, done);
    });
}
