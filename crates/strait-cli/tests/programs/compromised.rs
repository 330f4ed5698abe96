//! Compromised renderers against a main process in JavaScript: what they send is reported or dropped, and an honest window gets its answers.
//!
//! `crates/strait/tests/hostile.rs` has the cases for what lies below, with a main in Rust. Here the scripts of `packages/electron` are what the
//! attacker's messages reach.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::json;
use strait_protocol::{IpcKind, ToMain, encode};

use crate::program::{Running, fixture, folder, run};
use crate::{Outcome, Test, test};

#[path = "../../../strait/tests/hostile/build.rs"]
mod build;
mod payloads;

use payloads::{NO_ARGUMENTS, UNREADABLE, hex};

/// The attacker's document, the first of its process.
const DOCUMENT: u64 = 1;

/// How much main's memory may grow in one attack, in MiB: more than all named limits on what one renderer can make main keep together.
const MOST_GROWTH: i64 = 512;

/// Descriptors that main may have more of after an attack.
const SLACK: i64 = 64;

/// How often the honest window is asked during a flood.
const ROUNDS: u32 = 20;

/// Channels whose names mean something to emitters, objects or terminals.
const CHANNELS: [&str; 12] = [
    "",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "error",
    "newListener",
    "removeListener",
    "ipc-message",
    "close",
    "nul\0nul",
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "line\nline",
];

pub(crate) fn tests() -> Vec<Test> {
    vec![
        test("compromised renderer: values that cannot be read", unreadable_values),
        test("compromised renderer: messages on a port that cannot be read", unreadable_port_messages),
        test("compromised renderer: odd channels", odd_channels),
        test("compromised renderer: floods", floods),
        test("compromised renderer: frames out of turn", frames),
    ]
}

/// An attack that ends by itself, after everything that it has sent.
fn attack(name: &str, script: &str) -> serde_json::Value {
    json!({ "name": name, "script": format!("{script}; ipc.send('said')"), "rounds": 0 })
}

/// An attack over a port, `port1`, whose other end main has started.
fn over_port(name: &str, script: &str) -> serde_json::Value {
    let script = format!(
        "const {{ port1, port2 }} = new MessageChannel(); ipc.postMessage('port', 0, [port2]); {script} port1.postMessage('the end')"
    );
    json!({ "name": name, "script": script, "rounds": 0 })
}

/// One that goes on while the honest window is asked.
fn flood(name: &str, script: &str) -> serde_json::Value {
    json!({ "name": name, "script": script, "rounds": ROUNDS })
}

/// Runs these attacks in one program, with the agent of compromised renderers.
fn attacked(attacks: &[serde_json::Value]) -> Running {
    static AGENT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let agent = AGENT.get_or_init(build::build).as_ref().unwrap_or_else(|why| panic!("the hostile agent does not build: {why}"));
    let folder = folder(&[]);
    let file = folder.path().join("attacks.json");
    fs::write(&file, json!(attacks).to_string()).expect("write the attacks");
    let mut program = start(agent, &file);
    program.expect("the honest window answers");
    program.end_well();
    let report = program.report();
    for line in program.output().lines().filter(|line| line.contains(" grew: ")) {
        let figures: Vec<i64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
        let [.., memory, descriptors] = figures[..] else { panic!("no figures in {line:?}") };
        assert!(memory < MOST_GROWTH && descriptors < SLACK, "{line}; {report}");
    }
    program
}

fn start(agent: &Path, attacks: &Path) -> Running {
    let mut command = run(&fixture("compromised"));
    command.env("ATTACKS", attacks).env("STRAIT_AGENT_SO", agent);
    Running::start(command)
}

/// A call that sends these bytes to main, with ends of new channels.
fn message(kind: IpcKind, channel: &str, payload: Vec<u8>, channels: usize) -> String {
    let message = ToMain::Ipc { document: DOCUMENT, kind, channel: channel.into(), payload };
    format!("hostile.message('{}', {channels});", hex(&encode(&message)))
}

const KINDS: [IpcKind; 4] = [IpcKind::Send, IpcKind::PostMessage, IpcKind::Invoke(7), IpcKind::SendSync(8)];

fn unreadable_values() -> Outcome {
    let (unreadable, no_arguments) = (payloads::all(UNREADABLE), payloads::all(NO_ARGUMENTS));
    let all = |payloads: &[Vec<u8>], kinds: &[IpcKind]| -> String {
        let pairs = payloads.iter().flat_map(|payload| kinds.iter().map(move |kind| (*kind, payload)));
        pairs.map(|(kind, payload)| message(kind, "forged", payload.clone(), payload.len() % 3)).collect()
    };
    let calls = [KINDS[0], KINDS[2], KINDS[3]];
    let program = attacked(&[
        attack("unreadable", &all(&unreadable, &KINDS)),
        attack("no arguments", &all(&no_arguments, &calls)),
        attack("readable", &message(IpcKind::Send, "forged", payloads::empty_array(), 0)),
    ]);
    let report = program.report();
    assert_eq!(program.count("unreadable ran; received: nothing"), 1, "{report}");
    assert_eq!(program.count("no arguments ran; received: nothing"), 1, "{report}");
    // The messages are as main expects them but for their values.
    assert_eq!(program.count("readable ran; received: 1 × on"), 1, "{report}");
    assert_eq!(program.count("on 'forged' that cannot be read: invalid structured clone"), unreadable.len() * KINDS.len(), "{report}");
    assert_eq!(program.count("on 'forged' that cannot be delivered"), no_arguments.len() * calls.len(), "{report}");
    Ok(())
}

fn unreadable_port_messages() -> Outcome {
    let payloads = payloads::all(UNREADABLE);
    let messages = |channels: usize| -> String {
        payloads.iter().map(|payload| format!("hostile.message('{}', {channels}, 1, port1);", hex(payload))).collect()
    };
    let script = [messages(0), messages(2)].concat();
    // The most that a message may have; more are refused before they are read.
    let many = "hostile.message('ff0f30', 1024, 1, port1); hostile.message('ff0f30', 5000, 1, port1);";
    let program = attacked(&[over_port("unreadable", &script), over_port("many", many)]);
    let count = payloads.len();
    let expected =
        format!("unreadable ran; received: 1 × close unloaded, {count} × messageerror with 0 ports, {count} × messageerror with 2 ports");
    assert_eq!(program.count(&expected), 1, "{expected}; {}", program.report());
    let expected = "many ran; received: 1 × close unloaded, 1 × message with 1024 ports";
    assert_eq!(program.count(expected), 1, "{expected}; {}", program.report());
    Ok(())
}

fn odd_channels() -> Outcome {
    let long = "x".repeat(1 << 20);
    let channels = CHANNELS.into_iter().chain([long.as_str()]);
    let script: String = channels
        .flat_map(|channel| {
            let readable = KINDS.map(|kind| message(kind, channel, payloads::empty_array(), 1));
            let unreadable = KINDS.map(|kind| message(kind, channel, Vec::new(), 1));
            readable.into_iter().chain(unreadable)
        })
        .collect();
    let program = attacked(&[attack("channels", &script)]);
    assert_eq!(program.count("channels ran; received: nothing"), 1, "{}", program.report());
    let lines = program.output();
    assert!(!lines.contains(|c: char| c.is_control() && c != '\n'), "control characters reach the terminal: {}", program.report());
    let longest = lines.lines().map(str::len).max().unwrap_or(0);
    assert!(longest < 1000, "a line has {longest} characters");
    Ok(())
}

fn floods() -> Outcome {
    let repeated = |message: &str| format!("setInterval(() => {{ for (let i = 0; i < 2000; i++) {{ {message} }} }}, 0)");
    let unread = "
        const ends = []
        for (let i = 0; i < 200; i++) {
          const { port1, port2 } = new MessageChannel()
          ipc.postMessage('unread port', i, [port2])
          ends.push(port1)
        }
        setInterval(() => { for (const end of ends) end.postMessage(new Uint8Array(32 << 10)) }, 0)";
    let program = attacked(&[
        flood("sends", &repeated(&message(IpcKind::Send, "forged", payloads::empty_array(), 0))),
        flood("invokes", &repeated(&message(IpcKind::Invoke(7), "forged", payloads::empty_array(), 0))),
        flood("sync calls", &repeated(&message(IpcKind::SendSync(7), "forged", payloads::empty_array(), 0))),
        flood("unreadable", &repeated(&message(IpcKind::Send, "forged", Vec::new(), 0))),
        flood("ports", &repeated(&message(IpcKind::PostMessage, "forged", payloads::empty_array(), 64))),
        flood("unread ports", unread),
    ]);
    assert_eq!(program.count(" ran; received: "), 6, "{}", program.report());
    Ok(())
}

fn frames() -> Outcome {
    let kinds = "hostile.kinds().forEach((kind) => hostile.frame(kind, 0, 1))";
    let each = (0..40).map(|kind| {
        let script = format!("const kind = hostile.kinds()[{kind}]; if (kind !== undefined) hostile.frame(kind, 4, 3)");
        attack(&format!("kind {kind}"), &script)
    });
    let others = [
        attack("all kinds", kinds),
        attack("a frame that cannot be decoded", "hostile.frame('ff')"),
        attack("half closed", "hostile.halfClose()"),
        attack("a goodbye", "hostile.leave(); hostile.message('00')"),
    ];
    let attacks: Vec<_> = each.chain(others).collect();
    let program = attacked(&attacks);
    let ended = program.count(" was ended: crashed; received: nothing");
    assert!(ended > 4, "{ended} attackers were ended; {}", program.report());
    assert_eq!(program.count("; received: "), attacks.len(), "{}", program.report());
    Ok(())
}
