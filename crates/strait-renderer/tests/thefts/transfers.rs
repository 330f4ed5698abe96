//! One route: its pages, its ports, and what becomes of them.

use std::time::{Duration, Instant};

use strait_ports::{Event, Message, Port};
use strait_protocol::World;

use crate::host::{Check, Host, PATIENCE, Setup, View};
use crate::routes::{Hand, Route};
use crate::server::{Page, Server};
use crate::wire;

/// Messages of one port: the first are posted before the port leaves, the others when the first has come back.
const EARLY: usize = 3;
const ALL: usize = 5;
/// Ports under way at the same time.
const AT_ONCE: usize = 32;
/// Where each has a document of its own.
const FRESH_AT_ONCE: usize = 8;
/// For each port: how long until it has served.
const LIMIT: Duration = if cfg!(feature = "planted-elimination") { Duration::from_secs(10) } else { PATIENCE };

const PRELOAD: &str = "const { ipcRenderer } = require('electron')
    for (const channel of ['take', 'end']) ipcRenderer.on(channel, ({ ports }, text) => window.postMessage(text, '*', ports))
    ipcRenderer.on('make', (_event, number) => {
      const { port1, port2 } = new MessageChannel()
      // In both orders.
      if (number % 2 === 0) ipcRenderer.postMessage('made', number, [port1])
      window.postMessage(number, '*', [port2])
      if (number % 2 !== 0) ipcRenderer.postMessage('made', number, [port1])
    })";

/// One port on its way, and its echoes.
struct Transfer {
    number: usize,
    port: Port,
    /// The port in whose queue or messages the other one goes.
    carrier: Option<Port>,
    heard: usize,
    began: Instant,
}

/// How far a transfer is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    UnderWay,
    Served,
    Closed,
}

impl Transfer {
    fn text(&self, at: usize) -> String {
        format!("secret {}.{at}", self.number)
    }

    fn post(&self, range: std::ops::Range<usize>) {
        for at in range {
            // B may be gone.
            let _ = self.port.post(Message::from(wire::of_string(&self.text(at))));
        }
    }

    /// Receives the echoes that have arrived. `lossy`: the port may close.
    fn advance(&mut self, lossy: bool) -> Check<Progress> {
        while let Some(event) = self.port.try_recv() {
            let text = match &event {
                Event::Message(message) => wire::string(&message.data).unwrap_or_default(),
                Event::Close(_) if lossy => return Ok(Progress::Closed),
                Event::Close(reason) => return Err(format!("port {} closed ({reason}) after {} of {ALL} echoes", self.number, self.heard)),
            };
            if text != self.text(self.heard) {
                return Err(format!("port {}: expected the echo of {:?}, got {text:?}", self.number, self.text(self.heard)));
            }
            self.heard += 1;
            if self.heard == 1 {
                self.post(EARLY..ALL);
            }
        }
        if self.heard < ALL && self.began.elapsed() > LIMIT {
            return Err(format!("port {}: waited in vain for echo {} of {ALL}", self.number, self.heard));
        }
        Ok(if self.heard == ALL { Progress::Served } else { Progress::UnderWay })
    }
}

/// How many ports a route sends.
fn volume(route: &Route) -> usize {
    if let Some(count) = std::env::var("STRAIT_TRANSFERS").ok().and_then(|text| text.parse().ok()) {
        return count;
    }
    match (route.fresh, std::env::var_os("STRAIT_LONG").is_some()) {
        (false, false) => 1_000,
        (false, true) => 100_000,
        (true, false) => 200,
        (true, true) => 2_000,
    }
}

fn serve() -> Result<[Server; 3], String> {
    let text = |text: &str| text.to_owned();
    let echo = include_str!("pages/echo.js");
    let victim: Vec<Page> = vec![
        ("/victim.html", "", text(include_str!("pages/victim.html"))),
        ("/echo.js", "", text(echo)),
        ("/worker.js", "", format!("{echo}\nonmessage = ({{ ports }}) => ports.forEach(serve)")),
        ("/service.js", "", format!("{echo}\nonmessage = ({{ ports }}) => ports.forEach(serve)")),
        (
            "/shared.js",
            "",
            format!("{echo}\nonconnect = ({{ ports: [port] }}) => {{ port.onmessage = ({{ ports }}) => ports.forEach(serve) }}"),
        ),
    ];
    let thief: Vec<Page> = vec![
        ("/thief.html", "", text(include_str!("pages/thief.html"))),
        ("/ports.js", "", text(include_str!("pages/ports.js"))),
        ("/empty.html", "", text("<!doctype html>")),
    ];
    let sender: Vec<Page> = vec![("/sender.html", "", text(include_str!("pages/sender.html")))];
    Ok([Server::start(sender)?, Server::start(victim)?, Server::start(thief)?])
}

/// Sends the route's ports; what it did, or what went wrong first.
pub(crate) fn run(host: &Host, route: &Route) -> Check<String> {
    let [a, b, c] = serve()?;
    let view = host.open(Setup { preload: Some(PRELOAD), ..Setup::default() })?;
    let _opened = host.let_open(&view);
    let options = format!(r#"{{"route":"{}","b":"{}","c":"{}"}}"#, route.page, b.url(""), c.url(""));
    let address = format!("'{}#' + encodeURIComponent('{options}')", a.url("/sender.html"));
    host.eval(&view, World::Main, &format!("location.href = {address}"))?;
    host.new_document(&view)?;
    host.until_true(&view, World::Main, "ready").map_err(|text| format!("{text}; {}", log(host, &view)))?;

    let outcome = send_all(host, &view, route);
    let told = log(host, &view);
    host.eval(&view, World::Main, "stop()")?;
    host.until_true(&view, World::Main, "count !== null")?;
    let count = host.eval(&view, World::Main, "return JSON.parse(count)")?;
    host.eval(&view, World::Main, "close()")?;
    if told != "[]" {
        return Err(format!("the pages report {told}; C's ports {count}; {outcome:?}"));
    }
    let sent = outcome.map_err(|text| format!("{text}; C's ports {count}"))?;
    Ok(format!("{sent}, C's ports {count}"))
}

fn log(host: &Host, view: &View) -> String {
    host.eval(view, World::Main, "return log").unwrap_or_else(|text| text)
}

fn send_all(host: &Host, view: &View, route: &Route) -> Check<String> {
    let total = volume(route);
    let nested = (route.hand == Hand::Message).then(|| {
        let (port, given) = host.node.channel();
        host.emit(view, "take", "nested", vec![given]);
        port
    });
    let at_once = if route.fresh { FRESH_AT_ONCE } else { AT_ONCE };
    let (mut begun, mut done, mut lost, mut partly) = (0, 0, 0, 0);
    let (mut said, began) = (0, Instant::now());
    let mut under_way: Vec<Transfer> = Vec::new();
    while done < total {
        while begun < total && under_way.len() < at_once {
            under_way.push(begin(host, view, route, begun, nested.as_ref())?);
            begun += 1;
        }
        host.turn();
        let settled = if route.lossy { settled(host, view)? } else { Vec::new() };
        let mut at = 0;
        while at < under_way.len() {
            let transfer = &mut under_way[at];
            let progress = transfer.advance(route.lossy)?;
            let served = progress == Progress::Served;
            if progress == Progress::UnderWay && !settled.contains(&transfer.number) {
                at += 1;
                continue;
            }
            let transfer = under_way.swap_remove(at);
            // B closes its ends, or WebKit would ask for the messages of each at every message. B may be gone.
            for port in [Some(&transfer.port), transfer.carrier.as_ref()].into_iter().flatten() {
                let _ = port.post(Message::from(wire::of_string("end")));
            }
            if route.fresh && !route.lossy {
                host.emit(view, "end", &format!("end {}", transfer.number), Vec::new());
            }
            done += 1;
            lost += usize::from(!served);
            partly += usize::from(!served && transfer.heard > 0);
        }
        if done >= said + 5000 {
            said = done;
            println!("        {}: {done} of {total} after {:.0} s", route.name, began.elapsed().as_secs_f64());
        }
        if done % 64 == 0 && log(host, view) != "[]" {
            return Err(format!("after {done} of {total}"));
        }
    }
    if route.lossy && total >= 100 && (lost == 0 || lost == total) {
        return Err(format!("B was gone for {lost} of {total} ports: the route needs both outcomes"));
    }
    Ok(if route.lossy {
        format!("{total} ports, for {lost} of which B was gone, for {partly} after some echoes")
    } else {
        format!("{total} ports")
    })
}

/// The numbers of ports whose receiver has navigated.
fn settled(host: &Host, view: &View) -> Check<Vec<usize>> {
    let text = host.eval(view, World::Main, "return settled.splice(0).join(' ')")?;
    Ok(text.trim_matches('"').split_whitespace().filter_map(|number| number.parse().ok()).collect())
}

fn begin(host: &Host, view: &View, route: &Route, number: usize, nested: Option<&Port>) -> Check<Transfer> {
    let name = number.to_string();
    if route.hand == Hand::Made {
        host.emit(view, "make", &name, Vec::new());
        let port = host.port("made")?;
        let transfer = Transfer { number, port, carrier: None, heard: 0, began: Instant::now() };
        transfer.post(0..EARLY);
        return Ok(transfer);
    }
    let (port, given) = host.node.channel();
    let mut transfer = Transfer { number, port, carrier: None, heard: 0, began: Instant::now() };
    transfer.post(0..EARLY);
    match (route.hand, nested) {
        (Hand::Message, Some(nested)) => {
            nested.post(Message::with_ports(wire::of_string(&name), vec![given])).map_err(|error| error.to_string())?;
        }
        (Hand::Queue | Hand::Later, _) => {
            let (carrier, leaving) = host.node.channel();
            let inner = Message::with_ports(wire::of_string("inner"), vec![given]);
            if route.hand == Hand::Queue {
                carrier.post(inner).map_err(|error| error.to_string())?;
                host.emit(view, "take", &name, vec![leaving]);
            } else {
                host.emit(view, "take", &name, vec![leaving]);
                carrier.post(inner).map_err(|error| error.to_string())?;
            }
            transfer.carrier = Some(carrier);
        }
        _ => host.emit(view, "take", &name, vec![given]),
    }
    Ok(transfer)
}
