//! Ports and dedicated workers.

use strait_ports::Event;
use strait_protocol::World;

use crate::host::{Case, Check, Host, Setup, View, same};
use crate::ports::RELAY;
use crate::server::Server;
use crate::wire;

pub(crate) const CASES: &[Case] = &[
    ("a worker's port reaches the page and has a close event", from_worker),
    ("a port goes to a worker, and ports through it", to_worker),
    ("a worker's port goes to main with its queue", many_ways),
    ("a worker's end closes its ports", ends),
    ("channels inside a worker", local_channels),
    ("a worker sends a started port on and nothing is lost", started_and_sent_on),
    ("a worker's worker has ports", nested_workers),
    ("a worker looks as it always did", appearance),
    ("a worker that fails says so as it always did", failures),
    ("a worker's blob may be revoked at once", revoked),
    ("a hostile worker meets nothing of ours", hostile),
    ("a worker that cannot have the glue is bridged", bridged),
    ("a shared worker is bridged", shared),
    ("workers of a page from a server", served),
    ("a preload's worker has ports", isolated),
    ("a worker's port that is collected closes its peer", collected),
    ("ports go from worker to worker", between_workers),
    ("a worker gets large messages and sends them", large),
    ("a frame's port object goes to a worker", frame_objects),
    ("many messages both ways keep their order", streams),
];

/// A page whose script fills `globalThis.log`, and which makes workers of texts: `worker('…')`, `module('…')`.
pub(crate) fn page(host: &Host, script: &str) -> Check<View> {
    let html = format!(
        "<body><script>globalThis.log = []
         globalThis.make = (text, options) => new Worker(URL.createObjectURL(new Blob([text], {{ type: 'text/javascript' }})), options)
         {script}</script>"
    );
    host.open(Setup { html: &html, preload: Some(RELAY), ..Setup::default() })
}

fn log(host: &Host, view: &View, length: usize, expected: &str) -> Check {
    host.until_true(view, World::Main, &format!("log.length >= {length}"))
        .map_err(|text| format!("{text}; the log is {}", host.eval(view, World::Main, "return log").unwrap_or_default()))?;
    same("the log", &host.eval(view, World::Main, "return log")?, expected)
}

/// Each kind of worker there is.
fn kinds(host: &Host, mut check: impl FnMut(&str) -> Check) -> Check {
    let _ = host;
    for options in ["{}", "{ type: 'module' }"] {
        check(options).map_err(|text| format!("with {options}: {text}"))?;
    }
    Ok(())
}

fn from_worker(host: &Host) -> Check {
    kinds(host, |options| {
        let view = page(
            host,
            &format!(
                "const worker = make(`
                   const {{ port1, port2 }} = new MessageChannel()
                   port1.onmessage = (event) => {{ port1.postMessage(event.data + ' from worker'); if (event.data === 'end') port1.close() }}
                   postMessage({{ port: port2, own: 'onclose' in port1 }}, [port2])`, {options})
                 worker.onerror = (event) => log.push(event.message)
                 worker.onmessage = ({{ data, ports: [port] }}) => {{
                   log.push(data.port === port, data.own, port instanceof MessagePort)
                   port.onmessage = (event) => log.push(event.data)
                   port.onclose = (event) => log.push(event.reason)
                   port.postMessage('hello')
                   port.postMessage('end')
                 }}"
            ),
        )?;
        log(host, &view, 6, r#"[true,true,true,"hello from worker","end from worker","closed"]"#)
    })
}

fn to_worker(host: &Host) -> Check {
    kinds(host, |options| {
        let view = page(
            host,
            &format!(
                "const worker = make(`
           onmessage = ({{ data, ports }}) => {{
             const port = ports[0] ?? null
             if (data.port !== port || data.n !== 1) postMessage('wrong data')
             if (port === null) return postMessage('plain')
             port.onclose = (event) => postMessage('close ' + event.reason)
             port.onmessage = ({{ data, ports }}) => {{ if (ports[0]) ports[0].postMessage('inner ' + data); else port.postMessage('worker got ' + data) }}
           }}`, {options})
         worker.onmessage = (event) => log.push(event.data)
         worker.onerror = (event) => log.push(event.message)
         const {{ port1, port2 }} = new MessageChannel()
         port1.postMessage('queued')
         worker.postMessage({{ port: port2, n: 1 }}, [port2])
         try {{ worker.postMessage(1, [port2]) }} catch (error) {{ log.push(error.name) }}
         port1.onmessage = (event) => {{
           log.push(event.data)
           if (event.data !== 'worker got hello') return
           const inner = new MessageChannel()
           inner.port1.onmessage = (event) => {{ log.push(event.data); port1.close() }}
           port1.postMessage('x', {{ transfer: [inner.port2] }})
         }}
         port1.postMessage('hello')
         worker.postMessage({{ port: null, n: 1 }})"
            ),
        )?;
        host.until_true(&view, World::Main, "log.length >= 6")
            .map_err(|text| format!("{text}; the log is {}", host.eval(&view, World::Main, "return log").unwrap_or_default()))?;
        same(
            "the log",
            &host.eval(&view, World::Main, "return [log.filter((text) => text !== 'plain'), log.includes('plain')]")?,
            r#"[["DataCloneError","worker got queued","worker got hello","inner x","close closed"],true]"#,
        )
    })
}

fn many_ways(host: &Host) -> Check {
    kinds(host, |options| {
        let view = page(
            host,
            &format!(
                "const worker = make(`
                   const {{ port1, port2 }} = new MessageChannel()
                   // Posted before it leaves, from both ends, and a port in it.
                   const inner = new MessageChannel()
                   inner.port1.postMessage('inner')
                   port1.postMessage('first')
                   port1.postMessage('second', [inner.port2])
                   port1.onmessage = (event) => {{ port1.postMessage('echo ' + event.data) }}
                   port1.onclose = (event) => postMessage('worker saw ' + event.reason)
                   postMessage('port', {{ transfer: [port2] }})
                   port1.postMessage('third')`, {options})
                 worker.onmessage = ({{ data, ports: [port] }}) => {{
                   if (data === 'port') window.postMessage('to-main:port', '*', [port]); else log.push(data)
                 }}"
            ),
        )?;
        let port = host.port("port")?;
        same("first", &host.text(&port)?, "first")?;
        let inner = match host.event(&port)? {
            Event::Message(mut message) => message.ports.pop().ok_or("no port in it")?,
            Event::Close(reason) => return Err(format!("closed: {reason}")),
        };
        same("third", &host.text(&port)?, "third")?;
        same("inner", &host.text(&inner)?, "inner")?;
        for text in ["a", "b"] {
            port.post(wire::of_string(text)).map_err(|error| error.to_string())?;
            same("the echo", &host.text(&port)?, &format!("echo {text}"))?;
        }
        port.close();
        log(host, &view, 1, r#"["worker saw closed"]"#)
    })
}

/// Everything that ends a worker.
fn ends(host: &Host) -> Check {
    for (way, expected) in [("page.terminate()", "unloaded"), ("worker.self.close()", "unloaded"), ("page.location", "unloaded")] {
        let view = page(
            host,
            "globalThis.worker = make(`
               const { port1, port2 } = new MessageChannel()
               port1.onmessage = () => { self.close(); port1.postMessage('last'); Promise.resolve().then(() => port1.postMessage('very last')); setTimeout(() => port1.postMessage('too late'), 0) }
               postMessage('port', [port2])
               postMessage(new MessageChannel().port1 instanceof MessagePort)`)
             worker.onmessage = (event) => { if (event.ports[0]) window.postMessage('to-main:port', '*', event.ports); else log.push(event.data) }
             const given = new MessageChannel()
             given.port1.onclose = (event) => log.push(event.reason)
             worker.postMessage(0, [given.port2])",
        )?;
        let port = host.port("port")?;
        host.until_true(&view, World::Main, "log.length === 1")?;
        match way {
            "page.terminate()" => {
                host.eval(&view, World::Main, "worker.terminate()")?;
            }
            "worker.self.close()" => {
                port.post(wire::of_string("close")).map_err(|error| error.to_string())?;
                same("after close()", &host.text(&port)?, "last")?;
                same("its microtask", &host.text(&port)?, "very last")?;
            }
            _ => {
                host.eval(&view, World::Main, "location.href = 'about:blank'")?;
            }
        }
        match host.event(&port)? {
            Event::Close(reason) => same(way, reason.as_str(), expected)?,
            Event::Message(message) => return Err(format!("{way}: a message came: {:?}", wire::string(&message.data))),
        }
        if way != "page.location" {
            log(host, &view, 2, &format!(r#"[true,"{expected}"]"#))?;
        }
    }
    Ok(())
}

fn local_channels(host: &Host) -> Check {
    let view = page(
        host,
        "const worker = make(`
           const log = []
           const { port1, port2 } = new MessageChannel()
           const say = (text) => { log.push(text); if (text === 'done') postMessage(log) }
           port2.onmessage = (event) => {
             say(event.data)
             Promise.resolve().then(() => say('microtask ' + event.data))
             if (event.data === 2) { port1.close(); port2.onmessage = (event) => say(event.data) }
           }
           port2.onclose = (event) => {
             say(event.reason)
             const lone = new MessageChannel()
             lone.port1.onclose = (event) => { say('lone ' + event.reason); cloned() }
             lone.port2.close()
           }
           const cloned = () => {
             const { port1, port2 } = new MessageChannel()
             port1.postMessage('through a clone')
             const [moved] = structuredClone([port2], { transfer: [port2] })
             moved.onmessage = (event) => { say(event.data); say(moved instanceof MessagePort); moves(port1, moved) }
           }
           const moves = (a, b) => {
             const carrier = new MessageChannel()
             a.postMessage('moved')
             carrier.port1.postMessage({ b }, [b])
             carrier.port2.onmessage = ({ data, ports }) => { say(data.b === ports[0]); ports[0].onmessage = (event) => { say(event.data); refuse() } }
           }
           const refuse = () => {
             const { port1, port2 } = new MessageChannel()
             for (const bad of [() => port1.postMessage(() => {}), () => port1.postMessage(0, [port1]), () => self.postMessage(() => {}, [port1]), () => self.postMessage(0, [port1, port1])]) {
               try { bad(); say('nothing') } catch (error) { say(error.name) }
             }
             port1.postMessage('still')
             port2.onmessage = (event) => { say(event.data); say('done') }
           }
           port1.postMessage(1); port1.postMessage(2); port1.postMessage(3)
           say('posted')`)
         worker.onerror = (event) => log.push(event.message)
         worker.onmessage = (event) => log.push(...event.data)",
    )?;
    log(
        host,
        &view,
        18,
        r#"["posted",1,"microtask 1",2,"microtask 2",3,"closed","lone closed","through a clone",true,true,"moved","DataCloneError","DataCloneError","DataCloneError","DataCloneError","still","done"]"#,
    )
    .or_else(|_| {
        same(
            "the log",
            &host.eval(&view, World::Main, "return log")?,
            r#"["posted",1,"microtask 1",2,"microtask 2",3,"closed","lone closed","through a clone",true,true,"moved","DataCloneError","DataCloneError","DataCloneError","DataCloneError","still","done"]"#,
        )
    })
}

fn started_and_sent_on(host: &Host) -> Check {
    // The worker starts the port, gets some of many messages and sends it on to another while the others are on their way.
    let view = page(
        host,
        "const first = make(`onmessage = ({ ports: [port] }) => {
           let count = 0
           port.onmessage = (event) => { postMessage(event.data); if (++count === 5) postMessage('moving', [port]) }
         }`)
         const second = make(`onmessage = ({ ports: [port] }) => {
           port.onmessage = (event) => { postMessage(event.data); if (event.data.at === 399) port.postMessage('back') }
           port.onclose = (event) => postMessage(event.reason)
         }`)
         const { port1, port2 } = new MessageChannel()
         const order = []
         const got = (event) => {
           if (event.ports[0]) second.postMessage('take', event.ports)
           else if (typeof event.data === 'object') order.push(event.data.at)
           else log.push(event.data)
         }
         first.onmessage = second.onmessage = got
         first.postMessage('take', [port2])
         for (let at = 0; at < 400; at++) port1.postMessage({ at })
         port1.onmessage = (event) => { log.push(event.data, order.length, order.every((at, i) => at === i)); port1.close() }",
    )?;
    log(host, &view, 4, r#"["back",400,true,"closed"]"#)
}

fn nested_workers(host: &Host) -> Check {
    kinds(host, |options| {
        let view = page(
            host,
            &format!(
                "const worker = make(`
                   const text = 'onmessage = ({{ ports: [port] }}) => {{ port.onmessage = (event) => port.postMessage(\"inner \" + event.data); port.onclose = (event) => postMessage(event.reason) }}; const own = new MessageChannel(); own.port1.onmessage = (event) => own.port1.postMessage(\"own \" + event.data); postMessage(\"port\", [own.port2])'
                   const inner = new Worker(URL.createObjectURL(new Blob([text], {{ type: 'text/javascript' }})), {options})
                   inner.onmessage = (event) => postMessage(event.data, event.ports)
                   onmessage = (event) => {{ if (event.data === 'end') inner.terminate(); else inner.postMessage(event.data, event.ports) }}`, {options})
                 worker.onerror = (event) => log.push(event.message)
                 const {{ port1, port2 }} = new MessageChannel()
                 worker.onmessage = ({{ data, ports: [port] }}) => {{
                   log.push(data)
                   if (data !== 'port') return
                   port.onmessage = (event) => {{ log.push(event.data); port1.postMessage('given') }}
                   port.onclose = (event) => log.push(event.reason)
                   port.postMessage('x')
                 }}
                 port1.onmessage = (event) => {{ log.push(event.data); worker.postMessage('end') }}
                 port1.onclose = (event) => log.push('given ' + event.reason)
                 worker.postMessage('take', [port2])"
            ),
        )?;
        host.until_true(&view, World::Main, "log.length >= 5")
            .map_err(|text| format!("{text}; the log is {}", host.eval(&view, World::Main, "return log").unwrap_or_default()))?;
        same(
            "the log",
            &host.eval(&view, World::Main, "return [...log.slice(0, 3), ...log.slice(3).sort()]")?,
            r#"["port","own x","inner given","given unloaded","unloaded"]"#,
        )
    })
}

fn appearance(host: &Host) -> Check {
    host.write("beside.js", "self.beside = 'imported'");
    host.write("beside.mjs", "export const beside = 'imported'");
    host.write("beside.json", "{\"beside\":1}");
    let body = "const asked = new XMLHttpRequest(); asked.open('GET', 'beside.json', false); asked.send()
        const found = [self.name, location.href.endsWith(own), String(location) === location.href, location.protocol, new Request('beside.json').url.startsWith('file:'), asked.responseText,
          self instanceof DedicatedWorkerGlobalScope, typeof natives, typeof straitWorker]
        fetch('beside.json').then((response) => response.json()).then((value) => { postMessage([...found, value.beside, self.beside ?? beside]); setTimeout(() => { throw new Error('later') }, 0) })
        onmessage = (event) => postMessage([event.data, event.ports.length, event.isTrusted])";
    let classic = host.write("seen-classic.js", &format!("importScripts('beside.js'); const own = '/seen-classic.js'\n{body}"));
    let module = host.write("seen-module.js", &format!("import {{ beside }} from './beside.mjs'; const own = '/seen-module.js'\n{body}\n"));
    for (path, options) in [(classic, "{ name: 'n' }"), (module, "{ name: 'n', type: 'module' }")] {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let view = page(
            host,
            &format!(
                "const worker = new Worker('{name}', {options})
                 log.push(worker instanceof Worker, Object.prototype.toString.call(worker), Worker.length, Worker.name, worker.constructor === Worker, Reflect.ownKeys(worker).length)
                 worker.postMessage('hello')
                 worker.onmessage = (event) => log.push(event.data)
                 worker.onerror = (event) => {{ event.preventDefault(); log.push(event.message, event.filename.endsWith('/{name}'), event.lineno > 0) }}"
            ),
        )?;
        host.until_true(&view, World::Main, "log.length >= 11")
            .map_err(|text| format!("{name}: {text}; the log is {}", host.eval(&view, World::Main, "return log").unwrap_or_default()))?;
        same(
            &name,
            &host.eval(&view, World::Main, "return log")?,
            r#"[true,"[object Worker]",1,"Worker",true,0,["hello",0,true],["n",true,true,"file:",true,"{\"beside\":1}",true,"undefined","undefined",1,"imported"],"Error: later",true,true]"#,
        )?;
    }
    Ok(())
}

fn failures(host: &Host) -> Check {
    let thrower = host.write("thrower.js", "\n\nthrow new TypeError('at the start')");
    let broken = host.write("broken.js", "\nlet = = 5");
    let view = page(
        host,
        &format!(
            "const attempt = (f) => {{ try {{ f(); log.push('nothing') }} catch (error) {{ log.push(error.name) }} }}
             attempt(() => new Worker())
             attempt(() => Worker('x'))
             attempt(() => new Worker('http://['))
             attempt(() => new Worker('x.js', {{ type: 'none' }}))
             attempt(() => new Worker('x.js', 5))
             attempt(() => new Worker({{ toString() {{ throw new RangeError() }} }}))
             const watch = (name, url, options) => {{
               const worker = new Worker(url, options)
               const {{ port1, port2 }} = new MessageChannel()
               worker.postMessage(0, [port2])
               port1.onclose = (event) => log.push(name + ' ' + event.reason)
               worker.onerror = (event) => {{ event.preventDefault(); log.push([name, event instanceof ErrorEvent, String(event.filename).split('/').at(-1), event.lineno, typeof event.message]) }}
             }}
             watch('missing', 'missing.js')
             watch('missing module', 'missing.js', {{ type: 'module' }})
             watch('throws', '{}')
             watch('broken', '{}')",
            thrower.display(),
            broken.display()
        ),
    )?;
    host.until_true(&view, World::Main, "log.length >= 12")
        .map_err(|text| format!("{text}; the log is {}", host.eval(&view, World::Main, "return log").unwrap_or_default()))?;
    same(
        "the errors",
        &host.eval(&view, World::Main, "return log.slice(0, 6)")?,
        r#"["TypeError","TypeError","SyntaxError","TypeError","TypeError","RangeError"]"#,
    )?;
    same(
        "what happened",
        &host.eval(&view, World::Main, "return log.slice(6).map(String).sort()")?,
        r#"["broken,true,broken.js,2,string","missing module unloaded","missing module,false,undefined,,undefined","missing unloaded","missing,false,undefined,,undefined","throws,true,thrower.js,3,string"]"#,
    )
}

fn revoked(host: &Host) -> Check {
    let view = page(
        host,
        "const url = URL.createObjectURL(new Blob(['postMessage(location.href); postMessage(0, [new MessageChannel().port1])']))
         const worker = new Worker(url)
         URL.revokeObjectURL(url)
         worker.onmessage = (event) => log.push(event.data === url || 'onclose' in event.ports[0])
         // Nobody knows this one any more: WebKit says what it says of such URLs.
         const none = new Worker(url)
         none.onerror = () => log.push('error')",
    )?;
    host.until_true(&view, World::Main, "log.length >= 3")
        .map_err(|text| format!("{text}; the log is {}", host.eval(&view, World::Main, "return log").unwrap_or_default()))?;
    same("the log", &host.eval(&view, World::Main, "return log.map(String).sort()")?, r#"["error","true","true"]"#)
}

fn hostile(host: &Host) -> Check {
    let view = page(
        host,
        "globalThis.heard = []
         const worker = make(`
           const loot = []
           for (const name of ['handle', 'id', 'peer', 'data', 'next', 'nonce', 'ports', 'transfer', 'get', 'value', '0', '5']) {
             Object.defineProperty(Object.prototype, name, { __proto__: null, configurable: true, get() { loot.push('get ' + name); return undefined }, set(value) { loot.push('set ' + name); Object.defineProperty(this, name, { __proto__: null, value, writable: true, configurable: true }) } })
           }
           const { port1, port2 } = new MessageChannel()
           port1.onmessage = (event) => { port1.postMessage(event.data + ' works') }
           MessagePort.prototype.postMessage = MessageEvent = Promise = WeakRef = null
           Array.prototype[Symbol.iterator] = Function.prototype.call = Function.prototype.apply = Reflect.apply = EventTarget.prototype.dispatchEvent = () => { throw 'hostile' }
           // Shapes like ours, without the nonce.
           postMessage(['0'.repeat(32), 'close', 1, 'closed', 0, []])
           postMessage('port', [port2])
           postMessage(loot.join())`)
         worker.addEventListener('message', (event) => heard.push(Array.isArray(event.data) ? event.data.length : event.data), true)
         worker.onerror = (event) => log.push(event.message)
         worker.onmessage = ({ ports: [port] }) => { if (!port) return; port.onmessage = (event) => log.push(event.data); port.postMessage('it') }",
    )?;
    host.until_true(&view, World::Main, "heard.length >= 3")
        .map_err(|text| format!("{text}; the log is {}", host.eval(&view, World::Main, "return [log, heard]").unwrap_or_default()))?;
    same("what the page's listeners saw", &host.eval(&view, World::Main, "return heard")?, r#"[6,"port",""]"#)?;
    host.until_true(&view, World::Main, "log.length >= 1")
}

fn bridged(host: &Host) -> Check {
    let view = page(
        host,
        "const text = `
           const { port1, port2 } = new MessageChannel()
           port1.onmessage = (event) => port1.postMessage(event.data + ' from worker')
           postMessage('onclose' in port1, [port2])
           onmessage = ({ data, ports: [port] }) => { port.onmessage = (event) => port.postMessage(data + ' ' + event.data) }`
         const worker = new Worker('data:text/javascript,' + encodeURIComponent(text))
         worker.onerror = () => log.push('error')
         worker.onmessage = (event) => {
           log.push(event.data)
           const { port1, port2 } = new MessageChannel()
           port2.onmessage = ({ ports: [port] }) => {
             port.onmessage = (event) => { log.push(event.data); given() }
             port.postMessage('hello')
           }
           port1.postMessage('bridge', event.ports)
         }
         const given = () => {
           const { port1, port2 } = new MessageChannel()
           port1.onmessage = (event) => log.push(event.data)
           worker.postMessage('given', [port2])
           port1.postMessage('x')
         }",
    )?;
    log(host, &view, 3, r#"[false,"hello from worker","given x"]"#)
}

fn frame_objects(host: &Host) -> Check {
    let child = host.write("worker-child.html", "<script>parent.take(new MessageChannel())</script>");
    let view = page(
        host,
        &format!(
            "var take = ({{ port1, port2 }}) => {{
               const worker = make('onmessage = ({{ data, ports: [port] }}) => port.postMessage(data.port === port)')
               port1.onmessage = (event) => log.push(event.data)
               worker.postMessage({{ port: port2 }}, [port2])
               try {{ worker.postMessage(0, [port2]) }} catch (error) {{ log.push(error.name) }}
             }}
             const frame = document.createElement('iframe')
             frame.src = 'file://{}'
             document.body.append(frame)",
            child.display()
        ),
    )?;
    log(host, &view, 2, r#"["DataCloneError",true]"#)
}

fn streams(host: &Host) -> Check {
    let view = page(
        host,
        "const worker = make(`onmessage = ({ ports: [port] }) => {
           let next = 0, right = true
           port.onmessage = (event) => { right &&= event.data.n === next++; port.postMessage({ n: event.data.n, right, bytes: new Uint8Array(event.data.n).buffer }) }
         }`)
         const { port1, port2 } = new MessageChannel()
         worker.postMessage(0, [port2])
         let next = 0, right = true
         port1.onmessage = ({ data }) => {
           right &&= data.right && data.n === next++ && data.bytes.byteLength === data.n
           if (next === 2000) log.push(right)
         }
         for (let n = 0; n < 2000; n++) port1.postMessage({ n })",
    )?;
    log(host, &view, 1, "[true]")
}

fn shared(host: &Host) -> Check {
    let script = host.write(
        "shared.js",
        "onconnect = ({ ports: [port] }) => { port.onmessage = ({ data, ports: [given] }) => {
           given.onmessage = (event) => given.postMessage(data + ' ' + event.data)
           const own = new MessageChannel()
           own.port1.onmessage = (event) => own.port1.postMessage('own ' + event.data)
           port.postMessage('port', [own.port2])
         } }",
    );
    let view = page(
        host,
        &format!(
            "if (typeof SharedWorker !== 'function') log.push('absent')
             else {{
               const worker = new SharedWorker('{}')
               worker.onerror = () => log.push('error')
               const {{ port1, port2 }} = new MessageChannel()
               worker.port.onmessage = ({{ ports: [port] }}) => {{
                 const carrier = new MessageChannel()
                 carrier.port2.onmessage = ({{ ports: [port] }}) => {{ port.onmessage = (event) => log.push(event.data); port.postMessage('x') }}
                 carrier.port1.postMessage('on', [port])
               }}
               port1.onmessage = (event) => log.push(event.data)
               worker.port.postMessage('given', [port2])
               port1.postMessage('y')
             }}",
            script.display()
        ),
    )?;
    host.until_true(&view, World::Main, "log.length >= 2 || log[0] === 'absent'")
        .map_err(|text| format!("{text}; the log is {}", host.eval(&view, World::Main, "return log").unwrap_or_default()))?;
    same("the log", &host.eval(&view, World::Main, "return log.sort()")?, r#"["given y","own x"]"#)
}

fn large(host: &Host) -> Check {
    let view = page(
        host,
        "const worker = make(`onmessage = ({ ports: [port] }) => {
           port.onmessage = ({ data: { bytes, view } }) => port.postMessage({ bytes, right: view.length === 1_000_000 && view[999_999] === 7 && bytes.byteLength === 5_000_000 }, [bytes])
         }`)
         const { port1, port2 } = new MessageChannel()
         worker.postMessage(0, [port2])
         port1.onmessage = ({ data: { bytes, right } }) => log.push(right, bytes.byteLength, new Uint8Array(bytes)[4_999_999])
         const sent = new Uint8Array(5_000_000).fill(9).buffer
         port1.postMessage({ bytes: sent, view: new Uint8Array(1_000_000).fill(7) }, [sent])
         log.push(sent.byteLength)",
    )?;
    log(host, &view, 4, "[0,true,5000000,9]")
}

fn served(host: &Host) -> Check {
    let worker = "const { port1, port2 } = new MessageChannel(); port1.onmessage = (event) => port1.postMessage(event.data + '!')
        fetch('beside.json').then((response) => response.text()).then((text) => postMessage(['onclose' in port1, location.pathname, self.beside ?? beside, text, self.origin === location.origin], [port2]))";
    let page = |paths: &str| {
        format!(
            "<body><script>var log = []
             const use = (worker) => {{
               worker.onerror = (event) => log.push(['error', event instanceof ErrorEvent])
               worker.onmessage = ({{ data, ports: [port] }}) => {{ log.push(data); port.onmessage = (event) => log.push(event.data); port.postMessage('x') }}
             }}
             {paths}</script>"
        )
    };
    let both = "use(new Worker('scripts/worker.js')); use(new Worker(new URL('scripts/worker.mjs', location), { type: 'module' }))";
    let server = Server::start(vec![
        ("/", "", page(both)),
        ("/policy", "Content-Security-Policy: worker-src 'self'\r\n", page(both)),
        ("/scripts/worker.js", "", format!("importScripts('beside.js'); {worker}")),
        ("/scripts/worker.mjs", "", format!("import {{ beside }} from './beside.mjs'; {worker}")),
        ("/scripts/beside.js", "", "self.beside = 'imported'".to_owned()),
        ("/scripts/beside.mjs", "", "export const beside = 'imported'".to_owned()),
        ("/scripts/beside.json", "", "1".to_owned()),
    ])?;
    let view = host.open(Setup::default())?;
    for (path, glue) in [("/", true), ("/policy", false)] {
        host.eval(&view, World::Main, &format!("location.href = '{}'", server.url(path)))?;
        host.new_document(&view)?;
        host.until_true(&view, World::Main, "log.length >= 4")
            .map_err(|text| format!("{path}: {text}; the log is {}", host.eval(&view, World::Main, "return log").unwrap_or_default()))?;
        same(
            path,
            &host.eval(&view, World::Main, "return log.map(String).sort()")?,
            &format!(r#"["{glue},/scripts/worker.js,imported,1,true","{glue},/scripts/worker.mjs,imported,1,true","x!","x!"]"#),
        )?;
    }
    // What WebKit refuses it goes on refusing.
    let other = Server::start(vec![("/worker.js", "", "postMessage(0)".to_owned())])?;
    let refused = host.eval(
        &view,
        World::Main,
        &format!(
            "return new Promise((resolve) => {{
               try {{ const worker = new Worker('{}'); worker.onmessage = () => resolve('ran'); worker.onerror = () => resolve('refused') }} catch (error) {{ resolve('refused') }}
             }})",
            other.url("/worker.js")
        ),
    )?;
    same("another origin's script", &refused, r#""refused""#)
}

fn isolated(host: &Host) -> Check {
    let view = host.open(Setup {
        html: "<script>var log = []; onmessage = ({ ports: [port] }) => { port.onmessage = (event) => log.push(event.data); port.onclose = (event) => log.push(event.reason); port.postMessage('page') }</script>",
        preload: Some(
            "const worker = new Worker(URL.createObjectURL(new Blob([`const { port1, port2 } = new MessageChannel()
               port1.onmessage = (event) => { port1.postMessage('worker and ' + event.data); self.close() }
               postMessage('port', [port2])`])))
             worker.onmessage = (event) => window.postMessage('port', '*', event.ports)",
        ),
        ..Setup::default()
    })?;
    log(host, &view, 2, r#"["worker and page","unloaded"]"#)
}

fn collected(host: &Host) -> Check {
    let view = page(
        host,
        "const worker = make(`
           onmessage = ({ ports: [port] }) => { if (!port) { let waste = []; for (let i = 0; i < 200; i++) waste.push(new Array(10000).fill(i)); postMessage(waste.length) } }`)
         const { port1, port2 } = new MessageChannel()
         port1.onclose = (event) => { worker.onmessage = null; log.push(event.reason) }
         worker.postMessage(0, [port2])
         // The worker allocates, and collects: it has let go of the port.
         worker.onmessage = () => worker.postMessage(0)
         worker.postMessage(0)",
    )?;
    log(host, &view, 1, r#"["dropped"]"#)
}

fn between_workers(host: &Host) -> Check {
    let view = page(
        host,
        "const first = make(`const { port1, port2 } = new MessageChannel()
           port1.onmessage = ({ data, ports: [port] }) => { port1.postMessage('first got ' + data); if (port) { port.postMessage('into the page'); port.close() } }
           port1.onclose = (event) => postMessage(event.reason)
           port1.postMessage('early')
           postMessage('port', [port2])`)
         const second = make(`onmessage = ({ ports: [port] }) => {
           const log = []
           port.onmessage = (event) => {
             log.push(event.data)
             if (event.data === 'early') port.postMessage('one')
             if (event.data === 'first got one') { const { port1, port2 } = new MessageChannel(); port.postMessage('two', [port1]); postMessage('port', [port2]) }
             if (event.data === 'first got two') { postMessage(log.join()); port.close() }
           }
         }`)
         first.onmessage = (event) => { if (event.ports[0]) second.postMessage('take', event.ports); else log.push(event.data) }
         second.onmessage = ({ data, ports: [port] }) => {
           if (!port) return log.push(data)
           port.onmessage = (event) => log.push(event.data)
           port.onclose = (event) => log.push('page ' + event.reason)
         }",
    )?;
    host.until_true(&view, World::Main, "log.length >= 4")
        .map_err(|text| format!("{text}; the log is {}", host.eval(&view, World::Main, "return log").unwrap_or_default()))?;
    same(
        "the log",
        &host.eval(&view, World::Main, "return log.sort()")?,
        r#"["closed","early,first got one,first got two","into the page","page closed"]"#,
    )
}
