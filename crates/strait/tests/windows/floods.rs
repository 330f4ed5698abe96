//! One page floods the program; another page is served all the same.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use strait::{App, BrowserWindow, CloseReason, ContentsEvent, DEFAULT_PORT_QUEUE_LIMIT, PortRecvError, Value};
use tokio::sync::Notify;

use super::kit::{Case, Kit, case, heard, next};

/// Messages of a flood.
const FLOOD: usize = 4000;
/// How long the program works on each.
const WORK: Duration = Duration::from_micros(500);
/// Requests of the victim, one after another.
const REQUESTS: usize = 10;
/// The most messages of the flood that main may handle before the victim has its answers: 5 answers per thousand. Main itself handles two or three in a turn; the rest is for the
/// victim's process, which waits for a processor (`io/tests/flood.rs` counts without one).
const MAX_HANDLED: usize = 2000;

/// How much of a flood has been handled.
#[derive(Clone, Default)]
struct Handled(Arc<(AtomicUsize, Notify)>);

impl Handled {
    /// Works on one message.
    fn work(&self) {
        self.0.0.fetch_add(1, Ordering::SeqCst);
        self.0.1.notify_one();
        let begun = Instant::now();
        while begun.elapsed() < WORK {
            std::hint::spin_loop();
        }
    }

    fn get(&self) -> usize {
        self.0.0.load(Ordering::SeqCst)
    }
}

pub(super) fn cases(cases: &mut Vec<Case>) {
    case(cases, "a_flood_of_send_lets_others_be_answered", |app, kit| async move {
        let handled = Handled::default();
        let (flooder, works) = (kit.window(&app), handled.clone());
        flooder.web_contents().ipc().on("flood", move |_, _| works.work());
        outlast(&app, &kit, flooder, "ipc.send('flood', i)", handled).await;
    });
    case(cases, "a_flood_of_invoke_lets_others_be_answered", |app, kit| async move {
        let handled = Handled::default();
        let (flooder, works) = (kit.window(&app), handled.clone());
        let work = move |_, _| {
            let works = works.clone();
            async move {
                works.work();
                Ok::<_, String>(Value::Null)
            }
        };
        flooder.web_contents().ipc().handle("flood", work).unwrap();
        outlast(&app, &kit, flooder, "ipc.invoke('flood', i)", handled).await;
    });
    case(cases, "a_flood_of_the_console_lets_others_be_answered", |app, kit| async move {
        let handled = Handled::default();
        let (flooder, works) = (kit.window(&app), handled.clone());
        flooder.web_contents().on_event(move |event| {
            if matches!(event, ContentsEvent::Console(_)) {
                works.work();
            }
        });
        outlast(&app, &kit, flooder, "console.log(i)", handled).await;
    });
    case(cases, "a_flooded_port_lets_others_be_answered", |app, kit| async move {
        let handled = Handled::default();
        let (flooder, works) = (kit.window(&app), handled.clone());
        flooder.web_contents().ipc().on("port", move |event, _| {
            let (port, works) = (event.ports()[0].clone(), works.clone());
            tokio::task::spawn_local(async move {
                while port.recv().await.is_ok() {
                    works.work();
                }
            });
        });
        let flood = "(window.port ??= (() => { const { port1, port2 } = new MessageChannel(); ipc.postMessage('port', 0, [port2]); return port1 })()).postMessage(i)";
        outlast(&app, &kit, flooder, flood, handled).await;
    });
}

/// A page floods a port that the program holds and never reads.
pub(super) fn limits(cases: &mut Vec<Case>) {
    case(cases, "a_port_that_is_not_read_is_closed_and_others_go_on", |app, kit| async move {
        let before = app.node().stats();
        let flooder = kit.window(&app);
        let (mut ports, mut ended) = (heard(&flooder.web_contents(), "port"), heard(&flooder.web_contents(), "ended"));
        // In turns, so that the page receives the close.
        let script = "const { port1, port2 } = new MessageChannel(); ipc.postMessage('port', 0, [port2]); let open = true;
            port1.onclose = (event) => { open = false; ipc.send('ended', event.reason) }; port1.start();
            const large = new Uint8Array(1 << 16);
            const flood = () => { for (let i = 0; i < 16; i++) port1.postMessage(large); if (open) setTimeout(flood) }; flood()";
        flooder.load_file(kit.page(&super::kit::with_ipc(script))).await.unwrap();
        let (event, _) = ports.recv().await.unwrap();
        let unread = event.ports()[0].clone();
        assert_eq!(next(&mut ended).await, Value::from("dropped"));
        assert_eq!(unread.recv().await.unwrap_err(), PortRecvError::Closed(CloseReason::Dropped));
        let stats = app.node().stats();
        assert_eq!((stats.overflowed_ports, stats.overflowed_links), (before.overflowed_ports + 1, before.overflowed_links));
        assert!(stats.queued_bytes < DEFAULT_PORT_QUEUE_LIMIT / 10, "what waited is gone: {} bytes", stats.queued_bytes);
        // The page itself goes on, and so do others.
        flooder.web_contents().ipc().handle("ask", |_, _| async { Ok::<_, String>(Value::from("here")) }).unwrap();
        assert_eq!(flooder.web_contents().execute_javascript("ipc.invoke('ask')").await.unwrap(), Value::from("here"));
        let other = kit.shown(&app, "").await.unwrap().web_contents();
        assert_eq!(other.execute_javascript("1 + 1").await.unwrap(), super::kit::number(2));
    });
}

/// Lets a page send [`FLOOD`] messages at once, and another page ask [`REQUESTS`] times once all of them are under way.
async fn outlast(app: &App, kit: &Kit, flooder: BrowserWindow, flood: &str, handled: Handled) {
    let victim = kit.shown(app, "window.ipc = ipc").await.unwrap().web_contents();
    victim.ipc().handle("ask", |_, _| async { Ok::<_, String>(Value::Null) }).unwrap();
    let mut done = heard(&victim, "done");
    let script = format!("onclick = () => {{ for (let i = 0; i < {FLOOD}; i++) {flood} }}");
    flooder.load_file(kit.page(&super::kit::with_ipc(&script))).await.unwrap();
    // A task of the page's own: nothing but the flood waits for it.
    let begin = flooder.web_contents().execute_javascript("setTimeout(onclick); 0");
    begin.await.unwrap();
    let asks = format!("(async () => {{ for (let i = 0; i < {REQUESTS}; i++) await ipc.invoke('ask'); ipc.send('done', 0) }})(); 0");
    handled.0.1.notified().await;
    let asked = victim.execute_javascript(&asks);
    next(&mut done).await;
    let meanwhile = handled.get();
    asked.await.unwrap();
    flooder.destroy();
    assert!(meanwhile <= MAX_HANDLED, "{meanwhile} of {FLOOD} messages of the flood were handled before {REQUESTS} requests were answered");
}
