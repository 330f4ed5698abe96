//! Ports of pages: what HTML says of them, between realms and frames.

use strait_ports::MAX_PORTS;
use strait_protocol::World;

use crate::host::{Case, Check, Host, Setup, View, same};
use crate::wire;

pub(crate) const CASES: &[Case] = &[
    ("ports are real DOM objects with HTML's behaviour", dom_behaviour),
    ("messages are tasks: microtasks, window.event, errors", tasks),
    ("event handler attributes", handlers),
    ("a failed post consumes nothing", failed_posts),
    ("array buffers are transferred", buffers),
    ("listeners wait for the start of their port", waiting_listeners),
    ("as many ports arrive as a message may carry", many_ports),
    ("ports travel in messages, three deep", nested),
    ("window.postMessage from the isolated world to the page", isolated_to_main),
    ("window.postMessage from the page to the isolated world", main_to_isolated),
    ("ports go to an iframe and back", iframes),
    ("event.source of plain window messages is the sender", plain_sources),
    ("a frame's port object is transferred by its parent", frame_objects),
    ("structuredClone moves ports", structured_clone),
    ("an object that pretends to be a port spoils no others", pretenders),
    ("a transfer list is read once", one_shot_lists),
    ("a port closed by a message that cannot be posted is closed", closed_on_the_way),
];

/// A page whose script fills `globalThis.log`.
fn page(host: &Host, script: &str) -> Check<View> {
    host.open(Setup { html: &format!("<body><script>globalThis.log = []\n{script}</script>"), preload: Some(RELAY), ..Setup::default() })
}

/// A preload that hands ports from main to the page and from the page to main.
pub(crate) const RELAY: &str = "const { ipcRenderer } = require('electron')
ipcRenderer.on('to-page', (event, text) => window.postMessage(text, '*', event.ports))
window.addEventListener('message', (event) => {
  if (typeof event.data === 'string' && event.data.startsWith('to-main:')) ipcRenderer.postMessage(event.data.slice(8), null, event.ports)
})";

fn log(host: &Host, view: &View, length: usize, expected: &str) -> Check {
    host.until_true(view, World::Main, &format!("log.length >= {length}"))
        .map_err(|text| format!("{text}; the log is {}", host.eval(view, World::Main, "return log").unwrap_or_default()))?;
    same("the log", &host.eval(view, World::Main, "return log")?, expected)
}

fn dom_behaviour(host: &Host) -> Check {
    let view = page(
        host,
        "const channel = new MessageChannel()
         log.push(channel instanceof MessageChannel, channel.port1 instanceof MessagePort, channel.port1 === channel.port1)
         log.push(Object.prototype.toString.call(channel.port1), MessageChannel.name, MessageChannel.length)
         try { MessageChannel() } catch (error) { log.push(error.name) }
         channel.port1.postMessage(undefined)
         channel.port1.postMessage({ a: [1, -0, 'x', new Date(5)] })
         let started = 0
         channel.port2.addEventListener('message', (event) => {
           log.push(started, event instanceof MessageEvent, Object.isFrozen(event.ports), event.ports.length, event.isTrusted)
           log.push(event.data === undefined ? 'undefined' : Object.is(event.data.a[1], -0) && event.data.a[3].getTime() === 5)
         })
         setTimeout(() => { started = 1; channel.port2.start(); channel.port2.start() }, 60)",
    )?;
    log(
        host,
        &view,
        19,
        r#"[true,true,true,"[object MessagePort]","MessageChannel",0,"TypeError",1,true,true,0,false,"undefined",1,true,true,0,false,true]"#,
    )
}

fn tasks(host: &Host) -> Check {
    let view = page(
        host,
        "window.onerror = (message) => { log.push('onerror ' + message.includes('thrown')); return true }
         const { port1, port2 } = new MessageChannel()
         port2.onmessage = function (event) {
           log.push(`${event.data}${window.event === event}${this === port2}`)
           Promise.resolve().then(() => log.push('microtask ' + event.data))
           if (event.data === 2) throw new Error('thrown')
         }
         port2.addEventListener('message', (event) => log.push('second ' + event.data))
         for (let i = 1; i <= 3; i++) port1.postMessage(i)
         log.push('posted')",
    )?;
    log(
        host,
        &view,
        11,
        r#"["posted","1truetrue","microtask 1","second 1","2truetrue","onerror true","microtask 2","second 2","3truetrue","microtask 3","second 3"]"#,
    )
    .or_else(|_| {
        // Whether an error is reported before or after the microtasks of the same handler is WebKit's choice.
        log(
            host,
            &view,
            11,
            r#"["posted","1truetrue","microtask 1","second 1","2truetrue","microtask 2","onerror true","second 2","3truetrue","microtask 3","second 3"]"#,
        )
    })
}

fn handlers(host: &Host) -> Check {
    let view = page(
        host,
        "const { port1, port2 } = new MessageChannel()
         log.push(port2.onmessage, port2.onclose)
         port2.onmessage = () => log.push('first')
         port2.addEventListener('message', () => log.push('listener'))
         const second = function () { log.push('second', this === port2) }
         port2.onmessage = second
         log.push(port2.onmessage === second)
         port2.onclose = 5
         log.push(port2.onclose)
         let closes = 0
         port2.addEventListener('close', { handleEvent(event) { log.push('object ' + event.reason + ++closes) } })
         port2.onclose = (event) => log.push('close ' + event.reason + (event instanceof Event) + ++closes)
         port1.onclose = () => log.push('never')
         port1.postMessage(1)
         port1.close()
         port1.close()
         port1.postMessage('ignored')
         log.push('closed')",
    )?;
    log(host, &view, 10, r#"[null,null,true,null,"closed","second",true,"listener","object closed1","close closedtrue2"]"#)?;
    host.eval(&view, World::Main, "const { port1, port2 } = new MessageChannel(); port2.onmessage = () => log.push('no'); port2.onmessage = null; port2.addEventListener('message', () => log.push('yes')); port1.postMessage(1)")?;
    host.until_true(&view, World::Main, "log.length >= 11")?;
    same("after null", &host.eval(&view, World::Main, "return log[10]")?, r#""yes""#)
}

fn failed_posts(host: &Host) -> Check {
    let view = page(
        host,
        "const { port1, port2 } = new MessageChannel()
         const other = new MessageChannel()
         const buffer = new ArrayBuffer(8)
         const attempt = (f) => { try { f(); log.push('nothing') } catch (error) { log.push(error.name + (error instanceof DOMException)) } }
         attempt(() => port1.postMessage(1, [port1]))
         attempt(() => port1.postMessage(1, [other.port1, other.port1]))
         attempt(() => port1.postMessage(1, { transfer: [other.port1, buffer, () => {}] }))
         attempt(() => port1.postMessage(() => {}, [other.port1, buffer]))
         attempt(() => port1.postMessage(other.port2, [other.port1, buffer]))
         attempt(() => port1.postMessage(1, [other.port1, null]))
         attempt(() => port1.postMessage(1, 5))
         attempt(() => port1.postMessage())
         const gone = new MessageChannel()
         gone.port1.close()
         attempt(() => port1.postMessage(1, [other.port1, gone.port1]))
         attempt(() => window.postMessage(() => {}, '*', [other.port1]))
         attempt(() => window.postMessage(1, 'no origin', [other.port1]))
         attempt(() => window.postMessage(1, '*', [other.port1, gone.port1]))
         log.push(buffer.byteLength)
         other.port2.onmessage = (event) => log.push('usable ' + event.data)
         other.port1.postMessage('still')
         port2.onmessage = (event) => { log.push('arrived', event.data, event.ports.length); event.ports[0].postMessage('moved') }
         attempt(() => port1.postMessage('with', [other.port1]))
         attempt(() => port1.postMessage('again', [other.port1]))",
    )?;
    log(
        host,
        &view,
        19,
        r#"["DataCloneErrortrue","DataCloneErrortrue","DataCloneErrortrue","DataCloneErrortrue","DataCloneErrortrue","TypeErrorfalse","TypeErrorfalse","TypeErrorfalse","DataCloneErrortrue","DataCloneErrortrue","SyntaxErrortrue","DataCloneErrortrue",8,"nothing","DataCloneErrortrue","usable still","arrived","with",1,"usable moved"]"#,
    )
    .or_else(|first| {
        host.until_true(&view, World::Main, "log.includes('usable moved')").map_err(|_| first)?;
        same("the target", &host.eval(&view, World::Main, "return log.length")?, "20")
    })?;
    // A message that carries its own target is doomed, silently.
    host.eval(
        &view,
        World::Main,
        "const { port1, port2 } = new MessageChannel(); port2.onmessage = () => log.push('impossible'); port1.postMessage('doomed', [port2]); port2.postMessage('detached'); log.push('doomed')",
    )?;
    host.until_true(&view, World::Main, "log.at(-1) === 'doomed'")
}

fn buffers(host: &Host) -> Check {
    let view = page(
        host,
        "const { port1, port2 } = new MessageChannel()
         const buffer = new Uint8Array([1, 2, 3]).buffer
         const large = new Uint8Array(3_000_000).fill(7)
         port2.onmessage = (event) => log.push(event.data.b.byteLength, new Uint8Array(event.data.b)[2], event.data.large.length, event.data.large[2_999_999])
         port1.postMessage({ b: buffer, large }, [buffer])
         log.push(buffer.byteLength)
         port1.postMessage({ b: new ArrayBuffer(1), large: large.subarray(0, 3_000_000) }, { transfer: [] })",
    )?;
    log(host, &view, 9, "[0,3,3,3000000,7,1,null,3000000,7]")
}

fn waiting_listeners(host: &Host) -> Check {
    let view = page(
        host,
        "const { port1, port2 } = new MessageChannel()
         const plain = (event) => log.push('plain ' + event.data)
         port2.addEventListener('message', plain)
         port2.addEventListener('message', plain, { passive: true })
         port2.addEventListener('message', plain, true)
         port2.addEventListener('message', () => log.push('once'), { once: true })
         const object = { handleEvent(event) { log.push('object ' + (this === object) + (event.currentTarget === port2)) } }
         port2.addEventListener('message', object)
         const removed = () => log.push('removed')
         port2.addEventListener('message', removed)
         port2.addEventListener('message', removed, { capture: true })
         port2.removeEventListener('message', removed, false)
         port2.removeEventListener('message', removed, { capture: 1 })
         const [early, late] = [new AbortController(), new AbortController()]
         port2.addEventListener('message', removed, { signal: early.signal })
         early.abort()
         port2.addEventListener('message', removed, { signal: early.signal })
         const ended = () => log.push('until the abort')
         port2.addEventListener('message', ended, { signal: late.signal })
         port2.addEventListener('message', null)
         for (const wrong of [() => port2.addEventListener('message'), () => port2.addEventListener('message', 5), () => port2.addEventListener('message', plain, { signal: null })]) {
           try { wrong(); log.push('nothing') } catch (error) { log.push(error.name) }
         }
         port1.postMessage(1)
         port2.onmessage = () => log.push('handler')
         port2.addEventListener('message', (event) => {
           log.push('last')
           late.abort()
           if (event.data === 1) port1.postMessage(2)
           else log.push('end')
         }, { once: false })
         const synthetic = new MessageChannel().port1
         synthetic.addEventListener('message', (event) => log.push('synthetic ' + event.data))
         synthetic.dispatchEvent(new MessageEvent('message', { data: 0 }))
         log.push(MessagePort.prototype.addEventListener.length)",
    )?;
    let expected = r#"["TypeError","TypeError","TypeError","synthetic 0",2,"plain 1","plain 1","once","object truetrue","until the abort","handler","last","plain 2","plain 2","object truetrue","handler","last","end"]"#;
    log(host, &view, 18, expected)
}

fn many_ports(host: &Host) -> Check {
    let view = host.open(Setup {
        preload: Some(
            "const { ipcRenderer } = require('electron')
             ipcRenderer.on('many', ({ ports }) => { globalThis.kept = ports; ports.at(-1).postMessage(String(ports.length)) })
             globalThis.tooMany = (count) => {
               const { port1 } = new MessageChannel()
               const ports = Array.from({ length: count }, () => new MessageChannel().port1)
               try { port1.postMessage(0, ports); return 'nothing' } catch (error) { return error.name + (error instanceof DOMException) }
             }",
        ),
        ..Setup::default()
    })?;
    let (here, there): (Vec<_>, Vec<_>) = (0..MAX_PORTS).map(|_| host.node.channel()).unzip();
    host.emit(&view, "many", "", there);
    let last = here.last().ok_or("no ports")?;
    same("ports that arrived", &host.text(last)?, &MAX_PORTS.to_string())?;
    same("one too many", &host.eval(&view, World::Isolated, &format!("return tooMany({})", MAX_PORTS + 1))?, r#""DataCloneErrortrue""#)
}

fn nested(host: &Host) -> Check {
    let view = page(
        host,
        "const a = new MessageChannel(), b = new MessageChannel(), c = new MessageChannel(), d = new MessageChannel()
         d.port1.postMessage('deep')
         c.port1.postMessage('c', [d.port2])
         b.port1.postMessage('b', [c.port2])
         a.port1.postMessage({ inside: b.port2 }, [b.port2])
         a.port2.onmessage = ({ data, ports }) => {
           log.push(data.inside === ports[0])
           ports[0].onmessage = ({ ports: [second] }) => {
             second.onmessage = ({ ports: [third] }) => { third.onmessage = (event) => { log.push(event.data); third.postMessage('back') } }
           }
         }
         d.port1.onmessage = (event) => log.push(event.data)",
    )?;
    log(host, &view, 3, r#"[true,"deep","back"]"#)
}

fn isolated_to_main(host: &Host) -> Check {
    let view = page(
        host,
        "window.onmessage = (event) => {
           if (event.source === window && event.data === 'main-world-port') {
             const [port] = event.ports
             log.push(event.origin, port instanceof MessagePort)
             port.onmessage = (event) => { log.push(event.data); port.postMessage(event.data + '!') }
             port.onclose = (event) => log.push(event.reason)
           } else log.push('unexpected')
         }",
    )?;
    let (here, there) = host.node.channel();
    here.post(wire::of_string("queued")).map_err(|error| error.to_string())?;
    host.emit(&view, "to-page", "main-world-port", vec![there]);
    same("the answer", &host.text(&here)?, "queued!")?;
    here.post(wire::of_string("more")).map_err(|error| error.to_string())?;
    same("the answer", &host.text(&here)?, "more!")?;
    here.close();
    log(host, &view, 5, r#"["file://",true,"queued","more","closed"]"#)
}

fn main_to_isolated(host: &Host) -> Check {
    let view = page(
        host,
        "const { port1, port2 } = new MessageChannel()
         port1.onmessage = (event) => log.push(event.data)
         port1.onclose = (event) => log.push(event.reason)
         window.postMessage('to-main:port', { targetOrigin: '*', transfer: [port2] })
         port1.postMessage('first')",
    )?;
    let port = host.port("port")?;
    same("what the page posted", &host.text(&port)?, "first")?;
    port.post(wire::of_string("answer")).map_err(|error| error.to_string())?;
    drop(port);
    log(host, &view, 2, r#"["answer","dropped"]"#)
}

fn iframes(host: &Host) -> Check {
    for (forms, early) in [("'*', [port2]", false), ("{ targetOrigin: '*', transfer: [port2] }", true)] {
        let view = page(
            host,
            &format!(
                "const frame = document.createElement('iframe')
                 frame.srcdoc = `<script>onmessage = ({{ data, ports, source }}) => {{
                   if (source !== parent) parent.log.push('wrong source')
                   const [port] = ports
                   port.onmessage = (event) => port.postMessage(event.data + ' from frame')
                   const own = new MessageChannel()
                   own.port1.onmessage = (event) => own.port1.postMessage(event.data + ' over the own')
                   parent.postMessage('own', '*', [own.port2])
                 }}<` + `/script>`
                 onmessage = ({{ data, ports, source }}) => {{
                   log.push(data, source === frame.contentWindow)
                   ports[0].onmessage = (event) => log.push(event.data)
                   ports[0].postMessage('hello')
                 }}
                 frame.onload = () => {{
                   const {{ port1, port2 }} = new MessageChannel()
                   port1.onmessage = (event) => {{ if (event.data.startsWith('early')) return; log.push(event.data) }}
                   frame.contentWindow.postMessage('take', {forms})
                   port1.postMessage('hi')
                 }}
                 document.body.append(frame)
                 // Its first, empty document begins to exist now, and hands its window on to the real one.
                 if ({early}) void frame.contentWindow.document"
            ),
        )?;
        host.until_true(&view, World::Main, "log.length >= 4")
            .map_err(|text| format!("{text}; the log is {}", host.eval(&view, World::Main, "return log").unwrap_or_default()))?;
        same(
            "the log",
            &host.eval(&view, World::Main, "return log.map(String).sort()")?,
            r#"["hello over the own","hi from frame","own","true"]"#,
        )?;
    }
    Ok(())
}

fn plain_sources(host: &Host) -> Check {
    let view = page(
        host,
        "const frame = document.createElement('iframe')
         frame.srcdoc = `<script>onmessage = ({ data, source }) => { source.postMessage({ echo: data, right: source === parent }, '*') }<` + `/script>`
         onmessage = ({ data, source }) => log.push(data.echo, data.right, source === frame.contentWindow)
         frame.onload = () => frame.contentWindow.postMessage('plain', '*')
         document.body.append(frame)",
    )?;
    log(host, &view, 3, r#"["plain",true,true]"#)
}

fn structured_clone(host: &Host) -> Check {
    let view = page(
        host,
        "const { port1, port2 } = new MessageChannel()
         const copy = structuredClone({ port: port2, n: 1 }, { transfer: [port2] })
         log.push(copy.n, copy.port instanceof MessagePort, copy.port !== port2)
         copy.port.onmessage = (event) => log.push(event.data)
         port1.postMessage('through the copy')",
    )?;
    log(host, &view, 4, r#"[1,true,true,"through the copy"]"#)
}

fn pretenders(host: &Host) -> Check {
    let view = page(
        host,
        "const inner = document.createElement('iframe'); document.body.append(inner)
         const windows = [window, inner.contentWindow]
         const { port1, port2 } = new MessageChannel()
         port2.onmessage = (event) => { log.push(event.data); if (event.ports[0]) event.ports[0].onmessage = (event) => log.push(event.data) }
         for (const { MessagePort } of windows) {
           const fake = Object.create(MessagePort.prototype)
           try { port1.postMessage(0, [fake]); log.push('accepted') } catch (error) { log.push(error.name) }
           try { port1.postMessage(fake); log.push('cloned') } catch { log.push('refused') }
         }
         const foreign = new inner.contentWindow.MessageChannel()
         port1.postMessage('frame port', [foreign.port2])
         foreign.port1.postMessage('through it')
         // Ports of a worker are WebKit's own: only its brand tells what they are.
         const worker = new Worker(URL.createObjectURL(new Blob(['const { port1, port2 } = new MessageChannel(); port1.postMessage(`from the worker`); postMessage(0, [port2])'])))
         worker.onmessage = (event) => port1.postMessage('worker port', event.ports)",
    )?;
    host.until_true(&view, World::Main, "log.includes('from the worker') && log.includes('through it')")
        .map_err(|text| format!("{text}: {}", host.eval(&view, World::Main, "return log").unwrap_or_default()))?;
    let first = host.eval(&view, World::Main, "return log.slice(0, 4)")?;
    if first.contains("accepted") { Err(first) } else { Ok(()) }
}

fn one_shot_lists(host: &Host) -> Check {
    let view = page(
        host,
        "const once = (...items) => items[Symbol.iterator]()
         let reads = 0
         const options = (...items) => ({ get transfer() { reads++; return once(...items) }, get targetOrigin() { return '*' } })
         const got = (name) => (event) => { const [port] = event.ports; log.push(name + ' ' + (port instanceof MessagePort) + ' ' + event.data) }
         addEventListener('message', (event) => { if (String(event.data).startsWith('window')) got('w')(event) })
         const buffer = () => new ArrayBuffer(8)
         window.postMessage('window list', '*', once(new MessageChannel().port1))
         window.postMessage('window options', options(new MessageChannel().port1))
         const plain = buffer(), other = buffer()
         window.postMessage('plain', '*', once(plain))
         window.postMessage('plain', options(other))
         log.push(plain.byteLength, other.byteLength)
         const cloned = buffer(); structuredClone(cloned, options(cloned)); log.push(cloned.byteLength)
         const worker = new Worker(URL.createObjectURL(new Blob(['']))), sent = buffer(), also = buffer()
         worker.postMessage(sent, once(sent)); worker.postMessage(also, options(also)); log.push(sent.byteLength, also.byteLength)
         log.push(reads)",
    )?;
    log(host, &view, 8, r#"[0,0,0,0,0,4,"w true window list","w true window options"]"#)
}

fn closed_on_the_way(host: &Host) -> Check {
    let view = page(
        host,
        "const { port1, port2 } = new MessageChannel()
         port1.onclose = (event) => log.push(event.reason)
         try { window.postMessage({ get x() { port2.close(); return () => {} } }, '*', [port2]); log.push('posted') } catch (error) { log.push(error.name) }",
    )?;
    log(host, &view, 2, r#"["DataCloneError","closed"]"#)
}

fn frame_objects(host: &Host) -> Check {
    let child = host.write("child.html", "<script>parent.take(new MessageChannel(), new MessageChannel())</script>");
    let view = page(
        host,
        &format!(
            "var take = (first, second) => {{
               first.port1.onmessage = (event) => log.push(event.data)
               const own = new MessageChannel()
               own.port2.onmessage = (event) => event.ports[0].postMessage('through ' + event.data)
               own.port1.postMessage('the own', [first.port2])
               try {{ own.port1.postMessage(1, [first.port2]) }} catch (error) {{ log.push(error.name) }}
               second.port1.onmessage = (event) => log.push(event.data)
               second.port1.onclose = (event) => log.push(event.reason)
               window.postMessage('to-main:port', '*', [second.port2])
             }}
             const frame = document.createElement('iframe')
             frame.src = 'file://{}'
             document.body.append(frame)",
            child.display()
        ),
    )?;
    let port = host.port("port")?;
    port.post(wire::of_string("from main")).map_err(|error| error.to_string())?;
    drop(port);
    host.until_true(&view, World::Main, "log.length === 4")?;
    same("the log", &host.eval(&view, World::Main, "return log.sort()")?, r#"["DataCloneError","dropped","from main","through the own"]"#)
}
