// HTML, 9.4.3 "Message ports": the message port post message steps, and what WebIDL makes of postMessage's arguments.

test('postMessage arguments', 'a message alone', async (t) => {
  const { port1, port2 } = t.channel()
  equal(port1.postMessage('plain'), undefined)
  const event = await t.receive(port2)
  equal(event.data, 'plain')
  equal(event.ports.length, 0)
})

test('postMessage arguments', 'no argument at all', (t) => {
  throws(TypeError, () => t.channel().port1.postMessage())
})

test('postMessage arguments', 'undefined and null in place of the list', async (t) => {
  const { port1, port2 } = t.channel()
  const heard = t.watch(port2)
  port1.postMessage(1, undefined)
  port1.postMessage(2, null)
  port1.postMessage(3, {})
  port1.postMessage(4, { transfer: undefined })
  port1.postMessage(5, [])
  port1.postMessage(6, { transfer: [] })
  port1.postMessage(7, [], 'ignored')
  list(await heard.until(7), [1, 2, 3, 4, 5, 6, 7])
})

test('postMessage arguments', 'what is neither list nor dictionary', (t) => {
  const { port1 } = t.channel()
  for (const wrong of [0, 1, '', 'text', true, false, 5n, Symbol('s'), NaN]) throws(TypeError, () => port1.postMessage(1, wrong), String(wrong))
  for (const wrong of [null, 1, 'text', true, {}, Symbol('s')]) throws(TypeError, () => port1.postMessage(1, { transfer: wrong }), 'transfer')
})

test('postMessage arguments', 'a dictionary with other members', async (t) => {
  const { port1, port2 } = t.channel()
  const other = t.channel()
  const read = []
  const options = {
    get extra() {
      read.push('extra')
      return 1
    },
    get transfer() {
      read.push('transfer')
      return [other.port1]
    },
    get targetOrigin() {
      read.push('targetOrigin')
      return 'nonsense'
    },
  }
  port1.postMessage('with', options)
  const event = await t.receive(port2)
  equal(event.ports.length, 1)
  list(read, ['transfer'])
})

test('postMessage arguments', 'a dictionary is any object: functions, dates, instances, proxies', async (t) => {
  const { port1, port2 } = t.channel()
  const transferring = (object) => Object.assign(object, { transfer: [new MessageChannel().port1] })
  class Options {}
  const inherited = Object.create({ transfer: [new MessageChannel().port1] })
  const all = [transferring(() => {}), transferring(new Date()), transferring(new Options()), new Proxy(transferring({}), {}), inherited]
  let ports = 0
  port2.onmessage = (event) => (ports += event.ports.length)
  for (const options of all) port1.postMessage(0, options)
  await t.settled()
  equal(ports, all.length)
})

test('postMessage arguments', 'any iterable is a list', async (t) => {
  const { port1, port2 } = t.channel()
  const one = () => new MessageChannel().port1
  const generator = function* () {
    yield one()
    yield one()
  }
  const counts = []
  port2.onmessage = (event) => counts.push(event.ports.length)
  port1.postMessage(0, new Set([one(), one(), one()]))
  port1.postMessage(0, generator())
  port1.postMessage(0, { transfer: generator() })
  port1.postMessage(0, { [Symbol.iterator]: generator, transfer: 'ignored' })
  port1.postMessage(0, Object.assign(() => {}, { [Symbol.iterator]: generator }))
  await t.settled()
  list(counts, [3, 2, 2, 2, 2])
})

test('postMessage arguments', 'an iterator that is null or undefined makes no list', async (t) => {
  const { port1, port2 } = t.channel()
  const counts = []
  port2.onmessage = (event) => counts.push(event.ports.length)
  port1.postMessage(0, { [Symbol.iterator]: null, transfer: [new MessageChannel().port1] })
  port1.postMessage(0, { [Symbol.iterator]: undefined, transfer: [new MessageChannel().port1] })
  throws(TypeError, () => port1.postMessage(0, { [Symbol.iterator]: 5, transfer: [] }))
  await t.settled()
  list(counts, [1, 1])
})

test('postMessage arguments', 'an iterator is asked once, and stepped as WebIDL says', (t) => {
  const { port1 } = t.channel()
  const asked = []
  const options = {
    get [Symbol.iterator]() {
      asked.push('@@iterator')
      return () => ({
        get next() {
          asked.push('next')
          let left = 2
          return () => ({
            get done() {
              asked.push('done')
              return left-- === 0
            },
            get value() {
              asked.push('value')
              return new MessageChannel().port1
            },
          })
        },
        get return() {
          asked.push('return')
          return undefined
        },
      })
    },
  }
  port1.postMessage(0, options)
  list(asked, ['@@iterator', 'next', 'done', 'value', 'done', 'value', 'done'])
  throws(TypeError, () => port1.postMessage(0, { [Symbol.iterator]: () => 5 }))
  throws(TypeError, () => port1.postMessage(0, { [Symbol.iterator]: () => ({ next: () => 5 }) }))
  throws(TypeError, () => port1.postMessage(0, { [Symbol.iterator]: () => ({ next: 5 }) }))
})

test('postMessage arguments', 'an array with an iterator of its own', async (t) => {
  const { port1, port2 } = t.channel()
  const [kept, sent] = [t.channel(), t.channel()]
  const array = [kept.port1]
  array[Symbol.iterator] = function* () {
    yield sent.port1
  }
  port1.postMessage(0, array)
  const event = await t.receive(port2)
  equal(event.ports.length, 1)
  sent.port2.postMessage('the one from the iterator')
  equal((await t.receive(event.ports[0])).data, 'the one from the iterator')
})

test('postMessage arguments', 'holes and values that are no objects', (t) => {
  const { port1 } = t.channel()
  const other = t.channel()
  // eslint-disable-next-line no-sparse-arrays
  for (const entries of [[, other.port1], [other.port1, undefined], [null], [1], ['port'], new Array(3)]) {
    throws(TypeError, () => port1.postMessage(0, entries))
    throws(TypeError, () => port1.postMessage(0, { transfer: entries }))
  }
  port1.postMessage(0, [other.port1])
})

test('postMessage arguments', 'an exception of a getter passes through', (t) => {
  const { port1 } = t.channel()
  const mine = { my: 'error' }
  const bad = () => {
    throw mine
  }
  throws(mine, () => port1.postMessage(Object.defineProperty({}, 'x', { get: bad, enumerable: true })))
  throws(mine, () => port1.postMessage(0, Object.defineProperty({}, 'transfer', { get: bad })))
  throws(mine, () => port1.postMessage(0, Object.defineProperty({}, Symbol.iterator, { get: bad })))
  throws(mine, () => port1.postMessage(0, { [Symbol.iterator]: bad }))
  throws(mine, () => port1.postMessage(0, { [Symbol.iterator]: () => ({ next: bad }) }))
})

test('postMessage errors', 'the source port in the list', async (t) => {
  const { port1, port2 } = t.channel()
  const other = t.channel()
  throwsClone(() => port1.postMessage(0, [port1]))
  throwsClone(() => port1.postMessage(0, { transfer: [other.port1, port1] }))
  port1.postMessage('still entangled', [other.port1])
  equal((await t.receive(port2)).data, 'still entangled')
})

test('postMessage errors', 'duplicates', async (t) => {
  const { port1, port2 } = t.channel()
  const other = t.channel()
  const buffer = new ArrayBuffer(4)
  throwsClone(() => port1.postMessage(0, [other.port1, other.port1]))
  throwsClone(() => port1.postMessage(0, [buffer, other.port1, buffer]))
  equal(buffer.byteLength, 4)
  port1.postMessage('once', [other.port1, buffer])
  equal((await t.receive(port2)).ports.length, 1)
})

test('postMessage errors', 'values that cannot be cloned', (t) => {
  const { port1 } = t.channel()
  const values = [() => {}, Symbol('s'), Promise.resolve(), new WeakMap(), new WeakSet(), new WeakRef({}), t.channel(), new EventTarget()]
  for (const value of values) {
    throwsClone(() => port1.postMessage(value), show(value))
    throwsClone(() => port1.postMessage({ deep: [value] }), show(value))
  }
})

test('postMessage errors', 'a port that is not in the list', (t) => {
  const { port1 } = t.channel()
  const other = t.channel()
  throwsClone(() => port1.postMessage(other.port1))
  throwsClone(() => port1.postMessage([other.port1], [other.port2]))
  throwsClone(() => port1.postMessage(port1))
})

test('postMessage errors', 'objects that cannot be transferred', (t) => {
  const { port1 } = t.channel()
  const other = t.channel()
  for (const entry of [{}, [], () => {}, new Date(), new Uint8Array(1), t.channel(), new EventTarget(), Object.create(MessagePort.prototype)]) {
    throwsClone(() => port1.postMessage(0, [other.port1, entry]), show(typeof entry))
  }
  port1.postMessage(0, [other.port1])
})

test('postMessage errors', 'detached ports and buffers', async (t) => {
  const { port1, port2 } = t.channel()
  const [sent, closed, other] = [t.channel(), t.channel(), t.channel()]
  const buffer = new ArrayBuffer(4)
  port1.postMessage('first', [sent.port1, buffer])
  closed.port1.close()
  throwsClone(() => port1.postMessage(0, [sent.port1]), 'a port that was sent')
  throwsClone(() => port1.postMessage(0, [other.port1, closed.port1]), 'a port that was closed')
  throwsClone(() => port1.postMessage(0, [other.port1, buffer]), 'a buffer that was sent')
  throwsClone(() => port1.postMessage(buffer), 'a detached buffer')
  port1.postMessage('last', [other.port1])
  const heard = t.watch(port2)
  list(await heard.until(2), ['first', 'last'])
})

test('postMessage errors', 'nothing is consumed', async (t) => {
  const { port1, port2 } = t.channel()
  const other = t.channel()
  const buffer = new ArrayBuffer(8)
  const mine = new Error('mine')
  throwsClone(() => port1.postMessage(() => {}, [other.port1, buffer]))
  throwsClone(() => port1.postMessage({ a: other.port1, b: other.port2 }, [other.port1, buffer]))
  throws(TypeError, () => port1.postMessage(0, [other.port1, buffer, 5]))
  throws(mine, () =>
    port1.postMessage(
      {
        get x() {
          throw mine
        },
      },
      [other.port1, buffer],
    ),
  )
  equal(buffer.byteLength, 8)
  other.port1.postMessage('usable')
  equal((await t.receive(other.port2)).data, 'usable')
  port1.postMessage('sent', [other.port1, buffer])
  equal(buffer.byteLength, 0)
  const event = await t.receive(port2)
  equal(event.data, 'sent')
  event.ports[0].postMessage('moved')
  equal((await t.next(other.port2)).data, 'moved')
})

test('postMessage errors', 'the value is read before the list is found detached', (t) => {
  const { port1 } = t.channel()
  const gone = t.channel()
  gone.port1.close()
  const mine = new Error('mine')
  const value = {
    get x() {
      throw mine
    },
  }
  throws(mine, () => port1.postMessage(value, [gone.port1]))
})

test('postMessage errors', 'the list is read before the value', (t) => {
  const { port1 } = t.channel()
  const order = []
  const value = {
    get x() {
      order.push('value')
      return 1
    },
  }
  port1.postMessage(value, {
    get transfer() {
      order.push('list')
      return []
    },
  })
  list(order, ['list', 'value'])
})

test('postMessage errors', 'a port that a getter of the message closes or sends away', async (t) => {
  const { port1 } = t.channel()
  const [closed, sent, via] = [t.channel(), t.channel(), t.channel()]
  const value = (run) => ({
    get x() {
      run()
      return 1
    },
  })
  throwsClone(() => port1.postMessage(value(() => closed.port1.close()), [closed.port1]))
  throwsClone(() => port1.postMessage(value(() => via.port1.postMessage(0, [sent.port1])), [sent.port1]))
  const event = await t.receive(via.port2)
  sent.port2.postMessage('went there')
  equal((await t.receive(event.ports[0])).data, 'went there')
})

test('postMessage errors', 'a closed port still serialises and takes', (t) => {
  const { port1 } = t.channel()
  const other = t.channel()
  port1.close()
  throwsClone(() => port1.postMessage(() => {}))
  throwsClone(() => port1.postMessage(0, [port1]))
  throws(TypeError, () => port1.postMessage())
  const buffer = new ArrayBuffer(4)
  equal(port1.postMessage('nobody hears', [other.port1, buffer]), undefined)
  equal(buffer.byteLength, 0)
  throwsClone(() => t.channel().port1.postMessage(0, [other.port1]))
})

test('doomed', 'the target in the list: dropped without a word', async (t) => {
  const { port1, port2 } = t.channel()
  const other = t.channel()
  const closed = t.next(other.port2, 'close')
  const heard = t.watch(port2)
  equal(port1.postMessage('doomed', [port2, other.port1]), undefined)
  throwsClone(() => t.channel().port1.postMessage(0, [port2]), 'the target is detached')
  throwsClone(() => t.channel().port1.postMessage(0, [other.port1]), 'so is the other')
  port2.postMessage('silent')
  port1.postMessage('silent')
  await t.settled()
  list(heard.log, [])
  await closed
})

test('transferred by the port', 'data keeps its shape', async (t) => {
  const { port1, port2 } = t.channel()
  const map = new Map([['key', new Set([1, 'two'])]])
  const value = { map, date: new Date(5), negative: -0, big: 12n, list: [1, , 3], nothing: undefined, re: /a+/gi, error: new RangeError('r') }
  value.self = value
  port1.postMessage(value)
  const { data } = await t.receive(port2)
  equal(data.self, data)
  ok(data.map.get('key').has('two') && data.date.getTime() === 5, 'map and date')
  equal(data.negative, -0)
  equal(data.big, 12n)
  ok(!(1 in data.list) && data.list.length === 3, 'the hole')
  ok('nothing' in data && data.nothing === undefined, 'undefined')
  equal(String(data.re), '/a+/gi')
  ok(data.error instanceof RangeError && data.error.message === 'r', 'the error')
  ok(Object.getPrototypeOf(data) === Object.prototype && data.map instanceof Map, 'objects of the receiving realm')
})

test('transferred by the port', 'undefined is undefined, null is null', async (t) => {
  const { port1, port2 } = t.channel()
  const heard = t.watch(port2)
  port1.postMessage(undefined)
  port1.postMessage(null)
  port1.postMessage(NaN)
  port1.postMessage('')
  list(await heard.until(4), [undefined, null, NaN, ''])
})

test('transferred by the port', 'array buffers', async (t) => {
  const { port1, port2 } = t.channel()
  const buffer = new Uint8Array([1, 2, 3, 4]).buffer
  const view = new Uint8Array(buffer, 1, 2)
  port1.postMessage({ buffer, view }, [buffer])
  equal(buffer.byteLength, 0)
  equal(view.length, 0)
  const { data, ports } = await t.receive(port2)
  equal(ports.length, 0)
  equal(data.view.buffer, data.buffer)
  list([...data.view], [2, 3])
  equal(data.view.byteOffset, 1)
})

test('transferred by the port', 'a buffer in the list but not in the message is detached', (t) => {
  const { port1 } = t.channel()
  const buffer = new ArrayBuffer(4)
  port1.postMessage(0, [buffer])
  equal(buffer.byteLength, 0)
})

test('transferred by the port', 'the clone is made at the call', async (t) => {
  const { port1, port2 } = t.channel()
  const value = { n: 1 }
  port1.postMessage(value)
  value.n = 2
  equal((await t.receive(port2)).data.n, 1)
})
