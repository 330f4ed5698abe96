// Errors that the program asked to hear of do not end it.
process.on('uncaughtException', (error, origin) => console.log('caught', error.message, origin))
process.on('unhandledRejection', (reason, promise) => console.log('rejected', reason.message, promise instanceof Promise))
// One after another: which of several is due first would depend on how long this file takes.
setImmediate(() => {
  setTimeout(() => {
    port2.postMessage(1)
    throw new Error('timer')
  }, 10)
  throw new Error('immediate')
})
queueMicrotask(() => { throw new Error('microtask') })
process.nextTick(() => { throw new Error('tick') })
Promise.reject(new Error('promise'))
const late = Promise.reject(new Error('handled in time'))
Promise.resolve().then(() => late.catch(() => {}))
const { MessageChannelMain } = require('electron')
const { port1, port2 } = new MessageChannelMain()
port1.on('message', () => {
  setTimeout(() => { console.log('still running'); process.exit(5) }, 10)
  throw new Error('port')
})
port1.start()
throw new Error('main')
