// Knows the negatives: answers questions, and tells of new arrivals until nobody listens.
const negatives = Array.from({ length: 40 }, (_, number) => ({ number, seed: number * 7919 % 251 }))

const answers = {
  count: () => negatives.length,
  negative: (number) => negatives[number]
}

const serve = (port) => {
  port.on('message', ({ data: { id, ask, about }, ports: [arrivals] }) => {
    if (ask === 'arrivals') announce(arrivals)
    else port.postMessage({ id, answer: answers[ask](about) })
  })
  port.start()
}

/** A stream: it ends when the other end closes. */
const announce = (port) => {
  let number = 0
  const timer = setInterval(() => port.postMessage(++number), 5)
  port.on('close', ({ reason }) => {
    clearInterval(timer)
    console.log(`catalogue: nobody listens for arrivals any more (${reason})`)
  })
  port.start()
}

process.parentPort.on('message', ({ ports: [port] }) => serve(port))
