// What postMessage says of bad values and lists, in which order, and that a failed post takes nothing.
const { MessageChannelMain } = require('electron')

const check = (name, post) => {
  const { port1, port2 } = new MessageChannelMain()
  const other = new MessageChannelMain()
  const gone = new MessageChannelMain()
  gone.port1.close()
  const sent = new MessageChannelMain()
  port1.postMessage('takes one', [sent.port1])
  const buffer = new ArrayBuffer(8)
  let said = 'nothing'
  try { post(port1, { port: other.port1, other: other.port2, closed: gone.port1, sent: sent.port1, buffer }) } catch (error) { said = `${error.name}: ${error.message}` }
  console.log(`${name}: ${said}`)
  // Whatever was in the list still works.
  let heard = false
  other.port2.on('message', () => { heard = true })
  if (said !== 'nothing') {
    other.port2.start()
    other.port1.postMessage('still here')
    checks.push(() => { if (!heard || buffer.byteLength === 0) console.log(`${name}: took something`) })
  }
  keep.push(port1, port2, other)
}
const checks = []
const keep = []

check('no argument', (port) => port.postMessage())
check('undefined list', (port) => port.postMessage(1, undefined))
check('empty list', (port) => port.postMessage(1, []))
check('function', (port) => port.postMessage(() => {}))
check('symbol', (port) => port.postMessage(Symbol('s')))
check('promise', (port) => port.postMessage(Promise.resolve()))
check('weak map', (port) => port.postMessage({ deep: [new WeakMap()] }))
check('port in the value only', (port, { port: other }) => port.postMessage({ other }))
check('list is null', (port) => port.postMessage(1, null))
check('list is an object', (port) => port.postMessage(1, { transfer: [] }))
check('list is a port', (port, { port: other }) => port.postMessage(1, other))
check('list is a string', (port) => port.postMessage(1, 'port'))
check('null entry', (port) => port.postMessage(1, [null]))
check('undefined entry', (port) => port.postMessage(1, [undefined]))
check('hole', (port) => port.postMessage(1, [,])) // eslint-disable-line no-sparse-arrays
check('string entry', (port) => port.postMessage(1, ['port']))
check('number entry', (port) => port.postMessage(1, [7]))
check('date entry', (port, { port: other }) => port.postMessage(1, [other, new Date()]))
check('view entry', (port) => port.postMessage(1, [new Uint8Array(4)]))
check('impostor', (port, { port: other }) => port.postMessage(1, [Object.create(other)]))
check('itself', (port, { port: other }) => port.postMessage(1, [other, port]))
check('duplicate', (port, { port: other }) => port.postMessage(1, [other, other]))
check('transferred before', (port, { port: other, sent }) => port.postMessage(1, [other, sent]))
check('closed before', (port, { port: other, closed }) => port.postMessage(1, [other, closed]))
check('neutered comes before a later duplicate', (port, { port: other, sent }) => port.postMessage(1, [other, sent, other]))
check('buffer twice', (port, { buffer }) => port.postMessage(1, [buffer, buffer]))
check('value before list', (port, { port: other }) => port.postMessage(() => {}, [other, 1]))
check('invalid before itself', (port) => port.postMessage(1, [port, 1]))
check('itself before duplicate', (port, { port: other }) => port.postMessage(1, [other, other, port]))
check('getter that throws', (port, { port: other }) => port.postMessage({ get x () { throw new RangeError('from the getter') } }, [other]))

const { port1 } = new MessageChannelMain()
port1.close()
port1.postMessage(() => {}, 'no list')
port1.start()
port1.close()
console.log('a closed port says nothing')
try { new (Object.getPrototypeOf(port1).constructor)() } catch (error) { console.log(error.name, error.message) }

setTimeout(() => {
  for (const check of checks) check()
  console.log(`${checks.length} failed posts checked`)
  process.exit()
}, 50)
