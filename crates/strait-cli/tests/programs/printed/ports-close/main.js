// When ports close, who hears of it, after what, and why.
const { MessageChannelMain } = require('electron')

const steps = []
const step = (name, run) => steps.push({ name, run })
// A port that was not started is held by whoever uses it: here, by a global, because nothing else refers to this file's variables either.
const held = globalThis.held = new Set()
const next = (port, event) => {
  held.add(port)
  return new Promise((resolve) => port.once(event, resolve)).finally(() => held.delete(port))
}
// A machine that is busy may let the time pass without a turn of the loop, so there are some more.
const later = async (ms) => {
  await new Promise((resolve) => setTimeout(resolve, ms))
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
}

step('close comes on both ends, after the messages, once', async (say) => {
  const { port1, port2 } = new MessageChannelMain()
  port1.on('close', ({ reason }) => say(`port1 close ${reason}`))
  port2.on('message', ({ data }) => say(`port2 ${data}`))
  port2.on('close', ({ reason }) => say(`port2 close ${reason}`))
  port1.postMessage('one')
  port1.postMessage('two')
  port1.close()
  port1.close()
  say('closed')
  port2.start()
  await later(20)
  port2.close()
})

step('without start the close comes at once if nothing waits', async (say) => {
  const { port1, port2 } = new MessageChannelMain()
  const closed = next(port2, 'close')
  port1.close()
  say((await closed).reason)
})

step('without start it waits behind the messages', async (say) => {
  const { port1, port2 } = new MessageChannelMain()
  port2.on('message', ({ data }) => say(data))
  port2.on('close', ({ reason }) => say(reason))
  port1.postMessage('first')
  port1.close()
  await later(20)
  say('start')
  port2.start()
  await later(20)
})

step('a listener does not start a port', async (say) => {
  const { port1, port2 } = new MessageChannelMain()
  port2.on('message', ({ data }) => say(data))
  port1.postMessage('queued')
  await later(20)
  say('starting')
  port2.start()
  port2.start()
  await later(20)
  port1.close()
})

step('posts after the other end closed go nowhere', async (say) => {
  const { port1, port2 } = new MessageChannelMain()
  port2.close()
  await next(port1, 'close')
  const { port1: passenger, port2: waiting } = new MessageChannelMain()
  port1.postMessage('into the void', [])
  say('posted')
  passenger.close()
  await next(waiting, 'close')
})

step('what waits at the closing end is let go, with its ports', async (say) => {
  const { port1, port2 } = new MessageChannelMain()
  const { port1: passenger, port2: waiting } = new MessageChannelMain()
  port1.postMessage('never read', [passenger])
  const closed = next(waiting, 'close')
  port2.close()
  say((await closed).reason)
})

step('a dropped port closes', async (say) => {
  const { port1 } = new MessageChannelMain()
  say((await next(port1, 'close')).reason)
})

step('a dropped port in a cycle closes', async (say) => {
  const { port1 } = (() => {
    const channel = new MessageChannelMain()
    const { port2 } = channel
    port2.on('message', () => port2.postMessage('I keep myself'))
    return { port1: channel.port1 }
  })()
  say((await next(port1, 'close')).reason)
})

step('a started port lives without a reference', async (say) => {
  const { port1 } = (() => {
    const { port1, port2 } = new MessageChannelMain()
    port2.on('message', ({ data }) => port2.postMessage(data + 1))
    port2.start()
    return { port1 }
  })()
  await later(1500)
  const answer = next(port1, 'message')
  port1.start()
  port1.postMessage(41)
  say((await answer).data)
  port1.close()
})

step('a port that nobody takes from its message closes', async (say) => {
  const { port1, port2 } = new MessageChannelMain()
  const { port1: passenger, port2: waiting } = new MessageChannelMain()
  port2.on('message', () => say('not taken'))
  port2.start()
  port1.postMessage('for you', [passenger])
  say((await next(waiting, 'close')).reason)
  port1.close()
})

step('a port in a message to a channel without listeners closes', async (say) => {
  const { port1, port2 } = new MessageChannelMain()
  const { port1: passenger, port2: waiting } = new MessageChannelMain()
  port2.start()
  port1.postMessage('for nobody', [passenger])
  say((await next(waiting, 'close')).reason)
  port1.close()
})

step('transferring is no close', async (say) => {
  const { port1, port2 } = new MessageChannelMain()
  const { port1: passenger, port2: waiting } = new MessageChannelMain()
  passenger.on('close', () => say('wrong: the transferred end'))
  waiting.on('close', ({ reason }) => say(`far end ${reason}`))
  port1.postMessage('', [passenger])
  const [arrived] = (await (port2.start(), next(port2, 'message'))).ports
  await later(20)
  passenger.close()
  passenger.postMessage('neutered')
  await later(20)
  say('now')
  arrived.close()
  await later(20)
  port1.close()
})

;(async () => {
  for (const { name, run } of steps) {
    const said = []
    await run((text) => said.push(text))
    console.log(`${name}: ${said.join(', ')}`)
  }
  process.exit()
})()
