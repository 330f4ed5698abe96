// HTML, 9.1 "The MessageEvent interface"; DOM, "Event dispatch"; HTML, 8.1.8 "Event handlers".

const one = async (t, value) => {
  const { port1, port2 } = t.channel()
  port1.postMessage(value)
  return { port: port2, event: await t.receive(port2) }
}

test('MessageEvent', 'fields of a message', async (t) => {
  const { port, event } = await one(t, { n: 1 })
  ok(event instanceof MessageEvent && Object.getPrototypeOf(event) === MessageEvent.prototype, 'a MessageEvent')
  equal(String(event), '[object MessageEvent]')
  equal(event.type, 'message')
  equal(event.origin, '')
  equal(event.lastEventId, '')
  equal(event.source, null)
  equal(event.bubbles, false)
  equal(event.cancelable, false)
  equal(event.composed, false)
  equal(event.defaultPrevented, false)
  equal(event.target, port)
  equal(event.srcElement, port)
  ok(event.timeStamp >= 0, 'timeStamp')
})

test('MessageEvent', 'data is the same object each time', async (t) => {
  const { event } = await one(t, { n: 1 })
  equal(event.data, event.data)
  event.data.n = 2
  equal(event.data.n, 2)
})

test('MessageEvent', 'data is an attribute of the prototype', async (t) => {
  const { event } = await one(t, 1)
  equal(Object.getOwnPropertyDescriptor(MessageEvent.prototype, 'data').get.call(event), 1, 'the getter')
  ok(!Object.hasOwn(event, 'data'), 'no own property')
})

test('MessageEvent', 'undefined data is an attribute of the prototype', async (t) => {
  const { event } = await one(t, undefined)
  equal(event.data, undefined)
  equal(Object.getOwnPropertyDescriptor(MessageEvent.prototype, 'data').get.call(event), undefined, 'the getter')
})

test('MessageEvent', 'target and phase while it is dispatched', async (t) => {
  const { port1, port2 } = t.channel()
  const seen = new Promise((resolve) => {
    port2.onmessage = (event) => resolve([event.target, event.currentTarget, event.eventPhase, event.composedPath().length, event.composedPath()[0]])
  })
  port1.postMessage(0)
  list(await seen, [port2, port2, Event.AT_TARGET, 1, port2])
})

test('MessageEvent', 'isTrusted', async (t) => {
  const { event } = await one(t, 0)
  equal(event.isTrusted, true)
})

test('MessageEvent', 'preventDefault does nothing', async (t) => {
  const { port1, port2 } = t.channel()
  const seen = new Promise((resolve) => {
    port2.onmessage = (event) => {
      event.preventDefault()
      resolve(event.defaultPrevented)
      return false
    }
  })
  port1.postMessage(0)
  equal(await seen, false)
})

test(
  'window.event',
  'is the event while a handler runs, and not after',
  async (t) => {
    const { port1, port2 } = t.channel()
    const seen = []
    port2.addEventListener('message', (event) => seen.push(window.event === event))
    port2.onmessage = (event) => {
      seen.push(window.event === event)
      const inner = new MessageEvent('message')
      port1.addEventListener('message', () => seen.push(window.event === inner), { once: true })
      port1.dispatchEvent(inner)
      seen.push(window.event === event)
    }
    port1.postMessage(0)
    await t.settled()
    list(seen, [true, true, true, true])
    const before = window.event
    ok(before === undefined || !(before instanceof MessageEvent) || before.target !== port2, 'gone afterwards')
  },
  { needs: ['window'] },
)

test('event handlers', 'onmessage is null at first and keeps what it is given', (t) => {
  const { port1 } = t.channel()
  equal(port1.onmessage, null)
  equal(port1.onclose, null)
  const handler = () => {}
  for (const name of ['onmessage', 'onclose', 'onmessageerror']) {
    port1[name] = handler
    equal(port1[name], handler, name)
    for (const value of [5, 'text', undefined, true, Symbol('s'), 5n]) {
      port1[name] = handler
      port1[name] = value
      equal(port1[name], null, `${name} after ${typeof value}`)
    }
    const object = { handleEvent() {} }
    port1[name] = object
    equal(port1[name], object, `${name} after an object`)
    port1[name] = null
    equal(port1[name], null, name)
  }
})

test('event handlers', 'an object with handleEvent is not called as a handler, but as a listener', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  const object = {
    handleEvent(event) {
      log.push(this === object, event.data)
    },
  }
  port2.onmessage = object
  port1.postMessage(1)
  await t.settled()
  list(log, [], 'as a handler')
  port2.addEventListener('message', object)
  port1.postMessage(2)
  await t.settled()
  list(log, [true, 2], 'as a listener')
})

test('event handlers', 'this is the port, the event the only argument', async (t) => {
  const { port1, port2 } = t.channel()
  const seen = new Promise((resolve) => {
    port2.onmessage = function (...args) {
      resolve([this, args.length, args[0] instanceof MessageEvent])
    }
  })
  port1.postMessage(0)
  list(await seen, [port2, 1, true])
})

test('event handlers', 'the handler runs in the place of its first assignment', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port2.addEventListener('message', () => log.push('before'))
  port2.onmessage = () => log.push('first handler')
  port2.addEventListener('message', () => log.push('after'))
  port2.onmessage = () => log.push('handler')
  port1.postMessage(0)
  await t.settled()
  list(log, ['before', 'handler', 'after'])
})

test('event handlers', 'null gives the place up', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port2.onmessage = () => log.push('old')
  port2.addEventListener('message', () => log.push('listener'))
  port2.onmessage = null
  port1.postMessage(0)
  await t.settled()
  list(log, ['listener'])
  port2.onmessage = () => log.push('new')
  port1.postMessage(0)
  await t.settled()
  list(log, ['listener', 'listener', 'new'])
})

test('event handlers', 'a handler that is replaced while an earlier listener runs', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port2.addEventListener('message', () => (port2.onmessage = () => log.push('new')))
  port2.onmessage = () => log.push('old')
  port1.postMessage(0)
  await t.settled()
  list(log, ['new'])
})

test('event handlers', 'onclose and its place', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port2.addEventListener('close', () => log.push('before'))
  port2.onclose = function (event) {
    log.push(this === port2 && event instanceof Event && event.type === 'close')
  }
  port2.addEventListener('close', () => log.push('after'))
  port1.close()
  await t.settled()
  list(log, ['before', true, 'after'])
})

test('listeners', 'once', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port2.addEventListener('message', (event) => log.push(`once ${event.data}`), { once: true })
  port2.addEventListener('message', (event) => log.push(`always ${event.data}`))
  port2.start()
  port1.postMessage(1)
  port1.postMessage(2)
  await t.settled()
  list(log, ['once 1', 'always 1', 'always 2'])
})

test('listeners', 'signal', async (t) => {
  for (const start of [true, false]) {
    const { port1, port2 } = t.channel()
    const log = []
    if (start) port2.start()
    const [never, later] = [new AbortController(), new AbortController()]
    never.abort()
    port2.addEventListener('message', () => log.push('never'), { signal: never.signal })
    port2.addEventListener('message', (event) => log.push(event.data), { signal: later.signal })
    port2.addEventListener('message', () => later.abort())
    port2.start()
    port1.postMessage(1)
    port1.postMessage(2)
    await t.settled()
    list(log, [1])
  }
})

test('listeners', 'capture comes first, and is another listener', async (t) => {
  for (const start of [true, false]) {
    const { port1, port2 } = t.channel()
    const log = []
    if (start) port2.start()
    const listener = (event) => log.push(event.data)
    port2.addEventListener('message', () => log.push('bubble'))
    port2.addEventListener('message', listener)
    port2.addEventListener('message', listener)
    port2.addEventListener('message', listener, true)
    port2.start()
    port1.postMessage('m')
    await t.settled()
    list(log, ['m', 'bubble', 'm'])
    port2.removeEventListener('message', listener)
    port1.postMessage('n')
    await t.settled()
    list(log.slice(3), ['n', 'bubble'])
  }
})

test('listeners', 'added and removed while the event is dispatched', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  const late = () => log.push('late')
  const removed = () => log.push('removed')
  port2.addEventListener('message', () => {
    log.push('first')
    port2.addEventListener('message', late)
    port2.removeEventListener('message', removed)
  })
  port2.addEventListener('message', removed)
  port2.addEventListener('message', () => log.push('last'))
  port2.start()
  port1.postMessage(1)
  await t.settled()
  list(log, ['first', 'last'])
  port1.postMessage(2)
  await t.settled()
  list(log.slice(2), ['first', 'last', 'late'])
})

test('listeners', 'stopImmediatePropagation', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port2.onmessage = (event) => {
    log.push(event.data)
    event.stopImmediatePropagation()
  }
  port2.addEventListener('message', () => log.push('never'))
  port1.postMessage(1)
  port1.postMessage(2)
  await t.settled()
  list(log, [1, 2])
})

test('listeners', 'null is no listener, other values are refused', (t) => {
  const { port1 } = t.channel()
  equal(port1.addEventListener('message', null), undefined)
  equal(port1.removeEventListener('message', null), undefined)
  throws(TypeError, () => port1.addEventListener('message'))
  throws(TypeError, () => port1.addEventListener())
  throws(TypeError, () => port1.addEventListener('message', 5))
  throws(TypeError, () => port1.addEventListener('message', () => {}, { signal: null }))
  throws(TypeError, () => port1.dispatchEvent())
  throws(TypeError, () => port1.dispatchEvent({}))
})

test('listeners', 'the same function on several ports', async (t) => {
  const [a, b] = [t.channel(), t.channel()]
  const seen = []
  const listener = function (event) {
    seen.push([this, event.data])
  }
  a.port2.onmessage = listener
  b.port2.onmessage = listener
  a.port1.postMessage('a')
  b.port1.postMessage('b')
  await t.settled()
  equal(seen.length, 2)
  ok(seen.every(([port, data]) => (data === 'a' ? port === a.port2 : port === b.port2)), 'this and data')
})

test('listeners', 'type names are strings: objects are converted', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  const type = { toString: () => 'message' }
  port2.addEventListener(type, (event) => log.push(event.data))
  port2.start()
  port1.postMessage('heard')
  await t.settled()
  list(log, ['heard'])
})

test(
  'exceptions',
  'reach onerror, stop neither the listeners nor the next message',
  async (t) => {
    const errors = t.errors()
    const { port1, port2 } = t.channel()
    const log = []
    const [first, second] = [new Error('of the handler'), new Error('of the listener')]
    port2.onmessage = (event) => {
      log.push(event.data)
      throw first
    }
    port2.addEventListener('message', {
      handleEvent() {
        throw second
      },
    })
    port2.addEventListener('message', () => log.push('still called'))
    port1.postMessage(1)
    port1.postMessage(2)
    await t.settled()
    list(log, [1, 'still called', 2, 'still called'])
    list(errors, [first, second, first, second])
  },
  { needs: ['errors'] },
)

test(
  'exceptions',
  'in onclose reach onerror as well',
  async (t) => {
    const errors = t.errors()
    const { port1, port2 } = t.channel()
    const mine = new Error('of the close handler')
    const log = []
    port2.onclose = () => {
      throw mine
    }
    port2.addEventListener('close', () => log.push('still called'))
    port1.close()
    await t.settled()
    list(log, ['still called'])
    list(errors, [mine])
  },
  { needs: ['errors'] },
)

test(
  'exceptions',
  'a listener without handleEvent is an error of its own',
  async (t) => {
    const errors = t.errors()
    const { port1, port2 } = t.channel()
    const log = []
    port2.addEventListener('message', { handleEvent: 5 })
    port2.addEventListener('message', () => log.push('called'))
    port2.start()
    port1.postMessage(1)
    await t.settled()
    list(log, ['called'])
    // WebKit keeps the error itself from the page where no script of the page is at work.
    equal(errors.length, 1)
  },
  { needs: ['errors'] },
)

test('messageerror', 'a message that cannot be read', async (t) => {
  const { port1, port2 } = t.channel()
  t.toHost('garbage', port2)
  const seen = []
  port1.onmessageerror = function (event) {
    seen.push(this === port1, event instanceof MessageEvent, event.type, event.data, event.ports.length, event.origin, event.source)
  }
  port1.addEventListener('messageerror', () => seen.push('listener'))
  const message = await t.receive(port1)
  equal(message.data, 'after the garbage')
  list(seen, [true, true, 'messageerror', null, 0, '', null, 'listener'])
}, { needs: ['host'] })
