//! What a program does with pages besides loading them: style sheets, the inspector, the end of a process; and what it hears of loads.

use std::{io::Write, net::TcpListener, thread};

use strait::{ContentsEvent, ProcessKind, StyleKey, StyleOrigin, Value, WebContents};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::kit::{Case, case, number};

/// The page's events from now on.
fn events(page: &WebContents) -> UnboundedReceiver<ContentsEvent> {
    let (sender, events) = unbounded_channel();
    page.on_event(move |event| drop(sender.send(event.clone())));
    events
}

/// The next event that `wanted` takes.
async fn next_of<T>(events: &mut UnboundedReceiver<ContentsEvent>, wanted: impl Fn(&ContentsEvent) -> Option<T>) -> T {
    loop {
        let event = events.recv().await.expect("the page goes on");
        if let Some(found) = wanted(&event) {
            return found;
        }
    }
}

async fn colour(page: &WebContents) -> Value {
    page.execute_javascript("getComputedStyle(document.body).color").await.unwrap()
}

pub(super) fn cases(cases: &mut Vec<Case>) {
    case(cases, "css_is_in_force_and_goes_again", |app, kit| async move {
        let window = kit.window(&app);
        let page = window.web_contents();
        window.load_file(kit.page("")).await.unwrap();
        let [black, red, blue] = ["rgb(0, 0, 0)", "rgb(255, 0, 0)", "rgb(0, 0, 255)"].map(Value::from);
        assert_eq!(colour(&page).await, black);
        let first = page.insert_css("body { color: red }", StyleOrigin::Author).await.unwrap();
        assert_eq!(colour(&page).await, red);
        // The user's sheets lose against an author's, but for what they say is important.
        let second = page.insert_css("body { color: lime }", StyleOrigin::User).await.unwrap();
        assert_eq!(colour(&page).await, red);
        let third = page.insert_css("body { color: blue !important }", StyleOrigin::User).await.unwrap();
        assert_eq!(colour(&page).await, blue);
        // The page sees nothing of it.
        let sheets = "[document.styleSheets.length, document.adoptedStyleSheets.length]";
        assert_eq!(page.execute_javascript(sheets).await.unwrap(), Value::array([number(0), number(0)]));
        for (key, then) in [(third, red.clone()), (second, red), (first, black.clone()), (first, black.clone())] {
            page.remove_inserted_css(key).await.unwrap();
            assert_eq!(colour(&page).await, then);
        }
        page.insert_css("body { color: red }", StyleOrigin::Author).await.unwrap();
        window.load_file(kit.page("")).await.unwrap();
        assert_eq!(colour(&page).await, black, "it belongs to the former document");
    });
    case(cases, "css_of_pages_that_belong_together", |app, kit| async move {
        let window = kit.window(&app);
        let page = window.web_contents();
        let (sender, mut popups) = unbounded_channel();
        page.on_did_create_window(move |window, _| drop(sender.send(window.web_contents())));
        window.load_file(kit.page("window.popup = open('')")).await.unwrap();
        let popup = popups.recv().await.unwrap();
        let [black, red] = ["rgb(0, 0, 0)", "rgb(255, 0, 0)"].map(Value::from);
        // They share their process's sheets: a difference to Electron.
        let key = popup.insert_css("body { color: red }", StyleOrigin::Author).await.unwrap();
        assert_eq!([colour(&popup).await, colour(&page).await], [red.clone(), red]);
        popup.remove_inserted_css(key).await.unwrap();
        assert_eq!([colour(&popup).await, colour(&page).await], [black.clone(), black]);
    });
    case(cases, "css_needs_a_page", |app, kit| async move {
        let window = kit.shown(&app, "").await.unwrap();
        let page = window.web_contents();
        let mut events = events(&page);
        page.forcefully_crash_renderer();
        next_of(&mut events, |event| matches!(event, ContentsEvent::RenderProcessGone { .. }).then_some(())).await;
        page.insert_css("*{}", StyleOrigin::Author).await.unwrap_err();
        window.destroy();
        page.insert_css("*{}", StyleOrigin::Author).await.unwrap_err();
        page.remove_inserted_css(StyleKey::from_number(1)).await.unwrap_err();
    });
    case(cases, "a_process_is_ended_and_comes_back", |app, kit| async move {
        let window = kit.window(&app);
        let page = window.web_contents();
        let mut events = events(&page);
        // There is nothing to end.
        page.forcefully_crash_renderer();
        window.load_file(kit.page("")).await.unwrap();
        let before = page.os_process_id().unwrap();
        page.forcefully_crash_renderer();
        let gone = next_of(&mut events, |event| match event {
            ContentsEvent::RenderProcessGone { reason, exit_code } => Some((*reason, *exit_code)),
            _ => None,
        });
        assert_eq!(gone.await, ("killed", 9));
        assert!(page.is_crashed());
        page.reload().await.unwrap();
        assert!(!page.is_crashed() && page.os_process_id().is_some_and(|pid| pid != before));
    });
    case(cases, "the_inspector_opens_and_closes", |app, kit| async move {
        let window = kit.shown(&app, "").await.unwrap();
        let page = window.web_contents();
        let mut events = events(&page);
        for detached in [true, false] {
            assert!(!page.is_devtools_opened());
            page.open_devtools(detached);
            next_of(&mut events, |event| (*event == ContentsEvent::DevToolsOpened).then_some(())).await;
            assert!(page.is_devtools_opened());
            page.close_devtools();
            next_of(&mut events, |event| (*event == ContentsEvent::DevToolsClosed).then_some(())).await;
        }
        page.toggle_devtools();
        next_of(&mut events, |event| (*event == ContentsEvent::DevToolsOpened).then_some(())).await;
        // The page goes on, and closes with its inspector open.
        assert_eq!(page.execute_javascript("1 + 1").await.unwrap(), number(2));
        window.destroy();
        next_of(&mut events, |event| (*event == ContentsEvent::Destroyed).then_some(())).await;
    });
    case(cases, "a_page_has_the_status_of_its_response", |app, kit| async move {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            for status in ["200 OK", "404 Not Found"] {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 4096];
                let length = std::io::Read::read(&mut stream, &mut request).unwrap();
                assert!(String::from_utf8_lossy(&request[..length]).contains("User-Agent: strait-test"), "{status}");
                write!(stream, "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi").unwrap();
            }
        });
        let window = kit.window(&app);
        let page = window.web_contents();
        page.set_user_agent("strait-test");
        let mut events = events(&page);
        let paths = [format!("{origin}/here"), format!("{origin}/missing"), format!("file://{}", kit.page("").display())];
        for (url, expected) in paths.iter().zip([Some(200), Some(404), None]) {
            window.load_url(url).await.unwrap();
            let status = next_of(&mut events, |event| match event {
                ContentsEvent::DidNavigate { url: now, status, same_document: false } if now == url => Some(*status),
                _ => None,
            });
            assert_eq!(status.await, expected, "{url}");
        }
        server.join().unwrap();
        assert_eq!(page.execute_javascript("navigator.userAgent").await.unwrap(), Value::from("strait-test"));
    });
    case(cases, "all_processes_are_measured", |app, kit| async move {
        let windows = [kit.shown(&app, "").await.unwrap(), kit.shown(&app, "").await.unwrap()];
        let metrics = app.metrics();
        let main = &metrics[0];
        assert_eq!((main.pid, main.kind), (std::process::id() as i32, ProcessKind::Main));
        for window in &windows {
            let pid = window.web_contents().os_process_id().unwrap();
            let page = metrics.iter().find(|process| process.pid == pid).expect("the page's process");
            assert_eq!(page.kind, ProcessKind::Renderer);
            assert!(page.working_set > 1024 && page.creation_time >= main.creation_time, "{page:?}");
        }
        // Inspectors, of other cases too, bring some of their own.
        assert!(metrics.iter().any(|process| process.kind == ProcessKind::Network), "{metrics:?}");
        // What works shows.
        windows[0].web_contents().execute_javascript("const end = Date.now() + 500; while (Date.now() < end);").await.unwrap();
        let busy = windows[0].web_contents().os_process_id().unwrap();
        let used = app.metrics().into_iter().find(|process| process.pid == busy).unwrap().cpu_percent;
        assert!(used > 1.0, "{used}");
    });
}
