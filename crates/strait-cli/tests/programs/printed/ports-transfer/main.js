// What travels: values, buffers, ports, ports inside ports; in order, wherever the ends go meanwhile.
const { MessageChannelMain } = require('electron')
const { isDeepStrictEqual } = require('util')
const next = (port) => { const message = new Promise((resolve) => port.once('message', resolve)); port.start(); return message }

;(async () => {
  const { port1, port2 } = new MessageChannelMain()
  const shared = { shared: true }
  const value = {
    number: -0, big: 2n ** 70n, text: 'ö𝄞', nothing: undefined, nil: null, yes: true, date: new Date(5), regexp: /a+/gi,
    map: new Map([['k', shared]]), set: new Set([1, 'a']), error: new RangeError('out'), bytes: new Uint8Array([1, 2, 3]),
    floats: new Float64Array([0.5]), view: new DataView(new ArrayBuffer(2)), holes: [1, , 3], boxed: new Number(3), shared // eslint-disable-line no-sparse-arrays
  }
  value.self = value
  port1.postMessage(value)
  const { data } = await next(port2)
  console.log(data.self === data, data.shared === data.map.get('k'), Object.is(data.number, -0), data.big === value.big, data.text === value.text,
    'nothing' in data, data.date.getTime(), String(data.regexp), data.set.has('a'), data.error instanceof RangeError, data.error.message,
    isDeepStrictEqual(data.bytes, value.bytes), data.floats[0], data.view.byteLength, 1 in data.holes, data.holes.length, data.boxed.valueOf())

  const buffer = new Uint8Array([9, 8, 7]).buffer
  const view = new Uint8Array(buffer)
  port1.postMessage({ buffer, view }, [buffer])
  const moved = (await next(port2)).data
  console.log('buffer', buffer.byteLength === 0, view.length, new Uint8Array(moved.buffer), moved.view.buffer === moved.buffer)

  const copied = new Uint8Array([1]).buffer
  port1.postMessage(copied)
  console.log('copied', copied.byteLength === 0, (await next(port2)).data.byteLength)

  const large = new Uint8Array(5_000_000).fill(7)
  port1.postMessage(large, [large.buffer])
  const arrived = (await next(port2)).data
  console.log('large', large.length, arrived.length, arrived.at(-1))

  // Three deep.
  let inner = new MessageChannelMain()
  const outermost = inner.port2
  for (const depth of [1, 2, 3]) {
    const outer = new MessageChannelMain()
    outer.port2.postMessage({ depth }, [inner.port1])
    inner = outer
  }
  port1.postMessage('nested', [inner.port1])
  let message = await next(port2)
  const seen = []
  while (message.ports.length > 0) {
    const [port] = message.ports
    if (message.data.depth === 1) { port.postMessage('from the innermost'); break }
    message = await next(port)
    seen.push(message.data.depth)
  }
  console.log('nested', seen, (await next(outermost)).data)

  // A port in the value and in the list is the same port.
  const named = new MessageChannelMain()
  port1.postMessage({ reply: named.port1, again: named.port1 }, [named.port1])
  const { data: { reply, again }, ports } = await next(port2)
  console.log('named', reply === again, reply === ports[0])
  reply.postMessage('through the name')
  console.log((await next(named.port2)).data)

  // Queued messages move with the port, and order holds while it travels.
  const stream = new MessageChannelMain()
  for (let i = 0; i < 100; i++) stream.port1.postMessage(i)
  port1.postMessage('take over', [stream.port2])
  for (let i = 100; i < 200; i++) stream.port1.postMessage(i)
  const [taken] = (await next(port2)).ports
  for (let i = 200; i < 300; i++) stream.port1.postMessage(i)
  const numbers = []
  taken.on('message', ({ data }) => numbers.push(data))
  taken.start()
  await new Promise((resolve) => { taken.once('close', resolve); stream.port1.close() })
  console.log('stream', numbers.length, numbers.every((number, index) => number === index))

  // Each message is a macrotask: its microtasks run before the next message.
  const order = []
  const tasks = new MessageChannelMain()
  tasks.port2.on('message', ({ data }) => {
    order.push(`message ${data}`)
    Promise.resolve().then(() => {
      order.push(`microtask ${data}`)
      if (data === 2) { console.log(order.join(', ')); process.exit() }
    })
  })
  tasks.port1.postMessage(1)
  tasks.port1.postMessage(2)
  tasks.port2.start()
})()
