// HTML, 9.4.3 "Message ports": close(), disentangling and the close event.

test('close', 'what was posted before it is delivered, then the other end hears close', async (t) => {
  const { port1, port2 } = t.channel()
  const [here, there] = [t.watch(port1), t.watch(port2)]
  port1.postMessage(1)
  port1.postMessage(2)
  equal(port1.close(), undefined)
  port1.postMessage('too late')
  list(await there.until(3), [1, 2, 'close closed'])
  await t.settled()
  list(there.log, [1, 2, 'close closed'])
  list(here.log, [], 'the closing end')
})

test('close', 'the event', async (t) => {
  const { port1, port2 } = t.channel()
  const closed = t.next(port2, 'close')
  port1.close()
  const event = await closed
  equal(Object.getPrototypeOf(event), Event.prototype)
  equal(event.type, 'close')
  equal(event.target, port2)
  equal(event.bubbles, false)
  equal(event.cancelable, false)
  equal(event.reason, 'closed')
})

test('close', 'a port that was never started and has no queue hears it at once', async (t) => {
  const { port1, port2 } = t.channel()
  const closed = t.next(port2, 'close')
  port1.close()
  await closed
})

test('close', 'a port that was never started hears it after its queue', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port2.addEventListener('close', () => log.push('close'))
  port2.addEventListener('message', ({ data }) => log.push(data))
  port1.postMessage('queued')
  port1.close()
  await t.settled()
  list(log, [])
  port2.start()
  await t.settled()
  list(log, ['queued', 'close'])
})

test('close', 'nothing is received after it', async (t) => {
  const { port1, port2 } = t.channel()
  const heard = t.watch(port2)
  port1.postMessage('under way')
  port2.close()
  port1.postMessage('later')
  await t.settled()
  list(heard.log, [])
})

test('close', 'closing in a handler drops the messages behind it', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port2.onmessage = ({ data }) => {
    log.push(data)
    port2.close()
  }
  port2.addEventListener('message', ({ data }) => log.push(`second ${data}`))
  port1.postMessage(1)
  port1.postMessage(2)
  await t.settled()
  list(log, [1, 'second 1'])
})

test('close', 'a handler that closes or transfers its port: the other listeners are still called', async (t) => {
  const [closing, sending, via] = [t.channel(), t.channel(), t.channel()]
  const log = []
  closing.port2.onclose = () => closing.port2.close()
  closing.port2.addEventListener('close', () => log.push('after the close'))
  sending.port2.onmessage = () => via.port1.postMessage(0, [sending.port2])
  sending.port2.addEventListener('message', () => log.push('after the transfer'))
  sending.port1.postMessage(0)
  await t.settled()
  closing.port1.close()
  await t.settled()
  list(log, ['after the transfer', 'after the close'])
})

test('close', 'closes may cross, and be repeated', async (t) => {
  const { port1, port2 } = t.channel()
  const [one, two] = [t.watch(port1), t.watch(port2)]
  port1.close()
  port2.close()
  port1.close()
  port2.close()
  await t.settled()
  list(one.log, [])
  list(two.log, [])
})

test('close', 'comes once', async (t) => {
  const { port1, port2 } = t.channel()
  const heard = t.watch(port2)
  port1.close()
  await heard.until(1)
  port2.start()
  port2.onmessage = () => {}
  port2.close()
  await t.settled()
  list(heard.log, ['close closed'])
})

test('close', 'a closed-upon port posts silently, and takes', async (t) => {
  const { port1, port2 } = t.channel()
  const other = t.channel()
  const closed = t.next(port2, 'close')
  port1.close()
  await closed
  equal(port2.postMessage('nobody'), undefined)
  throwsClone(() => port2.postMessage(() => {}))
  const gone = t.next(other.port2, 'close')
  port2.postMessage(0, [other.port1])
  await gone
})

test('close', 'a closed-upon port can be transferred; the new one hears close', async (t) => {
  const { port1, port2 } = t.channel()
  const via = t.channel()
  const closed = t.next(port2, 'close')
  port1.close()
  await closed
  via.port1.postMessage(0, [port2])
  const [arrived] = (await t.receive(via.port2)).ports
  await t.next(arrived, 'close')
})

test('close', 'the queue of a port travels with its close behind it', async (t) => {
  const { port1, port2 } = t.channel()
  const via = t.channel()
  port1.postMessage(1)
  port1.postMessage(2)
  port1.close()
  via.port1.postMessage(0, [port2])
  const [arrived] = (await t.receive(via.port2)).ports
  const heard = t.watch(arrived)
  list(await heard.until(3), [1, 2, 'close closed'])
})

test('close', 'a port that sat in a message to a closed port', async (t) => {
  const { port1, port2 } = t.channel()
  const other = t.channel()
  port2.close()
  const closed = t.next(other.port2, 'close')
  port1.postMessage(0, [other.port1])
  equal((await closed).reason, 'dropped')
})

test('close', 'listeners for close need no start and can be removed', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  const removed = () => log.push('removed')
  port2.addEventListener('close', removed)
  port2.addEventListener('close', () => log.push('kept'), { once: true })
  port2.removeEventListener('close', removed)
  port2.onclose = () => log.push('handler')
  port2.onclose = null
  port1.close()
  await t.settled()
  list(log, ['kept'])
})

test('close', 'the answer to a close in its own handler', async (t) => {
  const { port1, port2 } = t.channel()
  const log = []
  port1.onmessage = ({ data }) => {
    log.push(data)
    port1.close()
  }
  port2.onclose = ({ reason }) => log.push(`close ${reason}`)
  port2.postMessage('please close')
  await t.settled()
  list(log, ['please close', 'close closed'])
})

test('close', 'a listener that is added after the fact hears nothing', async (t) => {
  const { port1, port2 } = t.channel()
  const closed = t.next(port2, 'close')
  port1.close()
  await closed
  const log = []
  port2.onclose = () => log.push('late')
  port2.start()
  await t.settled()
  list(log, [])
})

test('close', 'a port from the main process', async (t) => {
  const { port1, port2 } = t.channel()
  const heard = t.watch(port1)
  t.toHost('greet', port2)
  list(await heard.until(2), ['hello from main', 'close closed'])
}, { needs: ['host'] })

test('close', 'the main process hears of ours', async (t) => {
  const { port1, port2 } = t.channel()
  const witness = t.channel()
  t.toHost('witness', port2)
  port1.postMessage('to be followed by the close', [witness.port2])
  port1.close()
  equal((await t.receive(witness.port1)).data, 'closed')
}, { needs: ['host'] })
