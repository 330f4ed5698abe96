const { parentPort, MessageChannel } = require('worker_threads')

parentPort.once('message', (port) => {
  port.on('message', (message) => {
    if (message?.keep) {
      const { keep } = message
      keep.on('message', (data) => keep.postMessage(data))
      keep.postMessage('the inner port is here')
    } else if (message?.give) {
      const { port1, port2 } = new MessageChannel()
      port1.on('message', (data) => port1.postMessage(`${data} yourself`))
      port.postMessage({ made: port2 }, [port2])
    } else if (message?.close) port.close()
    else port.postMessage(message)
  })
  port.on('close', () => parentPort.postMessage('a close'))
})
