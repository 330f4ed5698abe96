process.parentPort.once('message', ({ ports: [port] }) => {
  port.on('message', ({ data, ports }) => port.postMessage(data, ports))
  port.start()
})
