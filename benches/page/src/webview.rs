//! A webview without us, as a program on wry has it: `ipc.postMessage` there, `evaluate_script` back.

use std::cell::OnceCell;
use std::rc::Rc;

use strait_bench::Outcome;
use tao::dpi::LogicalSize;
use tao::event_loop::{ControlFlow, EventLoop};
use tao::platform::unix::WindowExtUnix;
use tao::window::WindowBuilder;
use wry::{WebView, WebViewBuilder, WebViewBuilderExtUnix};

use crate::contestants::WEBVIEW;

pub(crate) fn run(base: &str) -> Outcome<()> {
    let events = EventLoop::new();
    let window = WindowBuilder::new().with_title("Plain webview").with_inner_size(LogicalSize::new(400, 300)).build(&events)?;
    let view: Rc<OnceCell<WebView>> = Rc::default();
    let answering = Rc::clone(&view);
    let made = WebViewBuilder::new()
        .with_url(format!("{base}wry.html?who={WEBVIEW}"))
        .with_ipc_handler(move |request| {
            // Read and written, as a program would: what comes back is not the text that came.
            let message: serde_json::Value = serde_json::from_str(request.body()).unwrap_or_default();
            let sent = answering.get().map(|view| view.evaluate_script(&format!("answer({message})")));
            if let Some(Err(error)) = sent {
                eprintln!("the plain webview: {error}");
            }
        })
        .build_gtk(window.default_vbox().ok_or("the window has no box")?)?;
    let _ = view.set(made);
    events.run(move |_, _, flow| {
        // It owns what is shown until the process ends.
        let _shown = (&view, &window);
        *flow = ControlFlow::Wait;
    })
}
