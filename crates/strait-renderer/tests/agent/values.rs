//! Values on every way: what a page says arrives as it was, at pages and at Rust, and comes back as it was.

use strait_clone::{read, write};
use strait_ports::{Event, Message, Port};
use strait_protocol::World;

use crate::host::{Case, Check, Host, Setup, View, same};
use crate::ports::RELAY;

pub(crate) const CASES: &[Case] = &[
    ("generated values between two ports of one page", within_a_page),
    ("generated values between two windows", between_windows),
    ("generated values to Rust and back", through_rust),
    ("a view carries its own bytes, a transferred buffer goes whole", views),
    ("what cannot cross is refused where it is sent", refused),
];

/// Seeds in a row that each way is tried with.
const COUNT: u32 = 400;

const VALUES: &str = include_str!("../../../strait-clone/tests/values.js");

/// `send(port, first)` sends values that the other end judges and sends back; `judge(port)` is the other end.
const PAGE: &str = "<body><script>
    var has = { resizable: true, images: true, blobs: true }
    var wrong = [], came = 0, over = false
    // Every third transferable buffer is transferred; every tenth message has a port in it.
    const post = (port, seed, verdict) => {
      const { value, buffers } = values.generate(seed, has)
      const list = buffers.filter((_, i) => (seed + i) % 3 === 0)
      const message = { seed, value, verdict, again: value }
      if (seed % 10 === 0) list.push(message.port = new MessageChannel().port1)
      port.postMessage(message, list)
      for (const buffer of list) if (buffer instanceof ArrayBuffer && !buffer.detached) wrong.push(seed + ': not detached')
    }
    const check = ({ data, ports }) => {
      came++
      const wanted = values.generate(data.seed, has).value
      const found = values.difference({ value: wanted, again: wanted }, { value: data.value, again: data.again })
      if (found) return found
      if (data.seed % 10 === 0 ? !(ports.length === 1 && data.port === ports[0] && data.port instanceof MessagePort) : ports.length !== 0) return 'other ports'
    }
    var judge = (port) => { port.onmessage = (event) => post(port, event.data.seed, check(event)) }
    var send = (port, first, count) => new Promise((done) => {
      let seed = first
      port.onmessage = (event) => {
        if (event.data.seed !== seed) wrong.push(`${event.data.seed} came instead of ${seed}`)
        if (event.data.verdict) wrong.push(`there, ${seed}: ${event.data.verdict}`)
        const found = check(event)
        if (found) wrong.push(`back, ${seed}: ${found}`)
        if (++seed === first + count) done(); else post(port, seed)
      }
      port.addEventListener('messageerror', () => { wrong.push('messageerror at ' + seed); done() })
      post(port, seed)
    })
    var end = async () => {
      const found = await values.settle()
      if (found) wrong.push(found)
      over = true
    }
    var report = () => JSON.stringify([came, wrong.slice(0, 4)])
    addEventListener('message', ({ data, ports: [port] }) => { if (data === 'judge') judge(port) })
    </script>";

fn page(host: &Host) -> Check<View> {
    host.open(Setup { html: &format!("<script>var values = {VALUES}</script>{PAGE}"), preload: Some(RELAY), ..Setup::default() })
}

fn nothing_wrong(host: &Host, view: &View) -> Check {
    host.until_true(view, World::Main, "over || wrong.length > 0")?;
    same("what came, what is wrong", &host.eval_raw(view, World::Main, "report()")?, &format!("[{COUNT},[]]"))
}

fn within_a_page(host: &Host) -> Check {
    let view = page(host)?;
    host.eval(
        &view,
        World::Main,
        &format!("const {{ port1, port2 }} = new MessageChannel(); judge(port2); send(port1, 1, {}).then(end)", COUNT / 2),
    )?;
    nothing_wrong(host, &view)
}

fn between_windows(host: &Host) -> Check {
    let other = page(host)?;
    let view = page(host)?;
    host.eval(
        &view,
        World::Main,
        &format!(
            "addEventListener('message', ({{ data, ports: [port] }}) => {{ if (data === 'send') send(port, 1000, {COUNT}).then(end) }})"
        ),
    )?;
    let (here, there) = host.node.channel();
    host.emit(&other, "to-page", "judge", vec![there]);
    host.emit(&view, "to-page", "send", vec![here]);
    nothing_wrong(host, &view)?;
    host.eval(&other, World::Main, "return end()")?;
    same("the other window", &host.eval_raw(&other, World::Main, "report()")?, &format!("[{COUNT},[]]"))
}

fn port_of(host: &Host, view: &View) -> Check<Port> {
    host.eval(
        view,
        World::Main,
        "over = false; const { port1, port2 } = new MessageChannel(); globalThis.near = port1; window.postMessage('to-main:port', '*', [port2])",
    )?;
    host.port("port")
}

fn through_rust(host: &Host) -> Check {
    let view = page(host)?;
    let port = port_of(host, &view)?;
    host.eval(&view, World::Main, &format!("send(near, 2000, {COUNT}).then(end)"))?;
    for _ in 0..COUNT {
        let Event::Message(Message { data, ports, .. }) = host.event(&port)? else { return Err("closed".to_owned()) };
        let value = read(&data, ports.len()).map_err(|error| error.to_string())?;
        let again = write(&value).map_err(|error| error.to_string())?;
        if read(&again, ports.len()).map_err(|error| error.to_string())? != value {
            return Err(format!("Rust reads what it wrote as something else than {value:?}"));
        }
        port.post(Message::with_ports(again, ports)).map_err(|error| error.to_string())?;
    }
    nothing_wrong(host, &view)
}

fn views(host: &Host) -> Check {
    let view = page(host)?;
    let port = port_of(host, &view)?;
    let sent = |script: &str| -> Check<usize> {
        host.eval(&view, World::Main, script)?;
        let Event::Message(Message { data, .. }) = host.event(&port)? else { return Err("closed".to_owned()) };
        Ok(data.len())
    };
    let own = sent("globalThis.big = new ArrayBuffer(20_000_000); near.postMessage(new Uint8Array(big, 10_000_000, 55))")?;
    let shown = sent("near.postMessage([new Uint8Array(big, 10_000_000, 55), big])")?;
    let transferred = sent("near.postMessage(new Uint8Array(big, 10_000_000, 55), [big])")?;
    let small = sent("near.postMessage(new Uint8Array(new ArrayBuffer(1000), 100, 55))")?;
    if own > 100 || shown < 20_000_000 || transferred < 20_000_000 || small < 1000 {
        return Err(format!("the messages have {own}, {shown}, {transferred} and {small} bytes"));
    }
    same("detached", &host.eval(&view, World::Main, "return big.byteLength")?, "0")
}

fn refused(host: &Host) -> Check {
    let view = page(host)?;
    let port = port_of(host, &view)?;
    host.eval(
        &view,
        World::Main,
        "var shared = globalThis.SharedArrayBuffer ? new SharedArrayBuffer(8) : new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer
         var memory = new WebAssembly.Memory({ initial: 1 })
         for (const value of [() => {}, Symbol(), Promise.resolve(), new WeakMap(), new WeakRef({}), document.body, window, shared, new Uint8Array(shared),
                              crypto.subtle, new Event('x'), { deep: [new Map([[1, document]])] }, new MessageChannel().port1, new Error('x', { cause: () => {} })]) {
           for (const say of [() => near.postMessage(value), () => near.postMessage([value], [])]) {
             try { say(); wrong.push(String(value) + ' was sent') } catch (error) { if (error.name !== 'DataCloneError') wrong.push(String(error)) }
           }
         }
         for (const list of [[memory.buffer], [shared], [new Uint8Array(8)], [document.body]]) {
           try { near.postMessage(1, list); wrong.push('list was taken') } catch (error) { if (error.name !== 'DataCloneError') wrong.push(String(error)) }
         }
         near.postMessage('after all that')",
    )?;
    same("what is wrong", &host.eval_raw(&view, World::Main, "report()")?, "[0,[]]")?;
    same("what comes", &host.text(&port)?, "after all that")
}
