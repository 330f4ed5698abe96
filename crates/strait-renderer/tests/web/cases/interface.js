// WebIDL, "Interfaces": what scripts can see of the functions and attributes themselves.

/** The descriptor, wherever on the prototype chain it is: WebKit has some functions of workers on their prototypes. */
const method = (owner, name) => {
  for (let at = owner; at !== null; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, name)
    if (found !== undefined) return found
  }
  return fail(`there is no ${name}`)
}
const PATCHED = () => [
  [MessagePort.prototype, 'postMessage', 1],
  [MessagePort.prototype, 'start', 0],
  [MessagePort.prototype, 'close', 0],
]

test('interfaces', 'operations: descriptors, length and name', () => {
  for (const [owner, name, length] of PATCHED()) {
    const { value, writable, enumerable, configurable } = method(owner, name)
    equal(typeof value, 'function', name)
    ok(writable && enumerable && configurable, `${name} is writable, enumerable, configurable`)
    equal(value.name, name, 'name')
    equal(value.length, length, `${name}.length`)
    list(Object.getOwnPropertyNames(value).sort(), ['length', 'name'], `own properties of ${name}`)
    equal(Object.getPrototypeOf(value), Function.prototype)
  }
})

test('interfaces', 'operations are no constructors', () => {
  for (const [owner, name] of PATCHED()) throws(TypeError, () => new owner[name](), name)
})

test('interfaces', 'structuredClone', () => {
  const { value, writable, enumerable, configurable } = method(globalThis, 'structuredClone')
  ok(writable && enumerable && configurable, 'writable, enumerable, configurable')
  equal(value.name, 'structuredClone')
  equal(value.length, 1)
  ok(String(value).includes('[native code]'), 'looks native')
  list(Object.getOwnPropertyNames(value).sort(), ['length', 'name'])
  throws(TypeError, () => new value({}), 'constructor')
})

test('interfaces', 'attributes: descriptors, length and name', () => {
  for (const name of ['onmessage', 'onmessageerror', 'onclose']) {
    const { get, set, enumerable, configurable } = method(MessagePort.prototype, name)
    ok(enumerable && configurable, `${name} is enumerable and configurable`)
    equal(get.length, 0, `getter of ${name}: length`)
    equal(set.length, 1, `setter of ${name}: length`)
    equal(get.name, `get ${name}`)
    equal(set.name, `set ${name}`)
    throws(TypeError, () => new get(), name)
  }
})

test('interfaces', 'functions look native', () => {
  const native = (f, what) => {
    for (const text of [Function.prototype.toString.call(f), String(f), `${f}`]) {
      ok(/^function [\w ]*\(\) \{\s+\[native code\]\s+\}$/.test(text), `${what} shows ${text.slice(0, 60)}`)
    }
  }
  for (const [owner, name] of PATCHED()) native(owner[name], name)
  for (const name of ['onmessage', 'onclose']) {
    native(method(MessagePort.prototype, name).get, `get ${name}`)
    native(method(MessagePort.prototype, name).set, `set ${name}`)
  }
  native(MessageChannel, 'MessageChannel')
  native(MessagePort, 'MessagePort')
  native(Function.prototype.toString, 'toString')
  for (const name of ['addEventListener', 'removeEventListener', 'dispatchEvent']) native(MessagePort.prototype[name], name)
})

test('interfaces', 'Function.prototype.toString is what it was for all others', () => {
  const { toString } = Function.prototype
  equal(toString.name, 'toString')
  equal(toString.length, 0)
  throws(TypeError, () => new toString())
  ok(toString.call((a) => a + 1) === '(a) => a + 1', 'own functions show their text')
  for (const value of [undefined, null, {}, 5, 'f']) throws(TypeError, () => toString.call(value))
  equal(toString.call(toString.bind(null)).includes('[native code]'), true)
})

test(
  'interfaces',
  'window.postMessage',
  () => {
    const { value, writable, enumerable, configurable } = method(window, 'postMessage')
    ok(writable && enumerable && configurable, 'writable, enumerable, configurable')
    equal(value.length, 1)
    equal(value.name, 'postMessage')
    throws(TypeError, () => new value(), 'constructor')
    throws(TypeError, () => window.postMessage())
    throws(TypeError, () => value.call({}, 0, '*'))
    ok(String(value).includes('[native code]'), 'looks native')
    list(Object.getOwnPropertyNames(value).sort(), ['length', 'name'])
  },
  { needs: ['window'] },
)

test('interfaces', 'MessageChannel', () => {
  equal(MessageChannel.length, 0)
  equal(MessageChannel.name, 'MessageChannel')
  const prototype = method(MessageChannel, 'prototype')
  ok(!prototype.writable && !prototype.enumerable && !prototype.configurable, 'prototype cannot be changed')
  const { value, writable, enumerable, configurable } = method(MessageChannel.prototype, 'constructor')
  ok(value === MessageChannel && writable && !enumerable && configurable, 'constructor')
  const own = method(globalThis, 'MessageChannel')
  ok(own.value === MessageChannel && own.writable && !own.enumerable && own.configurable, 'the global')
  equal(Object.getPrototypeOf(MessageChannel), Function.prototype)
  equal(Object.getPrototypeOf(MessagePort), EventTarget)
  list(Object.getOwnPropertyNames(MessageChannel).sort(), ['length', 'name', 'prototype'])
})

test('interfaces', 'this must be a port', (t) => {
  const { port1 } = t.channel()
  const { get: getMessage, set: setMessage } = method(MessagePort.prototype, 'onmessage')
  const { get: getClose, set: setClose } = method(MessagePort.prototype, 'onclose')
  const { postMessage, start, close } = MessagePort.prototype
  for (const value of [undefined, null, {}, 5, 'port', MessagePort.prototype, Object.create(port1), new EventTarget(), () => {}]) {
    const what = show(typeof value)
    throws(TypeError, () => postMessage.call(value, 0), `postMessage on ${what}`)
    throws(TypeError, () => start.call(value), `start on ${what}`)
    throws(TypeError, () => close.call(value), `close on ${what}`)
    throws(TypeError, () => getMessage.call(value), `onmessage on ${what}`)
    throws(TypeError, () => setMessage.call(value, null), `onmessage = on ${what}`)
    throws(TypeError, () => getClose.call(value), `onclose on ${what}`)
    throws(TypeError, () => setClose.call(value, null), `onclose = on ${what}`)
  }
})

test('interfaces', 'this is checked before the arguments are read, and nothing is consumed', async (t) => {
  const other = t.channel()
  const read = []
  const options = {
    get transfer() {
      read.push('transfer')
      return [other.port1]
    },
  }
  throws(TypeError, () => MessagePort.prototype.postMessage.call({}, 0, options))
  throws(TypeError, () => MessagePort.prototype.postMessage.call({}, 0, [other.port1]))
  list(read, [])
  other.port1.postMessage('usable')
  equal((await t.receive(other.port2)).data, 'usable')
})

test('interfaces', 'an object that inherits from a port is none', (t) => {
  const { port1 } = t.channel()
  const heir = Object.create(port1)
  throws(TypeError, () => heir.postMessage(0))
  throws(TypeError, () => heir.onmessage)
  throws(TypeError, () => heir.addEventListener('message', () => {}))
  throwsClone(() => port1.postMessage(0, [heir]))
})

test('interfaces', 'a Proxy around a port is none', (t) => {
  const { port1 } = t.channel()
  const other = t.channel()
  const proxy = new Proxy(other.port1, {})
  throws(TypeError, () => proxy.postMessage(0))
  throwsClone(() => port1.postMessage(0, [proxy]))
})

test('interfaces', 'a port with another prototype stays one', async (t) => {
  const { port1, port2 } = t.channel()
  const via = t.channel()
  Object.setPrototypeOf(port2, null)
  via.port1.postMessage(0, [port2])
  const [arrived] = (await t.receive(via.port2)).ports
  ok(arrived instanceof MessagePort, 'the new object is as new')
  port1.postMessage('through')
  equal((await t.receive(arrived)).data, 'through')
})

test('interfaces', 'program code may replace what it likes: ports go on', async (t) => {
  const kept = [Array.prototype[Symbol.iterator], Promise.prototype.then, MessagePort.prototype.start]
  const { port1, port2 } = t.channel()
  const other = t.channel()
  let got
  port2.onmessage = (event) => (got = event)
  try {
    Array.prototype[Symbol.iterator] = function () {
      throw new Error('replaced')
    }
    MessagePort.prototype.start = null
    port1.postMessage({ list: [1, 2] })
  } finally {
    Array.prototype[Symbol.iterator] = kept[0]
    MessagePort.prototype.start = kept[2]
  }
  await t.settled()
  list(got.data.list, [1, 2])
  other.port1.close()
})
