//! Downloads that pages start. The API has no decision about them yet, so all are refused.

use webkit2gtk::{DownloadExt, URIRequestExt, WebContext, WebContextExt, WebViewExt};

use crate::{printable, shared::SharedRef, text::cut};

/// The longest URL in a warning, in bytes; the rest is cut off.
const MAX_URL: usize = 4096;

/// Cancels every download of the context's pages before a file is made. The first one of each
/// window is reported on the terminal.
pub(super) fn refuse(shared: &SharedRef, context: &WebContext) {
    let shared = shared.clone();
    context.connect_download_started(move |_, download| {
        download.cancel();
        let page = download.web_view().map(|view| view.page_id());
        let window = {
            let mut state = shared.state();
            let contents = page.and_then(|page| state.registry.contents_with(page));
            let Some(record) = contents.and_then(|contents| state.contents.get_mut(&contents)) else {
                // The page is gone, or no agent has proved that it belongs to the program.
                tracing::warn!(?page, "a download of an unknown page was cancelled");
                return;
            };
            if std::mem::replace(&mut record.download_refused, true) {
                return;
            }
            record.window
        };
        let mut url = download.request().and_then(|request| request.uri()).map(String::from).unwrap_or_default();
        cut(&mut url, MAX_URL, "…");
        strait_output::report!("[window {} warning] download cancelled, as are later ones of this window: {}", window.0, printable(&url));
    });
}
