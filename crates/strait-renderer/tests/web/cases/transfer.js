// HTML, 9.4.3 "Message ports": transfer steps and transfer-receiving steps.

test('transfer', 'ports arrive in the order of the list, frozen', async (t) => {
  const { port1, port2 } = t.channel()
  const others = [t.channel(), t.channel(), t.channel()]
  port1.postMessage({ last: others[2].port1, first: others[0].port1 }, [others[0].port1, others[1].port1, others[2].port1])
  const event = await t.receive(port2)
  ok(Object.isFrozen(event.ports) && Array.isArray(event.ports), 'a frozen array')
  equal(event.ports, event.ports, 'ports')
  equal(event.ports.length, 3)
  equal(event.data.first, event.ports[0], 'first')
  equal(event.data.last, event.ports[2], 'last')
  event.ports.forEach((port, i) => port.postMessage(i))
  for (let i = 0; i < 3; i++) equal((await t.receive(others[i].port2)).data, i)
  throws(TypeError, () => event.ports.push(1))
})

test('transfer', 'a new object arrives, the old one is detached', async (t) => {
  const { port1, port2 } = t.channel()
  const other = t.channel()
  other.port1.note = 'stays behind'
  port1.postMessage(0, [other.port1])
  const [arrived] = (await t.receive(port2)).ports
  ok(arrived !== other.port1 && arrived instanceof MessagePort, 'a new port')
  equal(arrived.note, undefined)
  equal(other.port1.postMessage('into nothing'), undefined)
  other.port1.start()
  other.port1.close()
  arrived.postMessage('lives')
  const heard = t.watch(other.port2)
  await t.settled()
  list(heard.log, ['lives'])
})

test('transfer', 'queued messages move along, and so does the disabled state', async (t) => {
  const { port1, port2 } = t.channel()
  const other = t.channel()
  for (let i = 0; i < 5; i++) other.port2.postMessage(i)
  port1.postMessage(0, [other.port1])
  other.port2.postMessage(5)
  const [arrived] = (await t.receive(port2)).ports
  const early = []
  arrived.addEventListener('message', (event) => early.push(event.data))
  await t.settled()
  list(early, [], 'before the start')
  arrived.start()
  await t.settled()
  list(early, [0, 1, 2, 3, 4, 5])
})

test('transfer', 'a started port arrives disabled', async (t) => {
  const { port1, port2 } = t.channel()
  const other = t.channel()
  other.port1.onmessage = () => {}
  other.port2.postMessage('heard here')
  await t.next(other.port1)
  port1.postMessage(0, [other.port1])
  other.port2.postMessage('waits')
  const [arrived] = (await t.receive(port2)).ports
  equal(arrived.onmessage, null)
  const log = []
  arrived.addEventListener('message', (event) => log.push(event.data))
  await t.settled()
  list(log, [])
  arrived.start()
  await t.settled()
  list(log, ['waits'])
})

test('transfer', 'what was queued at a started port and not delivered moves along', async (t) => {
  const { port1, port2 } = t.channel()
  const other = t.channel()
  const here = []
  other.port1.onmessage = (event) => {
    here.push(event.data)
    port1.postMessage(0, [other.port1])
  }
  for (let i = 0; i < 4; i++) other.port2.postMessage(i)
  const [arrived] = (await t.receive(port2)).ports
  const there = t.watch(arrived)
  list(await there.until(3), [1, 2, 3])
  list(here, [0])
})

test('transfer', 'never fires close', async (t) => {
  const { port1, port2 } = t.channel()
  const other = t.channel()
  const log = []
  other.port1.onclose = () => log.push('old object')
  other.port2.onclose = () => log.push('far end')
  port1.postMessage(0, [other.port1])
  const [arrived] = (await t.receive(port2)).ports
  arrived.onclose = () => log.push('new object')
  await t.settled()
  list(log, [])
})

test('transfer', 'listeners and handlers stay with the old object', async (t) => {
  const { port1, port2 } = t.channel()
  const other = t.channel()
  const log = []
  other.port1.addEventListener('message', () => log.push('old listener'))
  other.port1.addEventListener('message', () => log.push('old handler'))
  port1.postMessage(0, [other.port1])
  const [arrived] = (await t.receive(port2)).ports
  other.port2.postMessage('new')
  equal((await t.receive(arrived)).data, 'new')
  await t.settled()
  list(log, [])
})

test('transfer', 'many hops with a queue that grows on the way', async (t) => {
  const travelling = t.channel()
  let port = travelling.port1
  const HOPS = 12
  for (let hop = 0; hop < HOPS; hop++) {
    travelling.port2.postMessage(`${hop} before`)
    const { port1, port2 } = t.channel()
    port1.postMessage(hop, [port])
    travelling.port2.postMessage(`${hop} after`)
    port = (await t.receive(port2)).ports[0]
  }
  const expected = Array.from({ length: HOPS }, (_, hop) => [`${hop} before`, `${hop} after`]).flat()
  const heard = t.watch(port)
  list(await heard.until(expected.length), expected)
  port.postMessage('back')
  equal((await t.receive(travelling.port2)).data, 'back')
})

test('transfer', 'both ends travel', async (t) => {
  const { port1, port2 } = t.channel()
  const other = t.channel()
  other.port1.postMessage('to the second')
  other.port2.postMessage('to the first')
  port1.postMessage(0, [other.port1, other.port2])
  const [first, second] = (await t.receive(port2)).ports
  equal((await t.receive(first)).data, 'to the first')
  equal((await t.receive(second)).data, 'to the second')
  first.postMessage('again')
  equal((await t.next(second)).data, 'again')
})

test('transfer', 'a port through its own far end of another channel, three deep', async (t) => {
  const [a, b, c] = [t.channel(), t.channel(), t.channel()]
  c.port1.postMessage('deep')
  b.port1.postMessage('b', [c.port2])
  a.port1.postMessage('a', [b.port2])
  const [second] = (await t.receive(a.port2)).ports
  const [third] = (await t.receive(second)).ports
  equal((await t.receive(third)).data, 'deep')
  third.postMessage('and back')
  equal((await t.receive(c.port1)).data, 'and back')
})

test('transfer', 'a port comes home to where it began', async (t) => {
  const { port1, port2 } = t.channel()
  const other = t.channel()
  let port = other.port1
  for (let round = 0; round < 6; round++) {
    const [from, to] = round % 2 === 0 ? [port1, port2] : [port2, port1]
    from.postMessage(round, [port])
    port = (await t.receive(to)).ports[0]
  }
  other.port2.postMessage('at home')
  equal((await t.receive(port)).data, 'at home')
})

test('transfer', 'a transferred port whose message was closed over: its far end hears close', async (t) => {
  const { port1, port2 } = t.channel()
  const other = t.channel()
  const closed = t.next(other.port2, 'close')
  port1.postMessage(0, [other.port1])
  port2.close()
  await closed
})

test('transfer', 'the ports of a message arrive though nobody listens for it', async (t) => {
  const { port1, port2 } = t.channel()
  const other = t.channel()
  other.port2.postMessage('kept')
  port1.postMessage({ port: other.port1 }, [other.port1])
  const event = await t.receive(port2)
  equal((await t.receive(event.data.port)).data, 'kept')
})

test('transfer', 'a handler may send its own port away', async (t) => {
  const { port1, port2 } = t.channel()
  const via = t.channel()
  port2.onmessage = () => via.port1.postMessage(0, [port2])
  port1.postMessage('first')
  const [arrived] = (await t.receive(via.port2)).ports
  port1.postMessage('second')
  equal((await t.receive(arrived)).data, 'second')
})

test('structuredClone', 'moves a port', async (t) => {
  const { port1, port2 } = t.channel()
  port1.postMessage('queued')
  const copy = structuredClone({ port: port2, n: 1 }, { transfer: [port2] })
  equal(copy.n, 1)
  ok(copy.port instanceof MessagePort && copy.port !== port2, 'a new port')
  port1.postMessage('later')
  const heard = t.watch(copy.port)
  list(await heard.until(2), ['queued', 'later'])
  throwsClone(() => structuredClone(0, { transfer: [port2] }))
  throwsClone(() => t.channel().port1.postMessage(0, [port2]))
})

test('structuredClone', 'of a port itself, and of one not in the value', async (t) => {
  const { port1, port2 } = t.channel()
  const other = t.channel()
  const copy = structuredClone(port2, { transfer: [port2] })
  port1.postMessage('through the copy')
  equal((await t.receive(copy)).data, 'through the copy')
  equal(structuredClone('value', { transfer: [other.port1] }), 'value')
  throwsClone(() => t.channel().port1.postMessage(0, [other.port1]))
})

test('structuredClone', 'a moved port never hears close of its move, and hears the real one', async (t) => {
  const { port1, port2 } = t.channel()
  const copy = structuredClone(port2, { transfer: [port2] })
  const heard = t.watch(copy)
  await t.settled()
  list(heard.log, [])
  port1.close()
  list(await heard.until(1), ['close closed'])
})

test('structuredClone', 'errors consume nothing', async (t) => {
  const { port1, port2 } = t.channel()
  const buffer = new ArrayBuffer(4)
  throwsClone(() => structuredClone(() => {}, { transfer: [port2, buffer] }))
  throwsClone(() => structuredClone(0, { transfer: [port2, port2] }))
  throwsClone(() => structuredClone(0, { transfer: [port2, {}] }))
  throws(TypeError, () => structuredClone(0, { transfer: [port2, 5] }))
  throws(TypeError, () => structuredClone(0, { transfer: 5 }))
  throws(TypeError, () => structuredClone(0, 5))
  throws(TypeError, () => structuredClone())
  equal(buffer.byteLength, 4)
  const copy = structuredClone({ port: port2, buffer }, { transfer: [port2, buffer] })
  equal(buffer.byteLength, 0)
  port1.postMessage('alive')
  equal((await t.receive(copy.port)).data, 'alive')
})

test('structuredClone', 'of a port that is not in the list', (t) => {
  const { port1 } = t.channel()
  throwsClone(() => structuredClone(port1))
})

test('structuredClone', 'of a detached port', (t) => {
  const { port1 } = t.channel()
  port1.close()
  throwsClone(() => structuredClone(port1, { transfer: [port1] }))
})

test('structuredClone', 'ports and buffers together keep their identity', (t) => {
  const { port1, port2 } = t.channel()
  const buffer = new ArrayBuffer(4)
  const copy = structuredClone({ a: port1, b: port2, again: port1, buffer }, { transfer: new Set([port2, buffer, port1]) })
  equal(copy.a, copy.again)
  ok(copy.a !== copy.b, 'two ports')
  equal(copy.buffer.byteLength, 4)
})
