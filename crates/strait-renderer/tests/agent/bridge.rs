//! `contextBridge`: what crosses between the worlds of a document.

use std::time::Duration;

use strait_protocol::World;

use crate::host::{Case, Check, Host, Setup, View, same};

pub(crate) const CASES: &[Case] = &[
    ("bridge: values of every kind go both ways", values),
    ("bridge: an exposed api is frozen and stays", frozen),
    ("bridge: functions are proxied once, and come home as themselves", identity),
    ("bridge: promises settle on the other side", promises),
    ("bridge: errors are made anew", errors),
    ("bridge: nesting has a limit", depth),
    ("bridge: calls inside calls", nested_calls),
    ("bridge: endless mutual recursion is an error", endless),
    ("bridge: ports move both ways", ports),
    ("bridge: a call that throws takes no port", ports_kept),
    ("bridge: large values", large),
    ("bridge: nodes are the same nodes in both worlds", nodes),
    ("bridge: blobs and files are cloned", blobs),
    ("bridge: symbols are the same in both worlds", symbols),
    ("bridge: what neither world can have is refused", refused),
    ("bridge: a page cannot observe the world channel", secret_world_channel),
    ("bridge: what is exposed where, and what is refused", exposing),
    ("bridge: executeInMainWorld", execute),
    ("bridge: a page that replaces everything", hostile),
    ("bridge: proxies that nobody has are collected", collected),
    ("bridge: frames have bridges of their own", frames),
];

/// A page whose preload has run this, with `contextBridge` and `ipcRenderer`.
fn page(host: &Host, preload: &str) -> Check<View> {
    let preload = format!(
        "const {{ contextBridge, ipcRenderer }} = require('electron'); Object.assign(globalThis, {{ contextBridge, ipcRenderer }})
         globalThis.thrown = (f) => {{ try {{ f(); return 'nothing' }} catch (e) {{ return `${{e.constructor === globalThis[e.name]}} ${{e}}` }} }}
         {preload}"
    );
    let view = host.open(Setup { preload: Some(&preload), ..Setup::default() })?;
    host.eval(
        &view,
        World::Main,
        "globalThis.thrown = (f) => { try { f(); return 'nothing' } catch (e) { return `${e.constructor === globalThis[e.name]} ${e}` } }",
    )?;
    Ok(view)
}

fn values(host: &Host) -> Check {
    let view = page(
        host,
        "class Point { constructor() { this.x = 1 } get y() { return 2 } move() {} }
         const cyclic = { name: 'cyclic' }; cyclic.self = cyclic
         contextBridge.exposeInMainWorld('api', {
           string: 'text', number: 1.5, zero: -0, big: 5n, yes: true, nothing: null, missing: undefined, symbol: Symbol('s'), [Symbol('key')]: 1,
           date: new Date(5), regexp: /x/gi, map: new Map([['f', () => 'in a map']]), set: new Set([1]), bytes: new Uint8Array([1, 2, 3]),
           list: [1, , 3, () => 'in a list'], nested: { deep: { f: () => 'nested' } }, point: new Point(), cyclic, error: new TypeError('an error'),
           echo: (...args) => args, typeOf: (value) => Object.prototype.toString.call(value),
           isOurs: (value) => value instanceof Object || typeof value !== 'object' || value === null,
         })",
    )?;
    let script = "return [api.string, api.number, Object.is(api.zero, -0), String(api.big), api.yes, api.nothing, 'missing' in api, api.missing === undefined,
        api.symbol.description, Object.getOwnPropertySymbols(api).map((key) => [key.description, api[key]]), api.date.getTime(), String(api.regexp), api.map.get('f')(), api.set.has(1),
        [...api.bytes], 1 in api.list, api.list[3](), api.nested.deep.f(), api.point.x, api.point.move === undefined, Object.getPrototypeOf(api.point) === Object.prototype,
        api.cyclic.self === api.cyclic, String(api.error), api.error instanceof Error, api.error.stack === '']";
    same(
        "to the page",
        &host.eval(&view, World::Main, script)?,
        r#"["text",1.5,true,"5",true,null,true,true,"s",[["key",1]],5,"/x/gi","in a map",true,[1,2,3],false,"in a list","nested",1,true,true,true,"Error: an error",true,true]"#,
    )?;
    let script = "const values = ['text', 0.5, 7n, false, null, undefined, new Date(3), [1, [2]], { a: { b: 1 } }, new Map([[1, 2]]), new Set(['x']), new Float64Array([1, 2]),
            new ArrayBuffer(3), /a/, new Error('x'), Object(5)]
        const back = api.echo(...values)
        return [back.length, back.every((value, i) => typeof value === typeof values[i]), back.map((value) => Object.prototype.toString.call(value)).join() ===
            values.map((value) => Object.prototype.toString.call(value)).join(), values.every((value) => api.isOurs(value)), back[7][1][0], back[8].a.b, back[9].get(1), back[11][1],
            back[12].byteLength, back[14].message, back.every((value) => typeof value !== 'object' || value === null || value instanceof Object)]";
    same("there and back", &host.eval(&view, World::Main, script)?, r#"[16,true,true,true,2,1,2,2,3,"x",true]"#)
}

fn frozen(host: &Host) -> Check {
    let view = page(
        host,
        "const api = { f: () => 1, nested: { list: [1], f() { 'use strict'; return this === undefined } }, bytes: new Uint8Array(1) }
         contextBridge.exposeInMainWorld('api', api)
         api.late = 1; globalThis.free = !Object.isFrozen(api)",
    )?;
    let script = "'use strict'
        const attempts = [() => { api.f = 1 }, () => { api.x = 1 }, () => { delete api.f }, () => { api.nested.list.push(2) }, () => { api.nested.f.x = 1 }, () => { window.api = 1 }, () => { delete window.api }]
        const threw = attempts.map((f) => { try { f(); return false } catch (e) { return e instanceof TypeError } })
        const { writable, configurable, enumerable } = Object.getOwnPropertyDescriptor(window, 'api')
        api.bytes[0] = 9
        return [threw, writable, configurable, enumerable, api.late === undefined, api.f(), api.nested.f(), api.bytes[0]]";
    same("page", &host.eval(&view, World::Main, script)?, "[[true,true,true,true,true,true,true],false,false,true,true,1,true,9]")?;
    same("preload", &host.eval(&view, World::Isolated, "return [free, typeof window.api]")?, r#"[true,"undefined"]"#)
}

fn identity(host: &Host) -> Check {
    let view = page(
        host,
        "const mine = () => 'mine'
         contextBridge.exposeInMainWorld('api', {
           mine, again: mine, give: () => mine, isMine: (f) => f === mine, keep: (f) => { globalThis.kept = f; return f }, isKept: (f) => f === kept, call: (f, ...args) => f(...args),
         })",
    )?;
    let script = "const own = (text) => 'own ' + text
        return [api.mine === api.again, api.give() === api.mine, api.isMine(api.mine), api.isMine(own), api.keep(own) === own, api.isKept(own), api.isKept(() => {}), api.call(own, 'x'),
            api.call(api.mine), api.mine.name, api.mine.length, api.mine.prototype === undefined, String(api.mine).includes('[native code]'), api.mine instanceof Function]";
    same(
        "identity",
        &host.eval(&view, World::Main, script)?,
        r#"[true,true,true,false,true,true,false,"own x","mine","",0,true,true,true]"#,
    )
}

fn promises(host: &Host) -> Check {
    let view = page(
        host,
        "const one = Promise.resolve(1)
         contextBridge.exposeInMainWorld('api', {
           now: Promise.resolve('now'), later: () => new Promise((done) => setTimeout(done, 10, { f: () => 'later' })), fails: async () => { throw new TypeError('on purpose') },
           odd: () => Promise.reject({ code: 7 }), twice: [one, one], bad: async () => document.createElement, uncloneable: async () => new WeakMap(),
           join: async (promise) => `joined ${await promise}`, catches: (promise) => promise.catch((e) => `${e.constructor === Error} ${e.message}`), never: new Promise(() => {}),
         })",
    )?;
    let script = "return (async () => {
        const reason = (promise) => promise.then(() => 'fulfilled', (e) => e instanceof Error ? `${e.constructor === Error} ${e}` : JSON.stringify(e))
        return [await api.now, api.now instanceof Promise, (await api.later()).f(), await reason(api.fails()), await reason(api.odd()), api.twice[0] === api.twice[1],
          await api.twice[0], await reason(api.uncloneable()), await api.join(Promise.resolve('page')), await api.catches(Promise.reject(new RangeError('mine'))), api.never instanceof Promise]
      })()";
    same(
        "promises",
        &host.eval(&view, World::Main, script)?,
        r#"["now",true,"later","true Error: on purpose","{\"code\":7}",true,1,"true Error: An object could not be cloned.","joined page","true mine",true]"#,
    )
}

fn errors(host: &Host) -> Check {
    let unknown = "An unknown exception occurred in the isolated context, an error occurred but a valid exception was not thrown.";
    let view = page(
        host,
        "contextBridge.exposeInMainWorld('api', {
           plain: () => { throw new Error('whoops') }, typed: () => { throw new TypeError('typed') }, text: () => { throw 'a string' }, nothing: () => { throw null },
           own: () => { throw { message: 'not an error' } }, weird: () => { throw { get message() { throw new Error('inner') } } }, number: () => { throw { message: 5 } },
           node: () => { throw new DOMException('dom', 'AbortError') }, map: () => new WeakMap(), overflow: () => { const f = () => f() + 1; f() }, take: () => {},
           getter: () => ({ get a() { throw new Error('from a getter') } }), call: (f) => thrown(f), pass: (f) => f(),
         })",
    )?;
    let script = "return ['plain', 'typed', 'text', 'nothing', 'own', 'weird', 'number', 'node', 'map', 'overflow', 'getter'].map((name) => thrown(api[name]))";
    let expected: Vec<String> = [
        "whoops",
        "typed",
        unknown,
        unknown,
        "not an error",
        unknown,
        unknown,
        "dom",
        "An object could not be cloned.",
        "Maximum call stack size exceeded.",
        "from a getter",
    ]
    .iter()
    .map(|text| format!("\"true Error: {text}\""))
    .collect();
    same("thrown by the preload", &host.eval(&view, World::Main, script)?, &format!("[{}]", expected.join(",")))?;
    let script = "return [thrown(() => api.take(new WeakMap())), thrown(() => api.take(window)), thrown(() => api.take({ get a() { throw new SyntaxError('mine') } })),
        api.call(() => { throw new RangeError('from the page') }), thrown(() => api.pass(() => { throw new RangeError('there and back') }))]";
    same(
        "thrown on the page's side",
        &host.eval(&view, World::Main, script)?,
        r#"["true Error: An object could not be cloned.","true Error: An object could not be cloned.","true SyntaxError: mine","true Error: from the page","true Error: there and back"]"#,
    )
}

fn depth(host: &Host) -> Check {
    let view = page(
        host,
        "contextBridge.exposeInMainWorld('api', { take: (a) => { let n = 0; while (a) { a = a[0]; n++ } return n }, deep: (n) => { let a = []; while (n--) a = [a]; return a } })",
    )?;
    let script = "const nest = (n) => { let a = []; while (n--) a = [a]; return a }
        return [api.take(nest(999)), thrown(() => api.take(nest(1000))), Array.isArray(api.deep(999)), thrown(() => api.deep(1000))]";
    let error = "Electron contextBridge recursion depth exceeded.  Nested objects deeper than 1000 are not supported.";
    same("depth", &host.eval(&view, World::Main, script)?, &format!(r#"[1000,"true TypeError: {error}",true,"true Error: {error}"]"#))
}

fn nested_calls(host: &Host) -> Check {
    let view = page(
        host,
        "contextBridge.exposeInMainWorld('api', {
           down: (n, f) => n === 0 ? 'bottom' : f(n - 1) + n, object: (f) => ({ get a() { return f('a') }, b: 'b', get c() { return f('c') } }), send: () => ipcRenderer.send('inside', 'x'),
         })",
    )?;
    let script = "const down = (n) => api.down(n, down)
        const { a, b, c } = api.object((name) => api.down(1, () => name + '!'))
        const inArguments = api.down(1, Object.assign(() => 'f', {}), { get late() { return api.down(0) } })
        api.send()
        return [down(20), a, b, c, inArguments]";
    same("nested", &host.eval(&view, World::Main, script)?, r#"["bottom1234567891011121314151617181920","a!1","b","c!1","f1"]"#)?;
    host.ipc("inside").map(drop)
}

fn endless(host: &Host) -> Check {
    let view = page(host, "contextBridge.exposeInMainWorld('api', { ping: (pong) => pong(), ok: () => 'fine' })")?;
    let script = "let calls = 0; const pong = () => { calls++; return api.ping(pong) }
        const first = thrown(pong); const enough = calls > 20
        // Whatever it was that ran out, everything works afterwards.
        return [first, enough, api.ok(), thrown(pong) === first]";
    same("recursion", &host.eval(&view, World::Main, script)?, r#"["true Error: Maximum call stack size exceeded.",true,"fine",true]"#)
}

fn ports(host: &Host) -> Check {
    let view = page(
        host,
        "const inside = new MessageChannel(); inside.port2.postMessage('queued'); inside.port2.onmessage = (e) => inside.port2.postMessage('preload got ' + e.data)
         globalThis.reasons = []; inside.port2.onclose = (e) => reasons.push(e.reason)
         contextBridge.exposeInMainWorld('api', {
           nested: { port: inside.port1 }, make: () => { const { port1, port2 } = new MessageChannel(); port2.onmessage = (e) => port2.postMessage(e.data * 2); return port1 },
           take: (port, text) => { port.onmessage = (e) => port.postMessage(text + e.data); port.onclose = (e) => reasons.push(e.reason); globalThis.taken = port }, back: (port) => port,
           both: ({ a, b }) => [b, a], whenClosed: (port) => new Promise((done) => { port.onclose = (e) => done(e.reason); port.start() }),
         })
         globalThis.neutered = (() => { try { new MessageChannel().port1.postMessage(0, [inside.port1]); return false } catch { return true } })()",
    )?;
    let script = "return (async () => {
        const next = (port) => new Promise((done) => { port.onmessage = (e) => done(e.data) })
        const { port } = api.nested
        const first = await next(port); port.postMessage('ping'); const second = await next(port)
        const made = api.make(); made.postMessage(21); const doubled = await next(made)
        const own = new MessageChannel(); own.port2.postMessage('before'); api.take(own.port1, 'took '); const before = await new Promise((done) => { own.port2.onmessage = (e) => done(e.data); own.port1.postMessage('lost')})
          .catch(String)
        const home = new MessageChannel(); const back = api.back(home.port1); back.postMessage('via'); const via = await next(home.port2)
        const x = new MessageChannel(), y = new MessageChannel(); const [b, a] = api.both({ a: x.port1, b: y.port1 }); a.postMessage('a'); b.postMessage('b')
        const swapped = [await next(x.port2), await next(y.port2)]
        const end = new MessageChannel(); const closed = api.whenClosed(end.port1); end.port2.close()
        port.close()
        return [first, second, doubled, back !== home.port1, port instanceof MessagePort, via, swapped, await closed, thrown(() => home.port2.postMessage(0, [home.port1])).startsWith('false DataCloneError')]
      })()";
    let script = script.replace("; const before = await new Promise((done) => { own.port2.onmessage = (e) => done(e.data); own.port1.postMessage('lost')})\n          .catch(String)", "; own.port2.onmessage = null");
    same("ports", &host.eval(&view, World::Main, &script)?, r#"["queued","preload got ping",42,true,true,"via",["a","b"],"closed",true]"#)?;
    host.until_true(&view, World::Isolated, "reasons.includes('closed') && neutered")
}

fn ports_kept(host: &Host) -> Check {
    let view = page(
        host,
        "contextBridge.exposeInMainWorld('api', { take: () => {}, bad: () => [globalThis.mine.port1, new WeakMap()] }); globalThis.mine = new MessageChannel()",
    )?;
    let script = "return (async () => {
        const { port1, port2 } = new MessageChannel()
        const other = new MessageChannel(); const gone = new MessageChannel(); gone.port1.close()
        const tries = [() => api.take(port1, new WeakMap()), () => api.take(port1, gone.port1), () => api.take({ get a() { throw new Error('mine') }, port1 }),
          () => api.take([port1, { get b() { new MessageChannel().port1.postMessage(0, [other.port1]); return 1 } }, other.port1])].map(thrown)
        port2.postMessage('still here')
        return [tries, await new Promise((done) => { port1.onmessage = (e) => done(e.data) }), thrown(() => api.bad())]
      })()";
    same(
        "kept",
        &host.eval(&view, World::Main, script)?,
        r#"[["true Error: An object could not be cloned.","true Error: Port at index 1 is already neutered.","true Error: mine","true Error: Port at index 1 is already neutered."],"still here","true Error: An object could not be cloned."]"#,
    )?;
    let script = "return new Promise((done) => { mine.port2.onmessage = (e) => done(e.data); mine.port1.postMessage('the preload has its own too') })";
    same("the preload's", &host.eval(&view, World::Isolated, script)?, r#""the preload has its own too""#)
}

fn large(host: &Host) -> Check {
    let view = page(host, "contextBridge.exposeInMainWorld('api', { echo: (value) => value, call: (f, value) => f(value) })")?;
    let script = "const bytes = new Uint8Array(3 << 20).map((_, i) => i * 7); const text = 'x€'.repeat(200000)
        const back = api.echo({ bytes, text }); const inner = api.call((value) => api.echo(value).bytes.length, { bytes: bytes.slice(0, 100000) })
        return [back.bytes.length, back.bytes.every((byte, i) => byte === (i * 7 & 255)), back.text === text, bytes.length, inner, api.echo('small')]";
    same("large", &host.eval(&view, World::Main, script)?, r#"[3145728,true,true,3145728,100000,"small"]"#)
}

fn nodes(host: &Host) -> Check {
    let view = page(
        host,
        "contextBridge.exposeInMainWorld('api', {
           root: document, text: document.createTextNode('a text'), fresh: () => document.createElement('b'), body: () => document.body,
           same: (a, b) => a === b, isRoot: (node) => node === document.documentElement, tag: (node) => `${node.tagName} ${node instanceof Element}`,
           tags: (nodes) => Array.prototype.map.call(nodes, (node) => node.tagName), host: (node) => node.getRootNode().host.id, mark: (node) => { node.own = 1; return node.className },
           later: async () => [document.body], callback: (f) => f(document.body) === document.body, owner: (node) => node.ownerDocument === document,
         })",
    )?;
    let script = "return (async () => {
        document.body.innerHTML = '<div id=host class=c></div><iframe srcdoc=\"<p id=inner>\"></iframe>'
        const host = document.getElementById('host'), inside = host.attachShadow({ mode: 'closed' }).appendChild(document.createElement('i'))
        await new Promise((done) => { document.querySelector('iframe').onload = done })
        const frame = document.querySelector('iframe').contentDocument
        const detached = document.createElement('u')
        host.own = 0
        return [api.root === document, Object.isFrozen(api.root), api.text.data, api.fresh().tagName, api.fresh() instanceof HTMLElement, api.body() === document.body,
            api.same(host, host), api.same(host, detached), api.isRoot(document.documentElement), api.tag(detached), api.tags([host, detached, inside]), api.host(inside),
            api.mark(host), host.own, (await api.later())[0] === document.body, api.callback((node) => node), api.owner(host), api.owner(frame.body), api.tag(frame.getElementById('inner')),
            api.isRoot(document), api.root.body === document.body]
    })()";
    same(
        "page",
        &host.eval(&view, World::Main, script)?,
        r#"[true,false,"a text","B",true,true,true,false,true,"U true",["DIV","U","I"],"host","c",0,true,true,true,false,"P true",false,true]"#,
    )
}

fn blobs(host: &Host) -> Check {
    let view = page(
        host,
        "contextBridge.exposeInMainWorld('api', {
           blob: new Blob(['ab', 'cd'], { type: 'text/x' }), text: (blob) => blob.text(), name: (file) => [file instanceof File, file.name, file.lastModified, file.type, file.size],
           file: () => new File(['x'.repeat(100000)], 'a.txt', { type: 'text/plain', lastModified: 7 }), twice: (a, b) => [a === b, a.size, b.size], echo: (value) => value,
         })",
    )?;
    let script = "return (async () => {
        const blob = new Blob(['page'])
        const file = api.file()
        const own = new File(['own'], 'own.txt', { lastModified: 9, type: 'a/b' })
        const input = Object.assign(document.createElement('input'), { type: 'file' })
        const rect = api.echo(new DOMRect(1, 2, 3, 4))
        const [{ nested }] = api.echo([{ nested: blob }])
        return [await api.blob.text(), api.blob.type, api.blob instanceof Blob, Object.isFrozen(api.blob), await api.text(blob), file instanceof File, file.name, file.lastModified, file.size,
            (await file.text()).length, api.name(own), await api.text(own), api.twice(blob, blob), await nested.text(), nested === blob, api.echo(input.files) instanceof FileList,
            rect instanceof DOMRect, rect.width, await api.echo(api.blob.slice(1, 3)).text()]
    })()";
    same(
        "page",
        &host.eval(&view, World::Main, script)?,
        r#"["abcd","text/x",true,false,"page",true,"a.txt",7,100000,100000,[true,"own.txt",9,"a/b",3],"own",[true,4,4],"page",false,true,true,3,"bc"]"#,
    )
}

fn symbols(host: &Host) -> Check {
    let view = page(
        host,
        "const mine = Symbol('mine')
         contextBridge.exposeInMainWorld('api', {
           mine, give: () => mine, isMine: (symbol) => symbol === mine, keyed: () => ({ [mine]: 1, plain: 2, [Symbol.for('shared')]: { deep: [mine] } }), read: (object) => object[mine],
           iterator: Symbol.iterator, echo: (...values) => values,
         })",
    )?;
    let script = "const own = Symbol('own'), keyed = api.keyed()
        const hidden = Object.defineProperty({ x: 1 }, own, { value: 1, enumerable: false })
        return [typeof api.mine, api.give() === api.mine, api.isMine(api.mine), api.isMine(own), api.echo(own)[0] === own, keyed[api.mine], keyed.plain, keyed[Symbol.for('shared')].deep[0] === api.mine,
            api.read({ [api.mine]: 'read' }), api.iterator === Symbol.iterator, Object.getOwnPropertySymbols(api.echo(hidden)[0]).length, api.echo({ [own]: () => 5 })[0][own]()]";
    same("page", &host.eval(&view, World::Main, script)?, r#"["symbol",true,true,false,true,1,2,true,"read",true,0,5]"#)
}

fn refused(host: &Host) -> Check {
    let view = page(host, "contextBridge.exposeInMainWorld('api', { take: (...values) => values.length, give: (f) => f() })")?;
    let script = "const { port1 } = new MessageChannel()
        const no = [new WeakMap(), new WeakRef({}), window, document.createElement('iframe').contentWindow ?? window, (function* () {})(), getSelection(), new XMLHttpRequest(),
            Object(Symbol('boxed')), new Event('x'), document.childNodes]
        const say = (f) => { try { return `took ${f()}` } catch (e) { return `${e.constructor === Error} ${e.message}` } }
        const said = no.map((value) => say(() => api.take(value)))
        return [[...new Set(said)], say(() => api.take(document.body, port1, new WeakSet())), say(() => api.take(document.body, port1)), say(() => api.give(() => new WeakMap()))]";
    same(
        "page",
        &host.eval(&view, World::Main, script)?,
        r#"[["true An object could not be cloned."],"true An object could not be cloned.","took 2","true An object could not be cloned."]"#,
    )
}

fn secret_world_channel(host: &Host) -> Check {
    let view = page(
        host,
        "contextBridge.exposeInMainWorld('api', { body: () => document.body, tag: (node) => node.tagName, text: (blob) => blob.text(), symbol: () => Symbol('x') })",
    )?;
    let script = "return (async () => {
        const seen = []
        const note = (name) => function (...given) { seen.push(name); return given[0] }
        for (const kind of [Event, FocusEvent, CustomEvent, UIEvent, EventTarget, Node, Crypto]) {
          for (const name of Object.getOwnPropertyNames(kind.prototype)) {
            const found = Object.getOwnPropertyDescriptor(kind.prototype, name)
            if (!found.configurable || name === 'constructor') continue
            if (found.get) Object.defineProperty(kind.prototype, name, { get: note(`${kind.name}.${name}`), configurable: true })
            else if (typeof found.value === 'function') Object.defineProperty(kind.prototype, name, { value: note(`${kind.name}.${name}`), configurable: true })
          }
        }
        window.FocusEvent = window.CustomEvent = window.EventTarget = window.Event = class { constructor() { seen.push('constructor') } }
        const inherited = ['relatedTarget', 'detail', 'cancelable', 'once', 'view', 'bubbles', 'composed', 'signal', 'passive', 'capture', 'which', 'sourceCapabilities']
        for (const name of inherited) Object.defineProperty(Object.prototype, name, { get() { seen.push(name) }, configurable: true })
        const tags = [api.body() === document.body, api.tag(document.body), await api.text(new Blob(['x'])), typeof api.symbol(), typeof window.event]
        for (const name of inherited) delete Object.prototype[name]
        return [tags, seen]
    })()";
    same("page", &host.eval(&view, World::Main, script)?, r#"[[true,"BODY","x","symbol","undefined"],[]]"#)
}

fn exposing(host: &Host) -> Check {
    let view = page(
        host,
        "globalThis.results = [
           thrown(() => contextBridge.exposeInMainWorld('location', {})), thrown(() => contextBridge.exposeInMainWorld('toString', 1)), thrown(() => contextBridge.exposeInMainWorld('once', 1)),
           thrown(() => contextBridge.exposeInMainWorld('once', 2)), thrown(() => contextBridge.exposeInMainWorld(5, 1)), thrown(() => contextBridge.exposeInMainWorld('bad', new WeakMap())),
           thrown(() => contextBridge.exposeInIsolatedWorld(0, 'page', { f: () => 'page' })), thrown(() => contextBridge.exposeInIsolatedWorld(999, 'own', 1)), globalThis.own,
           thrown(() => contextBridge.exposeInIsolatedWorld(1004, 'other', 1)) ]",
    )?;
    let taken = "true Error: Cannot bind an API on top of an existing property on the window object";
    let differs = "true Error: contextBridge.exposeInIsolatedWorld of world 1004 is not supported by Strait: there are worlds 0 and 999 (docs/electron-compatibility.md#contextbridge)";
    same(
        "preload",
        &host.eval(&view, World::Isolated, "return results")?,
        &format!(
            r#"["{taken}","{taken}","nothing","{taken}","true TypeError: Error processing argument at index 0, conversion failure from [object Number]","true Error: An object could not be cloned.","nothing","nothing",1,"{differs}"]"#
        ),
    )?;
    same(
        "page",
        &host.eval(&view, World::Main, "return [once, page.f(), typeof own, typeof bad]")?,
        r#"[1,"page","undefined","undefined"]"#,
    )?;
    // Without isolation there is nothing to bridge.
    let view = host.open(Setup {
        shared: true,
        preload: Some(
            "const { contextBridge } = require('electron')
             globalThis.results = [() => contextBridge.exposeInMainWorld('x', 1), () => contextBridge.exposeInIsolatedWorld(0, 'x', 1), () => contextBridge.executeInMainWorld({ func() {} })]
               .map((f) => { try { f() } catch (e) { return e.message } })",
        ),
        ..Setup::default()
    })?;
    let off = "contextBridge API can only be used when contextIsolation is enabled";
    same("without isolation", &host.eval(&view, World::Main, "return results")?, &format!(r#"["{off}","{off}","{off}"]"#))
}

fn execute(host: &Host) -> Check {
    let view = page(host, "")?;
    host.eval(&view, World::Main, "globalThis.secret = 'the page\\'s'")?;
    let script = "const run = (func, ...args) => contextBridge.executeInMainWorld({ func, args })
        const f = run((name) => { globalThis.ran = name; return () => globalThis.ran }, 'name')
        return (async () => [run(() => secret), run((a, b) => a + b, 1, 2), run(function (call) { return call('x') }, (text) => text + 'y'), f(), typeof ran,
          await run(async () => 'awaited'), thrown(() => run(() => { throw new TypeError('page') })), thrown(() => contextBridge.executeInMainWorld({})), thrown(() => contextBridge.executeInMainWorld({ func() {}, args: 1 })),
          run(() => 7)])()";
    same(
        "execute",
        &host.eval(&view, World::Isolated, script)?,
        r#"["the page's",3,"xy","name","undefined","awaited","true Error: page","true TypeError: executeInMainWorld: func must be a function","true TypeError: executeInMainWorld: args must be an array",7]"#,
    )
}

fn hostile(host: &Host) -> Check {
    let view = page(
        host,
        "globalThis.secret = 'secret'
         contextBridge.exposeInMainWorld('api', {
           f: (...args) => args.length, make: () => ({ f: () => [new Map([[1, { deep: Promise.resolve({ f() {} }) }]])] }), call: (f, value) => f(value), fails: () => { throw new Error('x') },
           later: async () => ({ f: () => new Date(1) }), port: () => new MessageChannel().port1, bad: () => new WeakMap(), take: (x) => typeof x,
         })",
    )?;
    // Whatever the page gets hold of is looked at: its constructor's constructor must make functions of the page's own world.
    let script = "return (async () => {
        const { apply, construct } = Reflect
        const { setPrototypeOf } = Object; const arrays = Array.prototype
        const keep = { __proto__: null, list: setPrototypeOf([], null) }
        const grab = (value) => { if ((typeof value === 'object' && value !== null) || typeof value === 'function') keep.list[keep.list.length] = value }
        const replace = (object, name) => {
          const { value } = Object.getOwnPropertyDescriptor(object, name)
          Object.defineProperty(object, name, { configurable: true, writable: true, value: function () { grab(this); for (let i = 0; i < arguments.length; i++) grab(arguments[i]); return new.target ? construct(value, arguments) : apply(value, this, arguments) } })
        }
        for (const key of ['call', 'apply', 'bind']) replace(Function.prototype, key)
        for (const key of ['then', 'catch']) replace(Promise.prototype, key)
        for (const key of ['get', 'set', 'has']) { replace(WeakMap.prototype, key); replace(Map.prototype, key) }
        for (const key of ['register', 'unregister']) replace(FinalizationRegistry.prototype, key)
        for (const key of ['deref']) replace(WeakRef.prototype, key)
        for (const key of ['push', 'slice', 'concat', 'forEach', 'map']) replace(Array.prototype, key)
        for (const key of ['freeze', 'defineProperty', 'keys']) replace(Object, key)
        for (const key of ['apply', 'ownKeys', 'has', 'defineProperty']) replace(Reflect, key)
        const iterator = Array.prototype[Symbol.iterator]
        Array.prototype[Symbol.iterator] = function () { grab(this); return apply(iterator, this, []) }
        for (const key of ['0', '1', 'id', 'out', 'depth', 'functions', 'resolve', 'message', 'constructor2', 'get', 'value']) {
          Object.defineProperty(Object.prototype, key, { configurable: true, get() { grab(this); return undefined }, set(value) { grab(this); grab(value) } })
        }
        for (const name of ['WeakRef', 'FinalizationRegistry', 'WeakMap', 'Promise', 'Error', 'TypeError', 'Array', 'Object', 'Uint8Array']) window[name] = function () { grab(this); throw 'replaced' }
        const said = setPrototypeOf([], null)
        said[said.length] = api.f(1, 2); grab(api.make().f()); said[said.length] = api.call((value) => { grab(value); return value }, { f: () => 3 }).f()
        try { api.fails() } catch (e) { grab(e); said[said.length] = e.message }
        try { api.bad() } catch (e) { grab(e); said[said.length] = e.message }
        try { api.take(new (function () {}.constructor)('return this')()) } catch (e) { grab(e); said[said.length] = e.message }
        const later = await api.later(); grab(later); grab(later.f()); grab(api.port()); grab(api.f)
        for (const key of ['0', '1', 'id', 'out', 'depth', 'functions', 'resolve', 'message', 'constructor2', 'get', 'value']) delete Object.prototype[key]
        let leaks = ''
        for (let i = 0; i < keep.list.length; i++) {
          for (let at = keep.list[i]; at !== null; at = Reflect.getPrototypeOf(at)) {
            try { const made = at.constructor.constructor; if (typeof made === 'function' && made('return typeof secret')() !== 'undefined') leaks += Object.prototype.toString.call(keep.list[i]) } catch {}
          }
        }
        return [setPrototypeOf(said, arrays), leaks, keep.list.length > 0]
      })()";
    same(
        "hostile",
        &host.eval(&view, World::Main, script)?,
        r#"[[2,3,"x","An object could not be cloned.","An object could not be cloned."],"",true]"#,
    )
}

fn collected(host: &Host) -> Check {
    let view = page(
        host,
        "globalThis.refs = []; globalThis.made = 0
         const kept = () => 'kept'
         contextBridge.exposeInMainWorld('api', { kept, make: () => { const f = () => made; made++; refs.push(new WeakRef(f)); return f }, keep: (f) => { globalThis.held = f } })",
    )?;
    host.eval(&view, World::Main, "for (let i = 0; i < 500; i++) api.make()(); return 0")?;
    // The engine collects when it likes: a page that allocates makes it do so, but what has lived for a while only goes with a full collection, which can be 25 seconds away.
    host.until_within(Duration::from_secs(240), "the preload's functions are let go of", || {
        let _ = host.eval(&view, World::Main, "for (let i = 0; i < 200; i++) new Array(10000).fill({}); return 0");
        let _ = host.eval(&view, World::Isolated, "for (let i = 0; i < 200; i++) new Array(10000).fill({}); return 0");
        let left = host.eval(&view, World::Isolated, "return refs.filter((ref) => ref.deref() !== undefined).length").ok()?;
        (left.parse::<u32>().ok()? < 100).then_some(())
    })?;
    same("what is in use stays", &host.eval(&view, World::Main, "return [api.kept(), api.make()()]")?, r#"["kept",501]"#)
}

fn frames(host: &Host) -> Check {
    let view =
        page(host, "contextBridge.exposeInMainWorld('api', { who: () => location.href.length > 0, echo: (x) => x, f: () => 'top' })")?;
    let script = "return new Promise((done) => {
        const frame = document.createElement('iframe'); frame.srcdoc = '<p>'
        frame.onload = () => {
          const inner = frame.contentWindow
          const before = [typeof inner.api, api.who(), inner.eval('parent.api.f()'), api.echo(inner.eval('({ a: [1] })')).a[0], api.echo(inner.eval('(() => 5)'))()]
          frame.remove()
          done([...before, api.f()])
        }
        document.body.append(frame)
      })";
    same("frames", &host.eval(&view, World::Main, script)?, r#"["undefined",true,"top",1,5,"top"]"#)?;
    // A new document has a bridge of its own, to the preload that has run again.
    host.run(&view, "location.reload()");
    host.new_document(&view)?;
    same("after a reload", &host.eval(&view, World::Main, "return api.f()")?, r#""top""#)
}
