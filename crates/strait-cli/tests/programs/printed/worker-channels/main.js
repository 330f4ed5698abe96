// require('electron') in a worker thread: channels, and what reaches the main thread.
const { MessagePortMain } = require('electron')
const { Worker } = require('worker_threads')
const path = require('path')

const worker = new Worker(path.join(__dirname, 'worker.mjs'))
worker.on('message', (message) => {
  if (typeof message === 'string') console.log('worker:', message)
  else {
    const port = MessagePortMain.from(message)
    port.on('message', ({ data }) => {
      console.log('main:', data)
      if (data === 'from the worker') port.postMessage('from main')
    })
    port.on('close', ({ reason }) => {
      console.log('main: close', reason)
      process.exit()
    })
    port.start()
  }
})
