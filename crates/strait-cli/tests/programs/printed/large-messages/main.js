// Large messages, which cross part by part: to a port of this process, to a page, and to a child.
const { app, BrowserWindow, MessageChannelMain, utilityProcess } = require('electron')
const path = require('path')

const next = (port) => new Promise((resolve) => port.once('message', resolve))
const pattern = (size, step = 1) => {
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++) bytes[i] = i * step
  return bytes
}
const same = (one, other) => Buffer.compare(Buffer.from(one.buffer ?? one), Buffer.from(other.buffer ?? other)) === 0

async function through (name, port) {
  const echo = async (value, transfer) => {
    port.postMessage(value, transfer)
    return next(port)
  }
  for (const size of [65_530, 65_535, 65_536, 65_537, 131_072, 1 << 20, (3 << 20) + 1]) {
    const { data } = await echo(pattern(size))
    console.log(name, size, data.length, same(data, pattern(size)))
  }
  const two = await echo({ first: pattern(100_000), text: 'between', second: pattern(200_000, 3), last: 1 })
  console.log(name, 'two', same(two.data.first, pattern(100_000)), two.data.text, same(two.data.second, pattern(200_000, 3)), two.data.last)
  const heap = pattern(300_000)
  const shown = await echo([pattern(70_000), heap.subarray(100, 110), pattern(70_000, 7), heap, 'end'])
  const [before, part, after, whole, end] = shown.data
  console.log(name, 'a part, then the whole', same(before, pattern(70_000)), part.join(), same(after, pattern(70_000, 7)), same(whole, heap), part.buffer === whole.buffer, end)
  const ascii = 'abcdefgh'.repeat(50_000)
  const cyrillic = 'привет, '.repeat(50_000)
  const texts = await echo({ ascii, bytes: pattern(80_000), cyrillic })
  console.log(name, 'texts', texts.data.ascii === ascii, same(texts.data.bytes, pattern(80_000)), texts.data.cyrillic === cyrillic)
  const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, name: `row ${id}` }))
  console.log(name, 'rows', JSON.stringify((await echo(rows)).data) === JSON.stringify(rows))
  const transferred = pattern(500_000)
  const moved = await echo({ transferred }, [transferred.buffer])
  console.log(name, 'transferred', transferred.length, same(moved.data.transferred, pattern(500_000)))

  const { port1, port2 } = new MessageChannelMain()
  const carried = await echo({ bytes: pattern(100_000), port: port2 }, [port2])
  carried.ports[0].start()
  port1.postMessage('by the port that went along')
  console.log(name, (await next(carried.ports[0])).data, carried.data.port === carried.ports[0])
  port1.close()

  // A getter posts a large message while another is being written.
  port.postMessage({ a: pattern(90_000), get b () { port.postMessage(pattern(70_000, 5)); return 'outer' }, c: pattern(80_000) })
  const inner = await next(port)
  const outer = await next(port)
  console.log(name, 'nested', same(inner.data, pattern(70_000, 5)), same(outer.data.a, pattern(90_000)), outer.data.b, same(outer.data.c, pattern(80_000)))

  for (const value of [{ bytes: pattern(90_000), get fails () { throw new Error('the getter') } }, [pattern(90_000), () => {}]]) {
    try {
      port.postMessage(value)
    } catch (error) {
      console.log(name, 'fails:', error.message)
    }
  }
  try {
    port.postMessage(pattern(90_000), [port])
  } catch (error) {
    console.log(name, 'fails:', error.message)
  }
  console.log(name, 'goes on', (await echo('small')).data)
}

async function main () {
  const own = new MessageChannelMain()
  own.port2.on('message', ({ data, ports }) => own.port2.postMessage(data, ports))
  own.port2.start()
  own.port1.start()
  await through('own', own.port1)

  // The port closes while its message is being written.
  const closing = new MessageChannelMain()
  closing.port1.postMessage([pattern(70_000), { get closes () { closing.port1.close(); return 1 } }, pattern(900_000)])
  console.log('closed while written')

  const child = utilityProcess.fork(path.join(__dirname, 'child.js'))
  const toChild = new MessageChannelMain()
  child.postMessage('', [toChild.port2])
  toChild.port1.start()
  await through('child', toChild.port1)
  child.kill()

  await app.whenReady()
  const window = new BrowserWindow({ show: false, webPreferences: { contextIsolation: false, preload: path.join(__dirname, 'preload.js') } })
  await window.loadFile('page.html')
  const toPage = new MessageChannelMain()
  window.webContents.postMessage('port', '', [toPage.port2])
  toPage.port1.start()
  await through('page', toPage.port1)
  app.exit()
}
main()
