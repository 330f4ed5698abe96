// File API, 3 and 4: the serialization steps of Blob and File objects, in messages of ports.

const blobText = async (blob) => (blob instanceof Blob ? blob.text() : `no Blob: ${show(blob)}`)
const pattern = (size) => new Uint8Array(size).map((_, i) => (i * 31) ^ (i >> 8))
const sameBytes = async (blob, bytes) => {
  const got = new Uint8Array(await blob.arrayBuffer())
  equal(got.length, bytes.length, 'length')
  for (let i = 0; i < bytes.length; i++) if (got[i] !== bytes[i]) fail(`byte ${i} is ${got[i]}, expected ${bytes[i]}`)
}

test('Blob', 'arrives as one, with its type and bytes', async (t) => {
  const { port1, port2 } = t.channel()
  const bytes = pattern(1000)
  const sent = new Blob([bytes], { type: 'Image/X-Test' })
  port1.postMessage(sent)
  const { data } = await t.receive(port2)
  equal(Object.getPrototypeOf(data), Blob.prototype)
  ok(data !== sent, 'the same object')
  equal(data.type, 'image/x-test')
  equal(data.size, 1000)
  await sameBytes(data, bytes)
  await sameBytes(sent, bytes)
})

test('Blob', 'an empty one', async (t) => {
  const { port1, port2 } = t.channel()
  port1.postMessage({ empty: new Blob(), typed: new Blob([], { type: 'a/b' }) })
  const { empty, typed } = (await t.receive(port2)).data
  ok(empty instanceof Blob && empty.size === 0 && empty.type === '', 'empty')
  ok(typed instanceof Blob && typed.size === 0 && typed.type === 'a/b', 'typed')
  equal(await empty.text(), '')
})

test('Blob', 'parts of others, and others in parts', async (t) => {
  const { port1, port2 } = t.channel()
  const whole = new Blob(['0123456789'])
  port1.postMessage([whole.slice(3, 6, 'x/y'), new Blob([whole, 'a', whole.slice(9)])])
  const [part, more] = (await t.receive(port2)).data
  equal(await blobText(part), '345')
  equal(part.type, 'x/y')
  equal(await blobText(more), '0123456789a9')
})

test('Blob', 'many bytes, of an odd number', async (t) => {
  const { port1, port2 } = t.channel()
  const bytes = pattern(3 * 1024 * 1024 + 77)
  port1.postMessage({ before: new Blob([bytes.subarray(0, 1001)]), blob: new Blob([bytes]), after: 'after \u65e5' })
  const { data } = await t.receive(port2)
  await sameBytes(data.blob, bytes)
  await sameBytes(data.before, bytes.subarray(0, 1001))
  equal(data.after, 'after \u65e5')
})

test('Blob', 'among large buffers', async (t) => {
  const { port1, port2 } = t.channel()
  const heap = pattern(700_001)
  const [first, second, third] = [pattern(1_500_000), pattern(65_537), pattern(2_000_003)]
  const message = [
    heap.subarray(5, 60),
    new Blob([second]),
    first,
    new Blob([third.subarray(1)]),
    '\u65e5',
    third.buffer,
    new File(['x'], '\u65e5'),
    // Now the whole heap has to go, in a place that was written before the rest.
    heap.buffer,
  ]
  port1.postMessage(message)
  port1.postMessage(message, [third.buffer])
  equal(third.length, 0, 'transferred')
  const heard = t.watch(port2)
  const whole = pattern(2_000_003)
  for (const [part, a, b, c, text, buffer, file, all] of await heard.until(2)) {
    equal(part.buffer, all)
    equal(part.byteOffset, 5)
    await sameBytes(new Blob([part]), heap.subarray(5, 60))
    await sameBytes(new Blob([all]), heap)
    await sameBytes(a, second)
    await sameBytes(new Blob([b]), first)
    await sameBytes(c, whole.subarray(1))
    equal(text, '\u65e5')
    await sameBytes(new Blob([buffer]), whole)
    equal(`${file.name} ${await file.text()}`, '\u65e5 x')
  }
})

test('Blob', 'in objects, arrays, maps and sets; the same one is the same one', async (t) => {
  const { port1, port2 } = t.channel()
  const [a, b] = [new Blob(['a']), new Blob(['bb'])]
  port1.postMessage({ list: [a, b, a], map: new Map([[a, b]]), set: new Set([b]), deep: { er: { a } } })
  const { list: got, map, set, deep } = (await t.receive(port2)).data
  equal(got[0], got[2], 'twice in a list')
  equal(map.get(got[0]), got[1], 'key and item of a map')
  ok(set.has(got[1]), 'item of a set')
  equal(deep.er.a, got[0], 'deep')
  ok(got[0] !== got[1], 'two became one')
  list(await Promise.all(got.map(blobText)), ['a', 'bb', 'a'])
})

test('Blob', 'with a port and a buffer in the list', async (t) => {
  const { port1, port2 } = t.channel()
  const inner = t.channel()
  const buffer = new Uint8Array([1, 2, 3]).buffer
  const message = { blob: new Blob(['beside']), port: inner.port2, buffer }
  port1.postMessage(message, [inner.port2, buffer])
  equal(buffer.byteLength, 0, 'the source')
  throwsClone(() => port1.postMessage(0, [inner.port2]), 'the port in the list')
  inner.port1.postMessage('through it')
  const event = await t.receive(port2)
  equal(event.ports[0], event.data.port)
  equal(event.data.buffer.byteLength, 3)
  equal(await blobText(event.data.blob), 'beside')
  equal((await t.receive(event.data.port)).data, 'through it')
})

test('Blob', 'the message is cloned when it is posted', async (t) => {
  const { port1, port2 } = t.channel()
  const bytes = new Uint8Array([1, 2, 3])
  const message = { blob: new Blob([bytes]), list: [1], bytes }
  port1.postMessage(message)
  message.list.push(2)
  message.more = true
  bytes[0] = 9
  const { data } = await t.receive(port2)
  list(Object.keys(data), ['blob', 'list', 'bytes'])
  equal(data.list.length, 1)
  equal(data.bytes[0], 1)
  await sameBytes(data.blob, new Uint8Array([1, 2, 3]))
})

test('Blob', 'what cannot be cloned beside it consumes nothing', async (t) => {
  const { port1, port2 } = t.channel()
  const inner = t.channel()
  throwsClone(() => port1.postMessage([new Blob(['x']), () => {}], [inner.port1]))
  inner.port1.postMessage('still here')
  equal((await t.receive(inner.port2)).data, 'still here')
  port1.postMessage('next')
  equal((await t.receive(port2)).data, 'next')
})

test('Blob', 'messages keep their order around it', async (t) => {
  const { port1, port2 } = t.channel()
  const heard = t.watch(port2)
  port1.postMessage('before')
  port1.postMessage(new Blob([pattern(2_000_000)]))
  port1.postMessage('between')
  port1.postMessage({ blob: new Blob(['small']) })
  port1.postMessage(new Blob())
  port1.postMessage(new Uint8Array(300_000))
  port1.postMessage('after')
  const [before, large, between, small, empty, bytes, after] = await heard.until(7)
  list([before, between, after], ['before', 'between', 'after'])
  equal(large.size, 2_000_000)
  equal(await blobText(small.blob), 'small')
  equal(empty.size, 0)
  equal(bytes.length, 300_000)
})

test('Blob', 'both ways at once', async (t) => {
  const { port1, port2 } = t.channel()
  const [one, two] = [t.watch(port1), t.watch(port2)]
  for (let i = 0; i < 5; i++) {
    port1.postMessage(new Blob([`to two ${i}`]))
    port2.postMessage(new Blob([`to one ${i}`]))
  }
  list(await Promise.all((await two.until(5)).map(blobText)), [0, 1, 2, 3, 4].map((i) => `to two ${i}`))
  list(await Promise.all((await one.until(5)).map(blobText)), [0, 1, 2, 3, 4].map((i) => `to one ${i}`))
})

test('Blob', 'a port closed right after it', async (t) => {
  const { port1, port2 } = t.channel()
  const heard = t.watch(port2)
  port1.postMessage(new Blob(['last']))
  port1.postMessage('words')
  port1.close()
  const [blob, words, close] = await heard.until(3)
  equal(await blobText(blob), 'last')
  list([words, close], ['words', 'close closed'])
})

test('Blob', 'a port transferred right after it', async (t) => {
  const { port1, port2 } = t.channel()
  const carrier = t.channel()
  const heard = t.watch(port2)
  port1.postMessage(new Blob(['waits']))
  port1.postMessage('behind')
  carrier.port1.postMessage('take it', [port1])
  carrier.port1.postMessage('and go on')
  const carried = await t.receive(carrier.port2)
  const next = t.next(carrier.port2)
  carried.ports[0].postMessage('from its new place')
  const [blob, behind, later] = await heard.until(3)
  equal(await blobText(blob), 'waits')
  list([behind, later], ['behind', 'from its new place'])
  equal((await next).data, 'and go on')
})

test('Blob', 'a port transferred inside a message that waits, through several', async (t) => {
  const [one, two, three] = [t.channel(), t.channel(), t.channel()]
  const heard = t.watch(three.port2)
  three.port1.postMessage(new Blob(['innermost']))
  two.port1.postMessage([new Blob(['inner'])], [three.port1])
  one.port1.postMessage(new Blob(['outer']), [two.port1])
  one.port1.close()
  const outer = await t.receive(one.port2)
  equal(await blobText(outer.data), 'outer')
  outer.ports[0].close()
  const inner = await t.receive(two.port2)
  equal(await blobText(inner.data[0]), 'inner')
  inner.ports[0].postMessage('end')
  const [blob, end] = await heard.until(2)
  equal(await blobText(blob), 'innermost')
  equal(end, 'end')
})

test('Blob', 'its receiver closes before it has come', async (t) => {
  const { port1, port2 } = t.channel()
  const inner = t.channel()
  port2.start()
  const closed = t.next(inner.port1, 'close')
  const gone = t.next(port1, 'close')
  port1.start()
  port1.postMessage(new Blob([pattern(1_000_000)]), [inner.port2])
  port2.close()
  equal((await gone).reason, 'closed')
  equal((await closed).reason, 'dropped')
  port1.postMessage(new Blob(['nobody gets it']))
})

test('Blob', 'what a page has made of the prototypes does not matter', async (t) => {
  const { port1, port2 } = t.channel()
  const broken = () => {
    throw new Error('a trap')
  }
  const spoil = (object, name, value) => {
    const had = Object.getOwnPropertyDescriptor(object, name)
    if (had === undefined) return
    Object.defineProperty(object, name, { ...value, configurable: true })
    t.cleanup(() => Object.defineProperty(object, name, had))
  }
  const text = Blob.prototype.text
  for (const name of ['size', 'type']) spoil(Blob.prototype, name, { get: broken })
  for (const name of ['slice', 'arrayBuffer', 'stream', 'bytes']) spoil(Blob.prototype, name, { value: broken })
  for (const name of ['name', 'lastModified']) spoil(File.prototype, name, { get: broken })
  if (typeof FileReader === 'function') {
    spoil(FileReader.prototype, 'readAsArrayBuffer', { value: broken })
    spoil(FileReader.prototype, 'result', { get: broken })
    spoil(FileReader.prototype, 'onload', { set: broken })
  }
  if (typeof FileReaderSync === 'function') spoil(FileReaderSync.prototype, 'readAsArrayBuffer', { value: broken })
  const iterator = Array.prototype[Symbol.iterator]
  const received = t.receive(port2)
  const sent = new File(['whole'], 'n')
  spoil(Array.prototype, Symbol.iterator, { value: broken })
  port1.postMessage(sent)
  const { data } = await received
  Object.defineProperty(Array.prototype, Symbol.iterator, { value: iterator, writable: true, configurable: true })
  equal(await text.call(data), 'whole')
})

test('File', 'arrives as one, with name and date', async (t) => {
  const { port1, port2 } = t.channel()
  const sent = new File(['content'], 'gr\u00fcn \u65e5 \u{1f600}.txt', { type: 'text/plain', lastModified: 1234567890123 })
  port1.postMessage([sent, new File([], '', { lastModified: -5 }), sent])
  const [file, other, again] = (await t.receive(port2)).data
  equal(Object.getPrototypeOf(file), File.prototype)
  equal(file.name, sent.name)
  equal(file.type, 'text/plain')
  equal(file.lastModified, 1234567890123)
  equal(await blobText(file), 'content')
  equal(other.name, '')
  equal(other.lastModified, -5)
  equal(again, file)
})

test('File', 'objects that look like one', async (t) => {
  const { port1, port2 } = t.channel()
  class Special extends File {}
  const special = new Special(['x'], 'special')
  special.extra = 1
  port1.postMessage([special, Object.create(File.prototype), Object.setPrototypeOf(new Blob(['y']), File.prototype)])
  const [first, second, third] = (await t.receive(port2)).data
  equal(Object.getPrototypeOf(first), File.prototype)
  equal(first.extra, undefined)
  equal(Object.getPrototypeOf(second), Object.prototype)
  equal(Object.getPrototypeOf(third), Blob.prototype)
  equal(await blobText(third), 'y')
})

/** A list as a user's choice gives it. */
const filesOf = (...files) => {
  const transfer = new DataTransfer()
  for (const file of files) transfer.items.add(file)
  return transfer.files
}

test(
  'FileList',
  'arrives as one',
  async (t) => {
    const { port1, port2 } = t.channel()
    const files = filesOf(new File(['one'], '1', { lastModified: 1 }), new File(['three'], '2', { type: 'a/b', lastModified: 2 }))
    const input = document.createElement('input')
    input.type = 'file'
    port1.postMessage({ files, again: files, empty: input.files, after: '\u65e5' })
    const { data } = await t.receive(port2)
    equal(Object.getPrototypeOf(data.files), FileList.prototype)
    ok(data.files !== files, 'the same object')
    equal(data.again, data.files)
    list(Array.from(data.files, (file) => `${file.name} ${file.type} ${file.lastModified}`), ['1  1', '2 a/b 2'])
    list(await Promise.all(Array.from(data.files, blobText)), ['one', 'three'])
    equal(Object.getPrototypeOf(data.empty), FileList.prototype)
    equal(data.empty.length, 0)
    equal(data.after, '\u65e5')
  },
  { needs: ['window'] },
)

test(
  'FileList',
  'in a worker it is an array',
  async (t) => {
    const worker = new Worker(
      URL.createObjectURL(new Blob(['onmessage = ({ ports: [port] }) => { port.onmessage = ({ data }) => port.postMessage([Array.isArray(data), data[0]]) }'])),
    )
    t.cleanup(() => worker.terminate())
    const { port1, port2 } = t.channel()
    worker.postMessage(0, [port2])
    port1.postMessage(filesOf(new File(['x'], 'name')))
    const [isArray, file] = (await t.receive(port1)).data
    equal(isArray, true)
    equal(file.name, 'name')
  },
  { needs: ['worker'] },
)

test(
  'Blob',
  'a port that goes through window.postMessage right after it',
  async (t) => {
    const { port1, port2 } = t.channel()
    const heard = t.watch(port2)
    const arrived = t.next(window)
    port1.postMessage(new Blob(['first']))
    window.postMessage('here', '*', [port1])
    const [port] = (await arrived).ports
    port.postMessage('second')
    port.close()
    const [blob, second, close] = await heard.until(3)
    equal(await blobText(blob), 'first')
    list([second, close], ['second', 'close closed'])
  },
  { needs: ['window'] },
)

test('Blob', 'a port that structuredClone moves right after it', async (t) => {
  const { port1, port2 } = t.channel()
  const heard = t.watch(port2)
  port1.postMessage(new Blob(['first']))
  const port = structuredClone(port1, { transfer: [port1] })
  port.postMessage('second')
  const [blob, second] = await heard.until(2)
  equal(await blobText(blob), 'first')
  equal(second, 'second')
  port.close()
})

test(
  'Blob',
  'to a worker and back',
  async (t) => {
    const script = `onmessage = ({ ports: [port] }) => {
      port.onmessage = async ({ data }) => {
        const text = await data.text()
        port.postMessage({ text, again: data, file: new File([text, data], 'made', { lastModified: 7 }) })
        port.postMessage('behind')
      }
    }`
    const worker = new Worker(URL.createObjectURL(new Blob([script])))
    t.cleanup(() => worker.terminate())
    const { port1, port2 } = t.channel()
    port1.postMessage(new Blob(['waits'], { type: 'a/b' }))
    worker.postMessage(0, [port2])
    const heard = t.watch(port1)
    const [{ text, again, file }, behind] = await heard.until(2)
    equal(text, 'waits')
    equal(again.type, 'a/b')
    equal(await blobText(again), 'waits')
    equal(file.name, 'made')
    equal(file.lastModified, 7)
    equal(await blobText(file), 'waitswaits')
    equal(behind, 'behind')
  },
  { needs: ['worker'] },
)

test(
  'Blob',
  'a frame that is removed right after it',
  async (t) => {
    const frame = await t.frame('<p>')
    const { port1, port2 } = t.channel()
    const arrived = t.next(frame.contentWindow)
    frame.contentWindow.postMessage(0, '*', [port1])
    const [port] = (await arrived).ports
    const heard = t.watch(port2)
    port.postMessage('before')
    port.postMessage(new Blob([pattern(5_000_000)]))
    port.postMessage('behind')
    frame.remove()
    while (!(await heard.until(heard.log.length + 1)).some((what) => typeof what === 'string' && what.startsWith('close')));
    const told = heard.log.map((what) => (what instanceof Blob ? 'messageerror' : what))
    list(told, ['before', 'messageerror', 'behind', 'close unloaded'])
  },
  { needs: ['same-origin', 'own-frames'] },
)
