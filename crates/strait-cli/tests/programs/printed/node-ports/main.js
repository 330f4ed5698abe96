// Ends of channels as MessagePorts of Node's, in this thread and in a worker thread, and back.
const { MessageChannelMain, MessagePortMain } = require('electron')
const { Worker, MessageChannel } = require('worker_threads')
const { once } = require('events')
const path = require('path')

const next = async (port) => (await once(port, 'message'))[0]
const error = (run) => { try { run(); return 'nothing' } catch (error) { return `${error.name}: ${error.message}` } }
const worker = () => new Worker(path.join(__dirname, 'worker.js'))

async function main () {
  const { port1, port2 } = new MessageChannelMain()
  port1.postMessage('before')
  const node = port2.toMessagePort()
  console.log('neutered', error(() => port2.toMessagePort()))
  port2.postMessage('into the void')
  port1.start()

  // Order, and values of every kind.
  const first = worker()
  first.postMessage(node, [node])
  const got = []
  const all = new Promise((resolve) => port1.on('message', ({ data }) => {
    got.push(data)
    if (data === 999) resolve()
  }))
  for (let i = 0; i < 1000; i++) port1.postMessage(i)
  await all
  port1.removeAllListeners('message')
  console.log('in order', got[0], got.slice(1).every((value, index) => value === index), got.length)
  const shared = { x: 1 }
  port1.postMessage({ map: new Map([[1, shared]]), shared, bytes: new Uint8Array([1, 2, 3]), date: new Date(0), error: new RangeError('far') })
  const { data } = await next(port1)
  console.log('values', data.map.get(1) === data.shared, data.bytes, data.date.getTime(), data.error instanceof RangeError, data.error.message)

  // Ports inside messages, in both directions, and through both.
  const inner = new MessageChannelMain()
  inner.port1.start()
  port1.postMessage({ keep: inner.port2 }, [inner.port2])
  console.log('from an inner port', (await next(inner.port1)).data)
  inner.port1.postMessage('echo')
  console.log('and back', (await next(inner.port1)).data)
  port1.postMessage({ give: 'a port' })
  const given = await next(port1)
  const [made] = given.ports
  console.log('a port of the worker', given.data.made === made, made.constructor === MessagePortMain)
  made.start()
  made.postMessage('hello')
  console.log('it says', (await next(made)).data)

  // Closes.
  const madeCloses = once(made, 'close')
  const innerCloses = once(inner.port1, 'close')
  port1.postMessage({ close: true })
  console.log('closed by the worker', (await once(port1, 'close'))[0].reason)
  await first.terminate()
  console.log('ended with the worker', (await madeCloses)[0].reason, (await innerCloses)[0].reason)

  const second = worker()
  const other = new MessageChannelMain()
  const theirs = other.port2.toMessagePort()
  second.postMessage(theirs, [theirs])
  other.port1.close()
  console.log('the worker sees', (await once(second, 'message'))[0])
  await second.terminate()

  // A port of Node's becomes an end.
  const channel = new MessageChannel()
  const end = MessagePortMain.from(channel.port1)
  end.start()
  channel.port2.postMessage({ number: 7, buffer: new ArrayBuffer(2) })
  const { number, buffer } = (await next(end)).data
  console.log('from Node', number, buffer.byteLength)
  end.postMessage('to Node')
  console.log('answered', await new Promise((resolve) => channel.port2.once('message', resolve)))
  channel.port2.postMessage('last')
  channel.port2.close()
  console.log((await next(end)).data, (await once(end, 'close'))[0].reason)
  console.log(error(() => MessagePortMain.from({})))
  process.exit()
}
main()
