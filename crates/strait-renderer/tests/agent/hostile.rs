//! Pages that attack the glue in their own world.

use strait_protocol::{ToMain, World};

use crate::host::{Case, Check, Host, Setup, same};
use crate::ports::RELAY;
use crate::wire;

pub(crate) const CASES: &[Case] = &[
    ("a page that patches everything reaches nothing, and ports go on working", patched),
    ("an isolated page finds nothing of ours", nothing_found),
    ("a popup shares the process, not the identity", popup),
    ("forged window messages claim nothing", forged),
    ("forged pagehide and DOMContentLoaded change nothing", forged_events),
    ("a page that stops the events of executeJavaScript stops nothing else", stopped_evals),
];

/// Everything the glue could stumble over, each catching what it is called with.
const ATTACK: &str = r#"
// Without prototype, so that the traps below do not catch the attacker.
globalThis.loot = { __proto__: null, length: 0 }
const { getPrototypeOf, getOwnPropertyDescriptor, defineProperty } = Reflect
const { ArrayBuffer } = globalThis
const grab = (where, value) => {
  if ((typeof value === 'object' && value !== null) || typeof value === 'function') loot[loot.length++] = { __proto__: null, where, value }
}
// Runs after the attack with what was captured before it.
globalThis.inspect = () => {
  let report = ''
  for (let i = 0; i < loot.length; i++) {
    const { where, value } = loot[i]
    const own = (name) => getOwnPropertyDescriptor(value, name) !== undefined
    if (value === window || value === document || value === Object.prototype) continue
    if (typeof value === 'function' && !own('name')) report += 'a native by ' + where + '; '
    if (own('handle') || own('started') || own('codec')) report += 'state by ' + where + '; '
    if (ArrayBuffer.isView(value)) report += 'bytes by ' + where + '; '
    if (typeof value === 'object' && getPrototypeOf(value) === null) report += 'an object of ours by ' + where + '; '
  }
  return report === '' ? 'nothing' : report
}
const names = ['handle', 'started', 'message', 'close', 'data', 'ports', 'value', 'get', 'set', 'done', 'transfer', 'detail', 'reason', 'peerGone',
  'listener', 'once', 'bubbles', 'source', 'origin', 'enumerable', 'writable', '0', '1', 'resolve', 'reject', 'channel', 'handler', 'buffer']
for (let i = 0; i < names.length; i++) {
  const name = names[i]
  defineProperty(Object.prototype, name, {
    __proto__: null,
    configurable: true,
    get() { grab('get ' + name, this); return undefined },
    set(value) {
      grab('set ' + name, this); grab('set ' + name, value)
      defineProperty(this, name, { __proto__: null, value, writable: true, configurable: true, enumerable: true })
    },
  })
}
const wrap = (object, name) => {
  const descriptor = getOwnPropertyDescriptor(object, name)
  if (descriptor === undefined || typeof descriptor.value !== 'function') return
  defineProperty(object, name, { __proto__: null, configurable: true, writable: true, value: function () {
    grab(String(name) + ' this', this)
    for (let i = 0; i < arguments.length; i++) grab(String(name), arguments[i])
    throw 'hostile ' + String(name)
  } })
}
const targets = [
  WeakMap.prototype, ['get', 'set', 'has', 'delete'], Map.prototype, ['get', 'set', 'has', 'delete', 'forEach'], Set.prototype, ['add', 'has', 'forEach'],
  WeakSet.prototype, ['add', 'has'], WeakRef.prototype, ['deref'], FinalizationRegistry.prototype, ['register', 'unregister'],
  Promise.prototype, ['then', 'catch'], Promise, ['resolve'], EventTarget.prototype, ['dispatchEvent', 'addEventListener', 'removeEventListener'],
  Event.prototype, ['stopImmediatePropagation'], Reflect, ['apply', 'construct', 'defineProperty', 'ownKeys', 'getPrototypeOf'],
  Object, ['defineProperty', 'setPrototypeOf', 'getPrototypeOf', 'keys', 'getOwnPropertyDescriptor', 'freeze', 'create', 'is'],
  Array, ['isArray', 'from'], Array.prototype, ['push', 'slice', 'map', 'concat', Symbol.iterator], JSON, ['parse', 'stringify'],
  Function.prototype, ['call', 'apply', 'bind', Symbol.hasInstance], String.prototype, ['charCodeAt', 'slice', 'indexOf'],
  getPrototypeOf(Uint8Array.prototype), ['slice', 'subarray', 'set'], getPrototypeOf(getPrototypeOf([][Symbol.iterator]())), [Symbol.iterator],
  getPrototypeOf([][Symbol.iterator]()), ['next'],
]
for (let i = 0; i < targets.length; i += 2) for (let j = 0; j < targets[i + 1].length; j++) wrap(targets[i], targets[i + 1][j])
MessageEvent = function () { grab('MessageEvent', arguments) }
Event = function () { grab('Event', arguments) }
EventTarget = WeakRef = FinalizationRegistry = Uint8Array = Uint32Array = DOMException = TypeError = Error = Promise = null
globalThis.attacked = 'yes'
"#;

fn patched(host: &Host) -> Check {
    let html = format!(
        "<body><script>
        var got = ''
        var {{ port1: near, port2: far }} = new MessageChannel()
        near.onmessage = (event) => {{ got += event.data + ';'; near.postMessage('page saw ' + event.data) }}
        window.postMessage('to-main:port', '*', [far])
        var local = new MessageChannel()
        local.port2.onmessage = (event) => {{ got += 'local ' + event.data.text + ';' }}
        local.port2.onclose = (event) => {{ got += event.reason + ';' }}
        </script>
        <script>{ATTACK}</script>
        <script>
        local.port1.postMessage({{ text: 'works' }})
        local.port1.close()
        var again = new MessageChannel()
        again.port2.onmessage = (event) => {{ got += 'again;' }}
        again.port1.postMessage(['x', {{ y: 1 }}])
        window.postMessage('to-main:second', '*', [new MessageChannel().port1])
        </script>"
    );
    let view = host.open(Setup { html: &html, preload: Some(RELAY), ..Setup::default() })?;
    let port = host.port("port")?;
    port.post(wire::of_string("one")).map_err(|error| error.to_string())?;
    same("the page's port", &host.text(&port)?, "page saw one")?;
    host.port("second")?;
    let (here, there) = host.node.channel();
    host.eval(&view, World::Isolated, "onmessage = (event) => { if (event.data === 'mine') event.ports[0].postMessage('preload works') }")?;
    host.emit(&view, "to-page", "mine", vec![there]);
    same("the preload's port", &host.text(&here)?, "preload works")?;
    same("the attack", &host.eval_raw(&view, World::Main, "attacked")?, "yes")?;
    let seen = host.eval_raw(&view, World::Main, "got")?;
    for expected in ["one;", "local works;", "closed;", "again;"] {
        if !seen.contains(expected) {
            return Err(format!("the page got {seen}, not {expected}"));
        }
    }
    // What it caught must all be its own: no native of ours, no state with a handle, no list without prototype, no bytes.
    let loot = host.eval_raw(&view, World::Main, "inspect()")?;
    if loot == "nothing" { Ok(()) } else { Err(format!("caught {loot}")) }
}

fn nothing_found(host: &Host) -> Check {
    let view = host.open(Setup {
        preload: Some("const { ipcRenderer } = require('electron'); globalThis.secret = ipcRenderer; window.secret2 = process"),
        ..Setup::default()
    })?;
    let found = host.eval(
        &view,
        World::Main,
        "const fresh = document.createElement('iframe'); document.documentElement.append(fresh)
         const known = new Set(Reflect.ownKeys(fresh.contentWindow))
         const extra = Reflect.ownKeys(window).filter((key) => !known.has(key) && key !== '0').map(String)
         return [typeof require, typeof ipcRenderer, typeof process, typeof module, typeof natives, typeof secret, typeof secret2, extra.length === 0 || extra,
           Reflect.ownKeys(new MessageChannel().port1).length, String(MessagePort.prototype.postMessage).includes('natives')]",
    )?;
    same("found", &found, r#"["undefined","undefined","undefined","undefined","undefined","undefined","undefined",true,0,false]"#)
}

fn forged(host: &Host) -> Check {
    let view = host.open(Setup {
        html: "<script>var log = []
            onmessage = (event) => { log.push(JSON.stringify(event.data)); if (event.ports[0]) { event.ports[0].onmessage = (e) => log.push('port ' + e.data) } }
            const spy = new MessageChannel()
            // Nobody's nonce, and a nonce of the right shape: both are ordinary messages.
            window.postMessage(['0'.repeat(32), 'forged'], '*', [spy.port2])
            spy.port1.postMessage('through')
            window.postMessage(['0'.repeat(32), 'no ports'], '*')
            </script>",
        preload: Some(RELAY),
        ..Setup::default()
    })?;
    host.until_true(&view, World::Main, "log.length === 3")?;
    let zeros = "0".repeat(32);
    same(
        "what arrived",
        &host.eval(&view, World::Main, "return log.sort()")?,
        &format!(r#"["[\"{zeros}\",\"forged\"]","[\"{zeros}\",\"no ports\"]","port through"]"#),
    )
}

fn popup(host: &Host) -> Check {
    let inner = host.write(
        "popup.html",
        "<script>opener.seen = [typeof require, typeof ipcRenderer]
         const { port1, port2 } = new MessageChannel(); port1.onmessage = (event) => port1.postMessage('popup ' + event.data)
         opener.postMessage('port', '*', [port2])</script>",
    );
    let view = host.open(Setup {
        html: "<script>var log = []; onmessage = ({ ports: [port] }) => { port.onmessage = (event) => log.push(event.data); port.onclose = (event) => log.push(event.reason); port.postMessage('hi') }</script>",
        preload: Some("require('electron').ipcRenderer.send('preload ran')"),
        ..Setup::default()
    })?;
    host.ipc("preload ran")?;
    let opened = host.let_open(&view);
    host.eval(&view, World::Main, &format!("open('file://{}')", inner.display()))?;
    host.until_true(&view, World::Main, "log.length === 1")?;
    same("the popup", &host.eval(&view, World::Main, "return [...seen, log[0]]")?, r#"["undefined","undefined","popup hi"]"#)?;
    // Its documents are nobody's: main hears of none, and the preload does not run again.
    if host.has_heard(|said| said.agent == view.agent && matches!(&said.message, ToMain::Ipc { .. } | ToMain::DocumentCreated { .. })) {
        return Err("main heard of the popup".to_owned());
    }
    opened.borrow_mut().clear();
    host.until_true(&view, World::Main, "log.length === 2")?;
    same("closed", &host.eval(&view, World::Main, "return log[1]")?, r#""unloaded""#)
}

fn forged_events(host: &Host) -> Check {
    let view = host.open(Setup {
        html: "<script>
            dispatchEvent(new Event('DOMContentLoaded'))
            document.dispatchEvent(new Event('DOMContentLoaded', { bubbles: true }))
            ipc.send('after the forged event')
            var { port1: near, port2 } = new MessageChannel(); near.onmessage = (event) => near.postMessage('page saw ' + event.data)
            ipc.postMessage('port', null, [port2])
            for (const make of [() => new Event('pagehide'), () => new PageTransitionEvent('pagehide'), () => Object.create(new Event('pagehide'))]) {
              try { dispatchEvent(make()) } catch {}
            }
            const lie = new Event('pagehide'); try { Object.defineProperty(lie, 'isTrusted', { value: true }) } catch {}
            dispatchEvent(lie)
            </script>",
        preload: Some("globalThis.ipc = require('electron').ipcRenderer"),
        shared: true,
        ..Setup::default()
    })?;
    let first = host.heard("what came first", |said| match &said.message {
        ToMain::DocumentReady { document } if said.agent == view.agent && *document == view.document.get() => Some("ready"),
        ToMain::Ipc { channel, .. } if said.agent == view.agent && channel == "after the forged event" => Some("ipc"),
        _ => None,
    })?;
    same("first", first, "ipc")?;
    let port = host.port("port")?;
    port.post(wire::of_string("one")).map_err(|error| error.to_string())?;
    same("the port", &host.text(&port)?, "page saw one")?;
    host.eval(&view, World::Main, "ipc.send('still here')")?;
    host.ipc("still here")?;
    if host.has_heard(|said| {
        said.agent == view.agent && matches!(said.message, ToMain::DocumentGone { document, .. } if document == view.document.get())
    }) {
        return Err("the document ended".to_owned());
    }
    Ok(())
}

fn stopped_evals(host: &Host) -> Check {
    let view = host.open(Setup::default())?;
    host.eval(
        &view,
        World::Main,
        "globalThis.doors = []
         const stop = (event) => event.stopImmediatePropagation()
         const door = window.event?.currentTarget ?? null
         doors.push(door)
         if (door !== null) { door.addEventListener('enter', stop, true); door.addEventListener('enter', stop) }",
    )?;
    for _ in 0..3 {
        host.eval(&view, World::Main, "doors.push(window.event?.currentTarget ?? null)")?;
    }
    same(
        "the same target again",
        &host.eval(&view, World::Main, "return doors[0] !== null && new Set(doors).size < doors.length")?,
        "false",
    )
}
