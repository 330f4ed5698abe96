//! What pages drop is collected: objects, handles, and with them the other ends.

use std::fs;
use std::time::{Duration, Instant};

use strait_ports::{Event, Message, Port};
use strait_protocol::World;

use crate::host::{Case, Check, Host, Setup, same};
use crate::ports::RELAY;
use crate::wire;

pub(crate) const CASES: &[Case] = &[
    ("a page that creates and drops channels does not grow", dropped_channels),
    ("the other ends of what a page drops close, soon or, in an idle page, later", other_ends),
    ("a port lives as long as the event that it came with", kept_events),
    ("mates live as long as one can be reached or a message is under way", mates),
];

fn is_long() -> bool {
    std::env::var_os("STRAIT_LONG").is_some()
}

/// `drop(n)` creates and drops `n` channels of every shape; `gone` counts the port objects that have been collected.
const PAGE: &str = "<body><script>
    var gone = 0, heard = 0, waste = []
    var each = {}
    const registry = new FinalizationRegistry((shape) => { gone++; each[shape] = (each[shape] || 0) + 1 })
    const shapes = [
      () => {},
      (a) => { a.onmessage = () => heard++ },
      (a, b) => { a.onmessage = b.onmessage = () => heard++ },
      (a, b) => { a.onmessage = ({ data }) => a.postMessage(data); b.onmessage = () => { heard++; return a }; b.postMessage(1) },
      (a, b) => { a.addEventListener('message', () => b); b.addEventListener('message', () => a, { once: true }); a.start(); b.start() },
      (a, b) => { a.onmessage = () => heard++; b.onclose = () => heard++; b.close() },
    ]
    const make = (shape, i) => {
      const { port1, port2 } = new MessageChannel()
      shape(port1, port2)
      registry.register(port1, i); registry.register(port2, i)
    }
    var drop = async (count) => {
      for (let i = 0; i < count; i++) {
        shapes.forEach(make)
        if (i % 100 === 99) await new Promise((done) => setTimeout(done))
      }
    }
    var churn = () => setInterval(() => { waste = []; for (let i = 0; i < 20000; i++) waste.push({ i }) }, 10)
    </script>";

/// How many of the test's web processes' bytes are in memory.
pub(crate) fn resident() -> u64 {
    let own = std::process::id();
    let is_ours = |status: &str| {
        status.lines().any(|line| line.strip_prefix("PPid:").is_some_and(|parent| parent.trim().parse() == Ok(own)))
            && status.starts_with("Name:\tWebKitWebProces")
    };
    let statuses = fs::read_dir("/proc").into_iter().flatten().flatten();
    let statuses = statuses.filter_map(|entry| fs::read_to_string(entry.path().join("status")).ok()).filter(|status| is_ours(status));
    let kilobytes = |status: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    };
    statuses.filter_map(|status| kilobytes(&status)).sum::<u64>() * 1024
}

/// Rounds of dropped channels, after the last of which no more memory may be in use.
const ROUNDS: u64 = 8;
/// What counts as no more, in MiB: 700 bytes for each of 100,000 channels.
const MOST_GROWTH: u64 = 64;

fn dropped_channels(host: &Host) -> Check {
    let view = host.open(Setup { html: PAGE, preload: Some(RELAY), ..Setup::default() })?;
    // Of each of the six shapes.
    let count: u64 = if is_long() { 100_000 / 6 } else { 1_000 };
    host.eval(&view, World::Main, "churn()")?;
    let round = |number: u64| -> Check<(Duration, u64)> {
        host.eval(&view, World::Main, &format!("globalThis.over = false; drop({count}).then(() => {{ over = true }})"))?;
        let begin = Instant::now();
        let end = begin + Duration::from_secs(if is_long() { 600 } else { 240 });
        // Of each thousand some may be held by what the engine takes for a pointer.
        let wanted = number * count * 12 - count / 50 - 20;
        while host.eval(&view, World::Main, &format!("return over && gone >= {wanted}"))? != "true" {
            if Instant::now() > end {
                let gone = host.eval(&view, World::Main, "return [gone, over, heard, each]")?;
                return Err(format!("{gone} of {} ports have been collected", number * count * 12));
            }
            host.eval(&view, World::Main, "return new Promise((done) => setTimeout(done, 50))")?;
        }
        let took = begin.elapsed();
        // Memory goes back to the system by and by.
        host.eval(&view, World::Main, "return new Promise((done) => setTimeout(done, 1000))")?;
        Ok((took, resident()))
    };
    // The engine's heap takes some rounds to become as large as it gets; what is kept for each channel adds to every round.
    let mut most = round(1)?.1.max(round(2)?.1);
    let mut grown = 0;
    for number in 3..=ROUNDS {
        let (took, after) = round(number)?;
        grown = after.saturating_sub(most) >> 20;
        println!("        {} channels gone {:.1} s after the first was made; {grown} MiB more than before", count * 6, took.as_secs_f64());
        if grown <= MOST_GROWTH {
            return Ok(());
        }
        most = after;
    }
    Err(format!("each of {ROUNDS} rounds of {} channels takes more memory, the last one {grown} MiB", count * 6))
}

/// The close of every port; how long the last took.
fn all_closed(host: &Host, ports: &[Port], limit: Duration) -> Check<Duration> {
    let begin = Instant::now();
    for port in ports {
        loop {
            match port.try_recv() {
                Some(Event::Close(reason)) => {
                    same("reason", &reason.to_string(), "dropped")?;
                    break;
                }
                Some(Event::Message(_)) => {}
                None if begin.elapsed() > limit => return Err(format!("a port is open after {limit:?}")),
                None => host.turn(),
            }
        }
    }
    Ok(begin.elapsed())
}

fn other_ends(host: &Host) -> Check {
    let script = "(() => { const ports = []; for (let i = 0; i < 50; i++) { const { port1, port2 } = new MessageChannel(); registry.register(port1); ports.push(port2)
        if (i % 2) port1.addEventListener('message', () => port1) } window.postMessage('to-main:ports', '*', ports) })()";
    let view = host.open(Setup { html: PAGE, preload: Some(RELAY), ..Setup::default() })?;
    if is_long() {
        host.eval(&view, World::Main, script)?;
        let ports = host.ipc("ports")?.ports;
        let idle = all_closed(host, &ports, Duration::from_secs(180))?;
        println!("        an idle page: the last of {} closed after {:.1} s", ports.len(), idle.as_secs_f64());
    }
    host.eval(&view, World::Main, &format!("churn(); {script}"))?;
    let ports = host.ipc("ports")?.ports;
    let busy = all_closed(host, &ports, Duration::from_secs(180))?;
    println!("        a page that allocates: the last of {} closed after {:.1} s", ports.len(), busy.as_secs_f64());
    Ok(())
}

fn mates(host: &Host) -> Check {
    let view = host.open(Setup { html: PAGE, preload: Some(RELAY), ..Setup::default() })?;
    // One end is held, by a listener of its own or by a name; its mate has nothing but a handler.
    host.eval(
        &view,
        World::Main,
        "globalThis.log = []
         globalThis.kept = []
         for (let i = 0; i < 50; i++) {
           const { port1, port2 } = new MessageChannel()
           kept.push(port1)
           port2.onmessage = (event) => port2.postMessage('echo ' + event.data)
           port1.onmessage = (event) => log.push(event.data)
           // Moves to another handler, and so to another way of being held, when its mate leaves.
           if (i % 5 === 0) { const far = new MessageChannel(); far.port1.onmessage = (event) => far.port1.postMessage('echo ' + event.data); kept[i] = far.port2; far.port2.onmessage = port1.onmessage }
         }
         churn()",
    )?;
    host.eval(&view, World::Main, "return new Promise((done) => setTimeout(done, 6000))")?;
    host.eval(&view, World::Main, "kept.forEach((port, i) => port.postMessage(i))")?;
    host.until_true(&view, World::Main, "log.length === 50")?;
    same("echoes", &host.eval(&view, World::Main, "return log.every((text, i) => text === 'echo ' + i)")?, "true")?;
    // A message under way keeps its receiver; after that nothing does.
    host.eval(
        &view,
        World::Main,
        "log.length = 0; for (let i = 0; i < 500; i++) { const { port1, port2 } = new MessageChannel(); port2.onmessage = (event) => log.push(event.data); for (let j = 0; j < 4; j++) port1.postMessage(4 * i + j); waste = new Array(5000).fill(i) }",
    )?;
    host.until_true(&view, World::Main, "log.length === 2000")?;
    same(
        "what was under way",
        &host.eval(&view, World::Main, "return log.every((n, i) => n === i) || [...log].sort((a, b) => a - b).every((n, i) => n === i)")?,
        "true",
    )?;
    // Listeners of mates: once, signals, removal and addition while one runs, a listener that dispatches.
    host.eval(
        &view,
        World::Main,
        "log.length = 0
         const { port1, port2 } = new MessageChannel()
         kept.push(port1)
         const say = (text) => () => log.push(text)
         const never = say('never'), later = say('later'), ending = new AbortController()
         port2.onmessage = say('handler')
         port2.addEventListener('message', say('once'), { once: true })
         port2.addEventListener('message', { handleEvent() { log.push('once object') } }, { once: true })
         port2.addEventListener('message', () => { port2.removeEventListener('message', never); port2.addEventListener('message', later) })
         port2.addEventListener('message', never)
         port2.addEventListener('message', (event) => { if (event.data === 1) port2.dispatchEvent(new MessageEvent('message', { data: 'inner' })) })
         port2.addEventListener('message', say('capture'), true)
         port1.postMessage(1)
         port1.postMessage(2)
         setTimeout(() => {
           log.push('signal')
           port2.onmessage = null
           port2.addEventListener('message', say('until'), { signal: ending.signal })
           port1.postMessage(3)
           setTimeout(() => { ending.abort(); port1.postMessage(4); setTimeout(say('end'), 100) }, 100)
         }, 100)",
    )?;
    host.until_true(&view, World::Main, "log.at(-1) === 'end'")?;
    same(
        "the order",
        &host.eval(&view, World::Main, "return log.join(' ')")?,
        "\"capture handler once once object capture handler later capture handler later signal capture later until capture later end\"",
    )
}

fn kept_events(host: &Host) -> Check {
    let view = host.open(Setup { html: PAGE, preload: Some(RELAY), ..Setup::default() })?;
    let script = "globalThis.kept = []; addEventListener('message', ({ ports: [port] }) => { port.onmessage = (event) => { if (event.data === 'keep') kept.push(event) } })";
    host.eval(&view, World::Main, script)?;
    let (near, there) = host.node.channel();
    host.emit(&view, "to-page", "port", vec![there]);
    let send = |text: &str| -> Check<Port> {
        let (here, there) = host.node.channel();
        near.post(Message::with_ports(wire::of_string(text), vec![there])).map_err(|error| error.to_string())?;
        Ok(here)
    };
    // Several, since the collector may take one for reachable that is not.
    let (kept, dropped): (Vec<_>, Vec<_>) =
        (0..20).map(|_| Ok((send("keep")?, send("drop")?))).collect::<Check<Vec<_>>>()?.into_iter().unzip();
    host.until_true(&view, World::Main, "kept.length === 20")?;
    host.eval(&view, World::Main, "churn()")?;
    let mut left = dropped.len();
    host.until("most of the others to close", || {
        left -= dropped.iter().filter(|port| matches!(port.try_recv(), Some(Event::Close(_)))).count();
        (left <= 5).then_some(())
    })?;
    host.eval(&view, World::Main, "kept.forEach((event, i) => event.ports[0].postMessage('alive'))")?;
    for port in &kept {
        same("a kept one", &host.text(port)?, "alive")?;
    }
    Ok(())
}
