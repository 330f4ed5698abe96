//! Agents that say more than the program listens to.

use strait_ports::Limits;

use super::*;
use crate::{
    IpcMessage,
    io::agent,
    quota::{MAX_CONSOLE_QUEUED, PAUSE_ABOVE},
};

const MIB: usize = 1 << 20;
/// How long this much may take, decoded without optimisation.
const LONG: Duration = Duration::from_secs(60);

fn line(text: String) -> ToMain {
    ToMain::Console { page: 1, level: ConsoleLevel::Log, text, source: String::new(), line: 0 }
}

fn send(payload: Vec<u8>) -> ToMain {
    ToMain::Ipc { document: 1, kind: IpcKind::Send, channel: "channel".into(), payload }
}

impl Agent {
    /// Waits until main has looked at all that was said, without anything having been handled: main itself refuses such a request.
    fn is_heard(&self) {
        let channel = "x".repeat(agent::MAX_CHANNEL + 1);
        self.say(&ToMain::Ipc { document: 1, kind: IpcKind::Invoke(1), channel, payload: Vec::new() });
        assert!(matches!(self.hears(), ToAgent::Reply { request: 1, outcome: Outcome::Error(_), .. }));
    }
}

impl Main {
    /// The next console line.
    fn console(&mut self) -> String {
        let event = self.until(|event| matches!(event, AppEvent::Contents { event: ContentsEvent::Console(_), .. }));
        let AppEvent::Contents { event: ContentsEvent::Console(message), .. } = event else { unreachable!() };
        message.text
    }

    /// The next IPC payload; `agent` goes on sending meanwhile.
    fn payload(&mut self, agent: &Agent) -> Vec<u8> {
        let started = Instant::now();
        loop {
            match self.events.try_recv() {
                Some(Queued::Event(AppEvent::Ipc(message))) => return message.payload,
                Some(_) => {}
                None if started.elapsed() > LONG => panic!("no payload within {LONG:?}"),
                None => drop(agent.node.wait(Some(Duration::from_millis(1)))),
            }
        }
    }
}

#[test]
fn console_lines_beyond_the_limit_are_dropped_and_counted() {
    let mut main = Main::start();
    let window = main.window();
    let agent = main.shown(&window);
    let all = 3 * MAX_CONSOLE_QUEUED / MIB;
    for number in 0..all {
        agent.say(&line(format!("{number} {}", "x".repeat(MIB - 100))));
    }
    agent.is_heard();
    assert!(main.events.len() <= MAX_CONSOLE_QUEUED / MIB + 2, "{} events wait", main.events.len());
    let mut kept = 0;
    let notice = loop {
        let text = main.console();
        if !text.starts_with(&format!("{kept} ")) {
            break text;
        }
        kept += 1;
    };
    assert!(kept > 8, "{kept}");
    assert!(notice.starts_with(&format!("{} console lines were dropped", all - kept)), "{kept} kept; {notice}");
    agent.say(&line("later".into()));
    assert_eq!(main.console(), "later");
}

#[test]
fn ten_thousand_console_lines_all_come() {
    let mut main = Main::start();
    let window = main.window();
    let agent = main.shown(&window);
    for number in 0..10_000 {
        agent.say(&line(format!("{number} {}", "x".repeat(100))));
    }
    agent.is_heard();
    for number in 0..10_000 {
        assert!(main.console().starts_with(&format!("{number} ")));
    }
}

#[test]
fn a_burst_is_lossless_and_waits_in_the_port() {
    let mut main = Main::start();
    let window = main.window();
    let agent = main.shown(&window);
    const BURST: u32 = 100_000;
    let payload = |number: u32| [number.to_le_bytes().as_slice(), &[7; 1020]].concat();
    for number in 0..BURST {
        agent.say(&send(payload(number)));
    }
    let waits = |main: &Main| main.shared.state().agents.values().map(|port| port.queued().0).sum::<usize>();
    let started = Instant::now();
    while main.events.len() + waits(&main) < BURST as usize && started.elapsed() < LONG {
        let _ = agent.node.wait(Some(Duration::from_millis(10)));
    }
    assert!(main.events.len() < BURST as usize / 2, "{} events wait for the program", main.events.len());
    for number in 0..BURST {
        assert_eq!(main.payload(&agent), payload(number));
    }
}

#[test]
fn large_payloads_come_whole() {
    let mut main = Main::start();
    let window = main.window();
    let agent = main.shown(&window);
    for number in 0..2 {
        agent.say(&send(vec![number; 50_000_000]));
    }
    for number in 0..2 {
        let payload = main.payload(&agent);
        assert!(payload.len() == 50_000_000 && payload.iter().all(|byte| *byte == number), "{number}");
    }
}

#[test]
fn an_agent_that_never_stops_is_ended_and_others_go_on() {
    let mut main = Main::start();
    let (one, two) = (main.window(), main.window());
    let (flood, other) = (main.shown(&one), main.shown(&two));
    main.commands.try_iter().for_each(drop);
    let message = strait_protocol::encode(&send(vec![0; MIB]));
    for _ in 0..256 {
        flood.bootstrap.post(Message::new(message.clone())).unwrap();
    }
    let started = Instant::now();
    let ended = loop {
        if let Ok(command) = main.commands.try_recv() {
            break command;
        }
        assert!(started.elapsed() < LONG);
        let _ = flood.node.wait(Some(Duration::from_millis(1)));
    };
    assert!(matches!(ended, UiCommand::ProcessLost { window, .. } if window == one.id()), "{ended:?}");
    let mut heard = 0;
    let notice = loop {
        match main.until(|_| true) {
            AppEvent::Ipc(_) => heard += 1,
            AppEvent::Contents { event: ContentsEvent::Console(message), .. } => break message.text,
            _ => {}
        }
    };
    assert_eq!(heard, PAUSE_ABOVE / MIB, "what was taken is heard");
    assert!(notice.starts_with("the page's process is ended: "), "{notice}");
    assert!(one.web_contents().is_crashed() && !two.web_contents().is_crashed());
    other.say(&line("still here".into()));
    assert_eq!(main.console(), "still here");
}

#[test]
fn an_agent_that_does_not_read_its_replies_is_ended_and_others_go_on() {
    const LIMIT: usize = 8 * MIB;
    let mut main = Main::start();
    crate::io::watch_limits(&main.shared.node, Limits { link_backlog: Some(LIMIT), ..Limits::default() }, main.shared.io.clone());
    let (one, two) = (main.window(), main.window());
    let (mute, other) = (main.shown(&one), main.shown(&two));
    main.commands.try_iter().for_each(drop);
    // It asks, and takes nothing of what comes.
    let mut asked = 0;
    let ended = loop {
        mute.say(&ipc(1, IpcKind::Invoke(asked)));
        asked += 1;
        match main.until(|_| true) {
            AppEvent::Ipc(IpcMessage { kind: IpcEventKind::Invoke(responder), .. }) => responder.resolve(vec![0; 64 << 10]),
            AppEvent::Contents { event: ContentsEvent::Console(message), .. } => break message.text,
            _ => {}
        }
        let waiting = main.shared.node.stats().queued_bytes;
        assert!(waiting <= LIMIT + MIB, "{waiting} bytes wait after {asked} requests");
    };
    assert!(ended.starts_with("the page's process is ended: it does not read what is sent to it (8 MiB"), "{ended}");
    let lost = main.commands.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(lost, UiCommand::ProcessLost { window, .. } if window == one.id()), "{lost:?}");
    assert_eq!(main.shared.node.stats().overflowed_links, 1);
    assert!(one.web_contents().is_crashed() && !two.web_contents().is_crashed());
    other.say(&ipc(1, IpcKind::Invoke(7)));
    let AppEvent::Ipc(IpcMessage { kind: IpcEventKind::Invoke(responder), .. }) = main.until(|event| matches!(event, AppEvent::Ipc(_)))
    else {
        unreachable!()
    };
    responder.resolve(Vec::new());
    assert!(matches!(other.hears(), ToAgent::Reply { request: 7, .. }));
}

#[test]
fn a_flood_is_passed_by_others_requests() {
    let mut main = Main::start();
    let (one, two) = (main.window(), main.window());
    let (flood, other) = (main.shown(&one), main.shown(&two));
    const FLOOD: usize = 10_000;
    for number in 0..FLOOD {
        flood.say(&send(vec![number as u8; 100]));
    }
    flood.is_heard();
    assert!(main.events.len() > FLOOD / 2, "there is no flood");
    other.say(&ipc(1, IpcKind::Invoke(7)));
    other.is_heard();
    let mut before = 0;
    main.until(|event| match event {
        AppEvent::Ipc(IpcMessage { kind: IpcEventKind::Invoke(_), .. }) => true,
        _ => {
            before += 1;
            false
        }
    });
    assert!(before <= 2 * 64, "{before} messages of the flood came before another page's request");
}

#[test]
fn texts_have_limits() {
    let mut main = Main::start();
    let window = main.window();
    let agent = main.shown(&window);
    let child = |number: u64, url: usize, origin: usize, name: usize| {
        let (url, origin, name) = ("u".repeat(url), "o".repeat(origin), "n".repeat(name));
        ToMain::DocumentCreated { page: 1, document: number, frame: number, parent: Some(1), url, origin, name }
    };
    agent.say(&child(2, agent::MAX_URL + 1, 0, 0));
    agent.say(&child(3, 0, 1 << 20, 0));
    agent.say(&line("x".repeat(agent::MAX_CONSOLE_TEXT + 1)));
    let events = main.settled(&agent);
    let [AppEvent::Contents { event: ContentsEvent::Console(message), .. }] = events.as_slice() else { panic!("{events:?}") };
    assert!(message.text.ends_with("x… (cut off)") && message.text.len() < agent::MAX_CONSOLE_TEXT + 20);
    let path = PathBuf::from("p".repeat(5000));
    agent.say(&ToMain::PreloadError { page: 1, path, message: String::new() });
    assert!(main.settled(&agent).is_empty());
    agent.say(&child(4, agent::MAX_URL, 0, 1 << 20));
    main.settled(&agent);
    let frames = window.web_contents().main_frame().frames();
    assert_eq!((frames.len(), frames[0].url().len(), frames[0].name().len()), (1, agent::MAX_URL, 64 * 1024));
}
