//! What a program does with pages besides loading them: style sheets, the inspector, the end of a process; and what it hears of loads.

use std::{io::Write, net::TcpListener, thread};

use strait::{BrowserWindow, ContentsEvent, ProcessKind, StyleKey, StyleOrigin, Value, WebContents, WindowEvent};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::kit::{Case, case, heard, next, number};

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
    case(cases, "a_page_that_does_not_answer_is_heard_of", |app, kit| async move {
        let window = BrowserWindow::builder().node_integration(true).build(&app);
        let hidden = kit.shown(&app, "").await.unwrap();
        let page = window.web_contents();
        window.load_file(kit.page("")).await.unwrap();
        let (mut events, mut unseen) = (events(&page), events(&hidden.web_contents()));
        let script = "const end = Date.now() + 12000; while (Date.now() < end);";
        let (busy, also) = (page.execute_javascript(script), hidden.web_contents().execute_javascript(script));
        next_of(&mut events, |event| (*event == ContentsEvent::Unresponsive).then_some(())).await;
        next_of(&mut events, |event| (*event == ContentsEvent::Responsive).then_some(())).await;
        busy.await.unwrap();
        also.await.unwrap();
        let heard: Vec<_> = std::iter::from_fn(|| unseen.try_recv().ok()).collect();
        assert!(!heard.contains(&ContentsEvent::Unresponsive), "workers may work: {heard:?}");
    });
    case(cases, "a_title_can_be_prevented", |app, kit| async move {
        let window = BrowserWindow::builder().show(false).title("own").build(&app);
        let page = window.web_contents();
        let (sender, mut titles) = unbounded_channel();
        let named = window.clone();
        window.on_page_title_updated(move |event, title| {
            if title == "page's" {
                event.prevent_default();
            }
            let _ = sender.send((title.to_owned(), named.title()));
        });
        window.load_file(kit.page("document.title = \"page's\"")).await.unwrap();
        while titles.recv().await.unwrap().0 != "page's" {}
        let before = window.title();
        assert_ne!(before, "page's");
        page.execute_javascript("document.title = 'other'").await.unwrap();
        let (title, then) = titles.recv().await.unwrap();
        assert_eq!((title.as_str(), then), ("other", before));
        page.execute_javascript("document.title = 'last'").await.unwrap();
        assert_eq!(titles.recv().await.unwrap(), ("last".into(), "other".into()), "what was not prevented is there");
        assert_eq!(page.title(), "last");
        // Of a flood of titles the last one arrives.
        page.execute_javascript("for (let n = 0; n <= 1000; n += 1) document.title = `title ${n}`").await.unwrap();
        while titles.recv().await.unwrap().0 != "title 1000" {}
    });
    case(cases, "windows_move", |app, kit| async move {
        let window = BrowserWindow::builder().size(300, 200).position(40, 50).build(&app);
        let (sender, mut moved) = unbounded_channel();
        window.on_event(move |event| {
            if let WindowEvent::Moved { x, y } = event {
                let _ = sender.send((*x, *y));
            }
        });
        window.load_file(kit.page("")).await.unwrap();
        assert!(window.is_resizable());
        window.set_resizable(false);
        assert!(!window.is_resizable());
        window.set_position(120, 130);
        assert_eq!(window.position(), (120, 130), "it is there for whoever asks");
        while moved.recv().await.unwrap() != (120, 130) {}
        window.center();
        let middle = loop {
            let place = moved.recv().await.unwrap();
            if place != (120, 130) {
                break place;
            }
        };
        assert_eq!(window.position(), middle);
        assert!(middle.0 > 120 && middle.1 > 130, "{middle:?}");
        let hidden = BrowserWindow::builder().show(false).build(&app);
        hidden.show_inactive();
        assert!(hidden.is_visible());
        hidden.destroy();
        hidden.set_position(1, 1);
        assert_eq!(hidden.position(), (0, 0));
    });
    case(cases, "partitions_keep_their_data_apart", |app, kit| async move {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
                let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
            }
        });
        let user_data = kit.folder().join("user data");
        app.set_user_data(&user_data);
        let open = async |partition: &str| {
            let window = BrowserWindow::builder().show(false).node_integration(true).partition(partition).build(&app);
            window.load_url(&url).await.unwrap();
            window.web_contents()
        };
        let read = async |page: &WebContents| page.execute_javascript("[localStorage.mark ?? null, document.cookie]").await.unwrap();
        let [one, same, other, kept, own] =
            [open("one").await, open("one").await, open("two").await, open("persist:../kept").await, open("").await];
        one.execute_javascript("localStorage.mark = 'one'; document.cookie = 'mark=one'; 0").await.unwrap();
        // Another process hears of it a moment later.
        while read(&same).await != Value::array(["one", "mark=one"]) {}
        kept.execute_javascript("localStorage.mark = 'kept'; 0").await.unwrap();
        for page in [&other, &own] {
            assert_eq!(read(page).await, Value::array([Value::Null, "".into()]));
        }
        assert_eq!(read(&kept).await, Value::array(["kept", ""]));
        assert!(user_data.join("Partitions/%2E%2E%2Fkept").is_dir());
        // Each has its agent: messages and ports arrive.
        for page in [&one, &kept] {
            let mut said = heard(page, "said");
            page.execute_javascript("require('electron').ipcRenderer.send('said', 'hello'); 0").await.unwrap();
            assert_eq!(next(&mut said).await, Value::from("hello"));
        }
        // What a page opens has its opener's.
        let (sender, mut popups) = unbounded_channel();
        one.on_did_create_window(move |window, _| drop(sender.send(window.web_contents())));
        one.execute_javascript("open(location.href); 0").await.unwrap();
        let popup = popups.recv().await.unwrap();
        assert_eq!(read(&popup).await, Value::array(["one", "mark=one"]));
    });
    case(cases, "preferences_of_the_web_engine", |app, kit| async move {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
                let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
            }
        });
        let ask = format!("fetch('{url}').then((response) => response.text(), () => 'refused')");
        let ticks = "new Promise((done) => { let n = 0; const timer = setInterval(() => n++, 20); \
                     setTimeout(() => { clearInterval(timer); done(n) }, 2500) })";
        for (lax, fetched) in [(false, "refused"), (true, "hi")] {
            let window = BrowserWindow::builder().show(false).web_security(!lax).background_throttling(lax).dev_tools(!lax).build(&app);
            let page = window.web_contents();
            window.load_file(kit.page("")).await.unwrap();
            assert_eq!(page.execute_javascript(&ask).await.unwrap(), Value::from(fetched));
            let ticked = page.execute_javascript(ticks).await.unwrap().as_f64().unwrap();
            assert_eq!(ticked < 12.0, lax, "{ticked}");
            let mut events = events(&page);
            page.open_devtools(true);
            if lax {
                page.execute_javascript("1").await.unwrap();
                assert!(!page.is_devtools_opened());
            } else {
                next_of(&mut events, |event| (*event == ContentsEvent::DevToolsOpened).then_some(())).await;
            }
        }
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
