// Keeps the pictures. Whoever opens it gets what is there and then what comes.
const pictures = new Map()
let twice = 0
const readers = new Set()

const open = (port) => {
  readers.add(port)
  for (const picture of pictures.values()) port.postMessage({ picture })
  port.on('message', ({ data: { put, ask } }) => {
    if (ask === 'report') return port.postMessage({ report: { pictures: pictures.size, twice } })
    if (pictures.has(put.number)) twice += 1
    pictures.set(put.number, put)
    for (const reader of readers) reader.postMessage({ picture: put })
  })
  port.on('close', () => readers.delete(port))
  port.start()
}

process.parentPort.on('message', ({ ports: [port] }) => open(port))
