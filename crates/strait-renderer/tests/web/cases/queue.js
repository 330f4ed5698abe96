// HTML, 9.4.3 "Message ports": the port message queue, start() and onmessage.

test('port message queue', 'disabled until start', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port2.addEventListener('message', (event) => log.push(event.data))
  port1.postMessage(1)
  port1.postMessage(2)
  await t.settled()
  list(log, [], 'before')
  equal(port2.start(), undefined)
  port2.start()
  list(log, [], 'in the task of the start')
  await t.settled()
  list(log, [1, 2], 'after')
})

test('port message queue', 'enabled by the first onmessage', async (t) => {
  const { port1, port2 } = t.channel()
  port1.postMessage(1)
  const log = []
  port2.onmessage = (event) => log.push(event.data)
  list(log, [], 'in the task of the assignment')
  await t.settled()
  list(log, [1])
})

test('port message queue', 'enabled by onmessage = null as well', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port1.postMessage(1)
  port2.addEventListener('message', (event) => log.push(event.data))
  port2.onmessage = null
  await t.settled()
  list(log, [1])
})

test('port message queue', 'not enabled by onclose, onmessageerror or reading onmessage', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port1.postMessage(1)
  port2.addEventListener('message', (event) => log.push(event.data))
  port2.onclose = () => {}
  port2.onmessageerror = () => {}
  equal(port2.onmessage, null)
  await t.settled()
  list(log, [])
})

test('port message queue', 'in order, both ways, interleaved', async (t) => {
  const { port1, port2 } = t.channel()
  const [here, there] = [t.watch(port1), t.watch(port2)]
  for (let i = 0; i < 500; i++) {
    port1.postMessage(i)
    port2.postMessage(-i)
  }
  await Promise.all([here.until(500), there.until(500)])
  ok(there.log.every((value, i) => value === i) && here.log.every((value, i) => value === -i || i === 0), 'the order')
})

test('port message queue', 'large messages keep their place', async (t) => {
  const { port1, port2 } = t.channel()
  const sizes = []
  port2.onmessage = ({ data }) => sizes.push(data.length)
  const wanted = [1, 300_000, 2, 70_000, 3, 1_500_000, 4]
  for (const size of wanted) port1.postMessage(new Uint8Array(size))
  await t.settled()
  while (sizes.length < wanted.length) await t.task()
  list(sizes, wanted)
})

test('port message queue', 'messages to a started port that nobody listens to are lost', async (t) => {
  const { port1, port2 } = t.channel()
  port2.start()
  port1.postMessage('lost')
  await t.settled()
  const heard = t.watch(port2)
  port1.postMessage('heard')
  list(await heard.until(1), ['heard'])
})

test('port message queue', 'a listener that is removed in time hears nothing', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  const listener = () => log.push('heard')
  port2.addEventListener('message', listener)
  port2.addEventListener('message', () => log.push('other'))
  port2.start()
  port1.postMessage(1)
  port2.removeEventListener('message', listener)
  await t.settled()
  list(log, ['other'])
})

test('port message queue', 'dispatchEvent by the program needs no start, and starts nothing', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port2.addEventListener('message', (event) => log.push(event.data))
  port1.postMessage('queued')
  equal(port2.dispatchEvent(new MessageEvent('message', { data: 'own' })), true)
  list(log, ['own'])
  await t.settled()
  list(log, ['own'])
})

test('port message queue', 'start on a closed and on a transferred port', (t) => {
  const { port1, port2 } = t.channel()
  const via = t.channel()
  via.port1.postMessage(0, [port1])
  equal(port1.start(), undefined)
  port2.close()
  equal(port2.start(), undefined)
  equal(port2.close(), undefined)
})
