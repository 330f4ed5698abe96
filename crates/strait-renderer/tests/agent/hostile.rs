//! Pages that attack the glue in their own world.

use strait_protocol::World;

use crate::host::{Case, Check, Host, Setup, same};
use crate::ports::RELAY;
use crate::wire;

pub(crate) const CASES: &[Case] = &[
    ("a page that patches everything reaches nothing, and ports go on working", patched),
    ("an isolated page finds nothing of ours", nothing_found),
    ("forged window messages claim nothing", forged),
];

/// Everything the glue could stumble over, each catching what it is called with.
const ATTACK: &str = r#"
globalThis.loot = []
const grab = (where, value) => {
  if ((typeof value === 'object' && value !== null) || typeof value === 'function') loot.push([where, value])
}
for (const name of ['handle', 'started', 'message', 'close', 'data', 'ports', 'value', 'get', 'set', 'done', 'transfer', 'detail', 'reason',
                    'listener', 'once', 'bubbles', 'source', 'origin', 'length', 'enumerable', 'writable', '0', '1', 'resolve', 'reject']) {
  Object.defineProperty(Object.prototype, name, {
    configurable: true,
    get() { grab('get ' + name, this); return undefined },
    set(value) { grab('set ' + name, this); grab('set ' + name, value); Object.defineProperty(this, name, { value, writable: true, configurable: true, enumerable: true }) },
  })
}
const wrap = (object, name) => {
  const descriptor = Object.getOwnPropertyDescriptor(object, name)
  const original = descriptor?.value
  if (typeof original !== 'function') return
  Object.defineProperty(object, name, { __proto__: null, configurable: true, writable: true, value: function (...args) {
    grab(name + ' this', this)
    for (let i = 0; i < args.length; i++) grab(name, args[i])
    throw new Error('hostile ' + name)
  } })
}
const keep = { log: globalThis.log }
for (const [object, names] of [
  [WeakMap.prototype, ['get', 'set', 'has', 'delete']], [Map.prototype, ['get', 'set', 'has', 'delete', 'forEach']], [Set.prototype, ['add', 'has']],
  [WeakRef.prototype, ['deref']], [FinalizationRegistry.prototype, ['register', 'unregister']],
  [Promise.prototype, ['then', 'catch']], [Promise, ['resolve']], [EventTarget.prototype, ['dispatchEvent', 'addEventListener', 'removeEventListener']],
  [Event.prototype, ['stopImmediatePropagation']], [Reflect, ['apply', 'construct', 'defineProperty', 'ownKeys']],
  [Object, ['defineProperty', 'setPrototypeOf', 'getPrototypeOf', 'keys', 'getOwnPropertyDescriptor', 'freeze']],
  [Array, ['isArray', 'from']], [Array.prototype, ['push', 'slice', 'map', 'concat', Symbol.iterator]], [JSON, ['parse', 'stringify']],
  [Function.prototype, ['call', 'apply', 'bind']], [String.prototype, ['charCodeAt', 'slice']],
  [Object.getPrototypeOf(Uint8Array.prototype), ['slice', 'subarray', 'set']],
]) for (let i = 0; i < names.length; i++) wrap(object, names[i])
const portPrototype = MessagePort.prototype
globalThis.nativePost = portPrototype.postMessage
const setMessage = Object.getOwnPropertyDescriptor
MessageEvent = class { constructor() { loot.push(['MessageEvent', arguments]) } }
Event = class { constructor() { loot.push(['Event', arguments]) } }
EventTarget = WeakRef = FinalizationRegistry = Uint8Array = Uint32Array = DOMException = TypeError = Error = Promise = null
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
    // The values of executeJavaScript in the page's world go through the page's own JSON in these tests, so it is asked without.
    host.eval(&view, World::Isolated, "return 1")?;
    let seen = host.eval_raw(&view, World::Main, "got")?;
    for expected in ["one;", "local works;", "closed;", "again;"] {
        if !seen.contains(expected) {
            return Err(format!("the page got {seen}, not {expected}"));
        }
    }
    // What it caught must all be its own: no native of ours, no state with a handle, no bytes of ours.
    let loot = host.eval_raw(
        &view,
        World::Main,
        "(() => { let out = ''; for (let i = 0; i < loot.length; i++) { const value = loot[i][1]; let text
           if (value === window || value === document) continue
           text = typeof value === 'function' ? 'function ' + value.name : typeof value + ('' + Object.prototype.toString)
           if (typeof value === 'function' && (value.name === '' || value.name === 'Function' || value === undefined)) out += loot[i][0] + ' ' + text + ';'
         } return out + loot.length })()",
    )?;
    if loot.contains("function") { Err(format!("caught {loot}")) } else { Ok(()) }
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
