//! Descriptors: those that a renderer is sent and keeps, and those that it makes main keep.

use std::fs;

use strait::{App, MessageChannel, WebContents};
use strait_ports::{Message, Port, SharedBuffer};

use super::{
    kit::{Case, Kit, case},
    scene::{Attacker, Bystander, Memory, descriptors},
};

/// Descriptors, and mappings, that a process may have more of for what has nothing to do with a case.
const SLACK: usize = 16;

/// Descriptors of shared buffers that a process keeps at most, for all its peers: the engine's `MAX_KEPT`.
const MOST_KEPT: usize = 64;

/// Mappings of shared buffers beyond those: the engine's `MAX_MAPPED`.
const MOST_MAPPED: usize = 1024;

/// Shared buffers that a renderer makes main receive: more than both limits together.
const SEALED: usize = 5000;

/// A page's script that takes a port and does not read it.
const TAKE: &str = "new Promise((resolve) => ipc.once('port', ({ ports: [port] }) => { window.port = port; resolve('taken') }))";

/// A page's script that sends large messages over its port, by which arenas are offered.
const SEND_LARGE: &str = "for (const size of [1 << 16, 1 << 20, 8 << 20]) port.postMessage(new Uint8Array(size)); 0";

/// Open descriptors of a page's process, which is not in the sandbox.
fn descriptors_of(page: &WebContents) -> usize {
    let process = page.os_process_id().expect("a process");
    fs::read_dir(format!("/proc/{process}/fd")).expect("it goes on").count()
}

/// Main's mappings.
fn mappings() -> usize {
    fs::read_to_string("/proc/self/maps").expect("this process").lines().count()
}

/// Gives a page a port; the other end stays with main.
async fn give_port(page: &WebContents, app: &App) -> Port {
    let MessageChannel { port1, port2 } = MessageChannel::new(app);
    let taken = tokio::task::spawn_local(page.execute_javascript(TAKE));
    page.execute_javascript("0").await.expect("the page is there");
    page.post_message("port", (), vec![port2]).expect("the page is there");
    taken.await.expect("it runs").expect("the page takes the port");
    port1.into_raw().expect("it is open")
}

/// Sends a port's other end what brings descriptors: shared buffers, and messages that are worth an arena.
fn send_all(port: &Port) {
    for length in [1 << 16, 1 << 20, 4 << 20] {
        for _ in 0..2 {
            let buffer = SharedBuffer::build(length, |bytes| bytes.fill(7));
            // The end of the link may come first.
            let _ = port.post(Message::with_buffers(vec![1], vec![buffer]));
            let _ = port.post(vec![2; length]);
        }
    }
}

/// A window opens, keeps what main and the bystander send it in this way, and closes.
async fn keeps(way: &str, bystander: &mut Bystander, app: &App, kit: &Kit) {
    let attacker = Attacker::open(app, kit).await;
    attacker.run(&format!("hostile.{way}(); 0")).await.expect("the attacker is there");
    let port = give_port(&attacker.page(), app).await;
    send_all(&port);
    // The bystander's process and the attacker's are introduced to each other, or would be.
    let MessageChannel { port1, port2 } = MessageChannel::new(app);
    let taken = [&attacker.page(), &bystander.page()].map(|page| tokio::task::spawn_local(page.execute_javascript(TAKE)));
    bystander.check().await;
    attacker.page().post_message("port", (), vec![port1]).expect("the attacker is there");
    bystander.page().post_message("port", (), vec![port2]).expect("the bystander is there");
    for taken in taken {
        taken.await.expect("it runs").expect("the page takes the port");
    }
    bystander.page().execute_javascript(SEND_LARGE).await.expect("the bystander is there");
    for _ in 0..3 {
        send_all(&port);
        bystander.check().await;
    }
    attacker.window.destroy();
    bystander.check().await;
}

pub(super) fn cases(cases: &mut Vec<Case>) {
    for (name, way) in [("descriptors_that_are_kept", "keep"), ("descriptors_that_are_withheld", "withhold")] {
        case(cases, name, move |app, kit| async move {
            let mut bystander = Bystander::open(&app, &kit).await;
            // What the first window brings stays: libraries, and WebKit's own.
            keeps(way, &mut bystander, &app, &kit).await;
            let memory = Memory::measure();
            let before = [descriptors(), descriptors_of(&bystander.page())];
            for _ in 0..8 {
                keeps(way, &mut bystander, &app, &kit).await;
                memory.check();
            }
            // The end of a window is no one moment.
            while descriptors() > before[0] + SLACK || descriptors_of(&bystander.page()) > before[1] + SLACK {
                bystander.check().await;
            }
        });
    }
    case(cases, "descriptors_for_a_renderer_that_never_reads", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let attacker = Attacker::open(&app, &kit).await;
        let port = give_port(&attacker.page(), &app).await;
        let (memory, before) = (Memory::measure(), descriptors());
        let (told, mut ended) = tokio::sync::mpsc::unbounded_channel();
        attacker.page().on_render_process_gone(move |reason| drop(told.send(reason.to_owned())));
        let busy = tokio::task::spawn_local(attacker.page().execute_javascript("for (;;);"));
        // Until main has had enough of it.
        while ended.try_recv().is_err() {
            for _ in 0..100 {
                let _ = port.post(Message::with_buffers(Vec::new(), vec![SharedBuffer::new(&[7; 20_000])]));
            }
            bystander.check().await;
            memory.check();
            assert!(descriptors() < before + MOST_KEPT + SLACK, "{before} descriptors became {}", descriptors());
        }
        drop((port, busy));
        bystander.check().await;
        while descriptors() > before + SLACK {
            bystander.check().await;
        }
    });
    case(cases, "sealed_memory_that_main_is_to_keep", |app, kit| async move {
        let mut bystander = Bystander::open(&app, &kit).await;
        let attacker = Attacker::open(&app, &kit).await;
        let unread = give_port(&attacker.page(), &app).await;
        let (memory, before) = (Memory::measure(), [descriptors(), mappings()]);
        for length in [1, 20_000] {
            let count = SEALED / if length == 1 { 1 } else { 4 };
            let sent = attacker.run(&format!("hostile.sealed({length}, {count}, port)")).await.expect("the attacker is there");
            assert_eq!(sent, super::kit::number(count as u32));
            while unread.queued().0 < count {
                bystander.check().await;
            }
            let now = [descriptors(), mappings()];
            memory.check();
            assert!(now[0] < before[0] + MOST_KEPT + SLACK, "{} descriptors became {}", before[0], now[0]);
            assert!(now[1] < before[1] + MOST_KEPT + MOST_MAPPED + SLACK, "{} mappings became {}", before[1], now[1]);
            // All of it can be read.
            for _ in 0..count {
                let Some(strait_ports::Event::Message(message)) = unread.try_recv() else { panic!("a message") };
                assert!(message.buffers[0].len() == length && message.buffers[0].iter().all(|byte| *byte == b'x'));
            }
        }
        attacker.window.destroy();
        bystander.check().await;
    });
}
