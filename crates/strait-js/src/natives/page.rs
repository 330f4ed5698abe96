//! Natives for what a program does with a page besides loading it and talking to it.

use rquickjs::{Object, Result, prelude::Func};
use strait::{StyleKey, StyleOrigin, WebContents};

use crate::host::{Settled, host};

/// Registers them.
pub(crate) fn register(natives: &Object<'_>) -> Result<()> {
    natives.set("pageDo", Func::from(page_do))?;
    natives.set("pageDevTools", Func::from(|id: u32| page(id).is_some_and(|page| page.is_devtools_opened())))?;
    natives.set("pageUserAgent", Func::from(page_user_agent))?;
    natives.set("pageInsertStyle", Func::from(page_insert_style))?;
    natives.set("pageRemoveStyle", Func::from(page_remove_style))
}

fn page(id: u32) -> Option<WebContents> {
    host().window(id).map(|window| window.web_contents())
}

fn page_do(id: u32, action: String) {
    let Some(page) = page(id) else { return };
    match action.as_str() {
        "devtools" => page.open_devtools(false),
        "devtools-detached" => page.open_devtools(true),
        "devtools-close" => page.close_devtools(),
        "devtools-toggle" => page.toggle_devtools(),
        "crash" => page.forcefully_crash_renderer(),
        _ => {}
    }
}

fn page_user_agent(id: u32, user_agent: String) {
    if let Some(page) = page(id) {
        page.set_user_agent(&user_agent);
    }
}

/// `token` names it when it is in force, with the sheet's key.
fn page_insert_style(id: u32, css: String, user: bool, token: u32) {
    let Some(page) = page(id) else { return };
    let origin = if user { StyleOrigin::User } else { StyleOrigin::Author };
    let inserted = page.insert_css(&css, origin);
    settle(token, async move { inserted.await.map(|key| Some(key.get().to_string())) });
}

fn page_remove_style(id: u32, key: String, token: u32) {
    let Some(page) = page(id) else { return };
    // What is no number is the key of no sheet, and those are from 1.
    let removed = page.remove_inserted_css(StyleKey::from_number(key.parse().unwrap_or(0)));
    settle(token, async move { removed.await.map(|()| None) });
}

fn settle(token: u32, done: impl Future<Output = std::result::Result<Option<String>, strait::FrameGone>> + 'static) {
    tokio::task::spawn_local(async move {
        let done = done.await.map_err(|gone| format!("Error: {gone}"));
        host().settle(token, Settled::Done(done));
    });
}
