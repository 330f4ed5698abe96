// HTML, 9.3 "Cross-document messaging": ports in window.postMessage, iframes, and documents that go.

const windowMessage = (t, wanted) =>
  new Promise((resolve) => {
    const listener = (event) => {
      if (event.data !== wanted && event.data?.kind !== wanted) return
      window.removeEventListener('message', listener)
      resolve(event)
    }
    window.addEventListener('message', listener)
    t.cleanup(() => window.removeEventListener('message', listener))
  })

const echo = `<script>onmessage = ({ ports, source }) => {
  const [port] = ports
  port.onmessage = ({ data, ports }) => port.postMessage(data + ' echoed', ports)
  port.onclose = ({ reason }) => parent.postMessage('frame heard close ' + reason, '*')
  source.postMessage('taken', '*')
}<` + `/script>`

test(
  'window.postMessage',
  'ports in both forms, to the own window',
  async (t) => {
    for (const form of ['list', 'options']) {
      const { port1, port2 } = t.channel()
      const got = windowMessage(t, form)
      port1.postMessage('queued')
      if (form === 'list') window.postMessage(form, '*', [port2])
      else window.postMessage(form, { targetOrigin: '*', transfer: [port2] })
      throwsClone(() => t.channel().port1.postMessage(0, [port2]), 'detached at once')
      const event = await got
      equal(event.source, window, 'source')
      equal(event.origin, window.origin, 'origin')
      equal(event.ports.length, 1)
      ok(Object.isFrozen(event.ports) && event.ports[0] instanceof MessagePort, 'frozen ports')
      equal((await t.receive(event.ports[0])).data, 'queued')
    }
  },
  { needs: ['window'] },
)

test(
  'window.postMessage',
  'ports in the value are those of the list',
  async (t) => {
    const [one, two] = [t.channel(), t.channel()]
    const got = windowMessage(t, 'in the value')
    window.postMessage({ kind: 'in the value', two: two.port1, one: one.port1 }, '*', [one.port1, two.port1])
    const { data, ports } = await got
    equal(data.one, ports[0])
    equal(data.two, ports[1])
    data.one.postMessage('first')
    equal((await t.receive(one.port2)).data, 'first')
  },
  { needs: ['window'] },
)

test(
  'window.postMessage',
  'errors consume nothing',
  async (t) => {
    const { port1, port2 } = t.channel()
    const buffer = new ArrayBuffer(4)
    throwsClone(() => window.postMessage(() => {}, '*', [port2, buffer]))
    throwsClone(() => window.postMessage(0, '*', [port2, port2]))
    throws(TypeError, () => window.postMessage(0, '*', [port2, 5]))
    throws(TypeError, () => window.postMessage(0, '*', 5))
    const { error } = caught('an origin that is none', () => window.postMessage(0, 'no origin', [port2]))
    ok(error instanceof DOMException && error.name === 'SyntaxError' && error.code === 12, `threw ${error}`)
    const { error: other } = caught('an origin that is none', () => window.postMessage(0, { targetOrigin: 'no origin', transfer: [port2] }))
    equal(other.name, 'SyntaxError')
    equal(buffer.byteLength, 4)
    port1.postMessage('alive')
    equal((await t.receive(port2)).data, 'alive')
  },
  { needs: ['window'] },
)

test(
  'window.postMessage',
  'a port that is not in the list',
  (t) => {
    const { port1 } = t.channel()
    throwsClone(() => window.postMessage(port1, '*'))
  },
  { needs: ['window'] },
)

test(
  'window.postMessage',
  'an origin that does not match: the ports are gone',
  async (t) => {
    const { port1, port2 } = t.channel()
    const closed = t.next(port1, 'close')
    window.postMessage('lost', 'https://elsewhere.invalid', [port2])
    throwsClone(() => t.channel().port1.postMessage(0, [port2]))
    await closed
  },
  { needs: ['window'] },
)

test(
  'window.postMessage',
  'a message with ports is a task of its own, in order with others',
  async (t) => {
    const log = []
    const listener = ({ data }) => {
      if (typeof data !== 'string' || !data.startsWith('order')) return
      log.push(data)
      queueMicrotask(() => log.push('microtask'))
    }
    window.addEventListener('message', listener)
    t.cleanup(() => window.removeEventListener('message', listener))
    const last = windowMessage(t, 'order 3')
    window.postMessage('order 1', '*')
    window.postMessage('order 2', '*', [t.channel().port1])
    window.postMessage('order 3', '*')
    list(log, [])
    await last
    await t.settled()
    list(log, ['order 1', 'microtask', 'order 2', 'microtask', 'order 3', 'microtask'])
  },
  { needs: ['window'] },
)

test(
  'iframes',
  'a port to a frame and back',
  async (t) => {
    const frame = await t.frame(echo)
    const { port1, port2 } = t.channel()
    const taken = windowMessage(t, 'taken')
    frame.contentWindow.postMessage('take', '*', [port2])
    const event = await taken
    equal(event.source, frame.contentWindow)
    port1.postMessage('hello')
    equal((await t.receive(port1)).data, 'hello echoed')
    const inner = t.channel()
    port1.postMessage('with a port', [inner.port2])
    const { ports } = await t.receive(port1)
    inner.port1.postMessage('round trip')
    equal((await t.receive(ports[0])).data, 'round trip')
  },
  { needs: ['window', 'same-origin'] },
)

test(
  'iframes',
  'closing from here is heard there',
  async (t) => {
    const frame = await t.frame(echo)
    const { port1, port2 } = t.channel()
    const taken = windowMessage(t, 'taken')
    frame.contentWindow.postMessage('take', { targetOrigin: '*', transfer: [port2] })
    await taken
    const heard = windowMessage(t, 'frame heard close closed')
    port1.close()
    await heard
  },
  { needs: ['window', 'same-origin'] },
)

test(
  'iframes',
  'a sandboxed frame',
  async (t) => {
    const frame = await t.frame(echo, { sandbox: 'allow-scripts' })
    const { port1, port2 } = t.channel()
    const taken = windowMessage(t, 'taken')
    frame.contentWindow.postMessage('take', '*', [port2])
    const event = await taken
    equal(event.origin, 'null')
    port1.postMessage('hello')
    equal((await t.receive(port1)).data, 'hello echoed')
  },
  { needs: ['window'] },
)

test(
  'iframes',
  'a port from a sandboxed frame',
  async (t) => {
    const arrived = windowMessage(t, 'from the sandbox')
    await t.frame(
      `<script>const { port1, port2 } = new MessageChannel(); port1.onmessage = ({ data }) => port1.postMessage(data + ' answered')
      parent.postMessage('from the sandbox', '*', [port2])<` + `/script>`,
      { sandbox: 'allow-scripts' },
    )
    const { ports } = await arrived
    ports[0].postMessage('question')
    equal((await t.receive(ports[0])).data, 'question answered')
  },
  { needs: ['window'] },
)

const answering = `<script>onmessage = ({ data, ports }) => {
  for (const port of ports) port.onmessage = ({ data, ports }) => port.postMessage([data, ports.length], ports)
  parent.postMessage(data + ' taken', '*')
}<` + `/script>`

test(
  'iframes',
  'of another origin: what is posted before, meanwhile and later comes in order',
  async (t) => {
    const frame = await t.frame(answering, { sandbox: 'allow-scripts' })
    const { port1, port2 } = t.channel()
    const heard = t.watch(port1)
    port1.postMessage(1)
    frame.contentWindow.postMessage('x', '*', [port2])
    port1.postMessage(2)
    await windowMessage(t, 'x taken')
    for (let n = 3; n < 50; n++) port1.postMessage(n)
    list((await heard.until(49)).map(([n]) => n), Array.from({ length: 49 }, (_, n) => n + 1))
    const back = t.channel()
    const again = t.next(port1)
    port1.postMessage('a port', [back.port2])
    const { data, ports } = await again
    equal(JSON.stringify([data, ports.length]), '[["a port",1],1]')
    back.port1.postMessage('round')
    equal((await t.receive(ports[0])).data, 'round')
  },
  { needs: ['window'] },
)

test(
  'iframes',
  'of another origin: two ports in a message, two messages, a port that had been started',
  async (t) => {
    const [one, two] = [await t.frame(answering, { sandbox: 'allow-scripts' }), await t.frame(answering, { sandbox: 'allow-scripts' })]
    const [a, b, c] = [t.channel(), t.channel(), t.channel()]
    c.port2.onmessage = () => {}
    const taken = [windowMessage(t, '1 taken'), windowMessage(t, '2 taken')]
    one.contentWindow.postMessage('1', '*', [a.port2, b.port2])
    two.contentWindow.postMessage('2', '*', [c.port2])
    for (const [n, { port1 }] of [a, b, c].entries()) port1.postMessage(n)
    await Promise.all(taken)
    for (const [n, { port1 }] of [a, b, c].entries()) equal((await t.receive(port1)).data[0], n)
  },
  { needs: ['window'] },
)

test(
  'iframes',
  'of another origin: both ends of a channel, to two frames',
  async (t) => {
    const speaking = `<script>onmessage = ({ ports: [port] }) => {
      port.onmessage = ({ data }) => parent.postMessage('heard ' + data, '*')
      port.postMessage('from the other')
    }<` + `/script>`
    const frames = [await t.frame(speaking, { sandbox: 'allow-scripts' }), await t.frame(speaking, { sandbox: 'allow-scripts' })]
    const { port1, port2 } = t.channel()
    const got = windowMessage(t, 'heard from the other')
    frames[0].contentWindow.postMessage(0, '*', [port1])
    frames[1].contentWindow.postMessage(0, '*', [port2])
    await got
  },
  { needs: ['window'] },
)

test(
  'iframes',
  'of another origin: the other end had gone to the main process, or goes on',
  async (t) => {
    const frame = await t.frame(answering, { sandbox: 'allow-scripts' })
    const { port1, port2 } = t.channel()
    t.toHost('greet', port1)
    const got = windowMessage(t, 'hello from main')
    const hearing = await t.frame(`<script>onmessage = ({ ports: [port] }) => { port.onmessage = ({ data }) => parent.postMessage(data, '*') }<` + `/script>`, {
      sandbox: 'allow-scripts'
    })
    hearing.contentWindow.postMessage(0, '*', [port2])
    await got
    const one = t.channel()
    frame.contentWindow.postMessage('x', '*', [one.port2])
    await windowMessage(t, 'x taken')
    const carrier = t.channel()
    carrier.port1.postMessage(0, [one.port1])
    const moved = (await t.receive(carrier.port2)).ports[0]
    moved.postMessage('moved')
    equal((await t.receive(moved)).data[0], 'moved')
  },
  { needs: ['window', 'host'] },
)

/** A frame that has taken a port, and what the port's other end hears. */
const takenByFrame = async (t) => {
  const frame = await t.frame(echo)
  const { port1, port2 } = t.channel()
  const taken = windowMessage(t, 'taken')
  frame.contentWindow.postMessage('take', '*', [port2])
  await taken
  return { frame, heard: t.watch(port1) }
}

test(
  'unloading',
  'removing a frame closes its ports',
  async (t) => {
    const { frame, heard } = await takenByFrame(t)
    frame.remove()
    list(await heard.until(1), ['close unloaded'])
  },
  { needs: ['window', 'same-origin'] },
)

test(
  'unloading',
  'navigating a frame closes its ports',
  async (t) => {
    const { frame, heard } = await takenByFrame(t)
    frame.srcdoc = 'another document'
    list(await heard.until(1), ['close unloaded'])
  },
  { needs: ['window', 'same-origin'] },
)

test(
  'unloading',
  'a port on its way to a frame that goes',
  async (t) => {
    const frame = await t.frame('nobody listens')
    const { port1, port2 } = t.channel()
    const closed = t.next(port1, 'close')
    frame.contentWindow.postMessage('take', '*', [port2])
    frame.remove()
    await closed
  },
  { needs: ['window', 'same-origin'] },
)

test(
  'unloading',
  'posts from a document that is gone are silent',
  async (t) => {
    const frame = await t.frame('')
    const { MessageChannel: Theirs } = frame.contentWindow
    const { port1, port2 } = new Theirs()
    const via = t.channel()
    via.port1.postMessage(0, [port2])
    const [arrived] = (await t.receive(via.port2)).ports
    const heard = t.watch(arrived)
    port1.postMessage('before')
    list(await heard.until(1), ['before'])
    frame.remove()
    list(await heard.until(2), ['before', 'close unloaded'])
    equal(port1.postMessage('after'), undefined)
    port1.start()
    port1.onmessage = () => {}
    equal(port1.close(), undefined)
    await t.settled()
    list(heard.log, ['before', 'close unloaded'])
  },
  { needs: ['window', 'same-origin', 'own-frames'] },
)

test(
  'unloading',
  'a channel made in a document that is gone is dead, and throws nothing',
  async (t) => {
    const frame = await t.frame('')
    const { MessageChannel: Theirs } = frame.contentWindow
    frame.remove()
    await t.settled()
    const { port1, port2 } = new Theirs()
    port2.onmessage = () => {}
    equal(port1.postMessage('into nothing'), undefined)
    port1.close()
  },
  { needs: ['window', 'same-origin', 'own-frames'] },
)

test(
  'realms',
  'methods of one document work on ports of another',
  async (t) => {
    const frame = await t.frame('')
    const theirs = new frame.contentWindow.MessageChannel()
    const heard = t.watch(theirs.port2)
    MessagePort.prototype.postMessage.call(theirs.port1, 'by ours')
    theirs.port1.postMessage('by theirs')
    list(await heard.until(2), ['by ours', 'by theirs'])
    MessagePort.prototype.close.call(theirs.port1)
    list(await heard.until(3), ['by ours', 'by theirs', 'close closed'])
  },
  { needs: ['window', 'same-origin', 'own-frames'] },
)

test(
  'realms',
  'handlers set by the methods of another document',
  async (t) => {
    const frame = await t.frame('')
    const theirs = new frame.contentWindow.MessageChannel()
    const seen = []
    const { get, set } = Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage')
    const handler = ({ data }) => seen.push(data)
    set.call(theirs.port2, handler)
    equal(get.call(theirs.port2), handler)
    equal(theirs.port2.onmessage, handler)
    theirs.port1.postMessage('heard')
    await t.settled()
    list(seen, ['heard'])
  },
  { needs: ['window', 'same-origin', 'own-frames'] },
)

test(
  'realms',
  'ports of another document are transferred',
  async (t) => {
    const frame = await t.frame('')
    const theirs = new frame.contentWindow.MessageChannel()
    const { port1, port2 } = t.channel()
    port1.postMessage(0, [theirs.port2])
    const [arrived] = (await t.receive(port2)).ports
    theirs.port1.postMessage('across')
    equal((await t.receive(arrived)).data, 'across')
    equal(Object.getPrototypeOf(arrived), MessagePort.prototype, 'an object of the receiving realm')
    throwsClone(() => port1.postMessage(0, [theirs.port2]))
    const copy = structuredClone(theirs.port1, { transfer: [theirs.port1] })
    arrived.postMessage('back')
    equal((await t.receive(copy)).data, 'back')
  },
  { needs: ['window', 'same-origin', 'own-frames'] },
)
