'use strict'
// https://www.electronjs.org/docs/latest/api/message-channel-main, message-port-main
const { MessageChannelMain, ipcMain } = require('electron')

module.exports = (test) => {
  test(['MessageChannelMain.constructor', 'MessageChannelMain.port1', 'MessageChannelMain.port2', 'MessagePortMain.postMessage', 'MessagePortMain.start', 'MessagePortMain:message'],
    'succeeds', 'the two ends of a channel hear each other, once started, in order', async (t) => {
      const { port1, port2 } = new MessageChannelMain()
      port1.postMessage('one')
      port1.postMessage({ two: [2] })
      const heard = []
      port2.on('message', ({ data, ports }) => heard.push([data, ports]))
      await new Promise((resolve) => setImmediate(resolve))
      t.deepEqual(heard, [])
      const last = t.event(port2, 'message').then(() => t.event(port2, 'message'))
      port2.start()
      await last
      t.deepEqual(heard, [['one', []], [{ two: [2] }, []]])
    })

  test('MessagePortMain.postMessage', 'succeeds', 'ports that are transferred arrive as ports of main', async (t) => {
    const { port1, port2 } = new MessageChannelMain()
    const inner = new MessageChannelMain()
    port1.postMessage('take this', [inner.port1])
    const arrived = t.event(port2, 'message')
    port2.start()
    const [{ data, ports: [port] }] = await arrived
    t.equal(data, 'take this')
    inner.port2.postMessage('through')
    const through = t.event(port, 'message')
    port.start()
    t.equal((await through)[0].data, 'through')
  })

  test('MessagePortMain.postMessage', 'fails', 'what cannot be cloned or transferred is refused, and nothing is consumed', (t) => {
    const { port1 } = new MessageChannelMain()
    const inner = new MessageChannelMain()
    t.throws(() => port1.postMessage(() => {}), /could not be cloned|An object could not be cloned/)
    t.throws(() => port1.postMessage(null, [{}]), /Port at index 0 is not a valid port/)
    t.throws(() => port1.postMessage(null, [inner.port1, inner.port1]), 'Port at index 1 is a duplicate.')
    t.throws(() => port1.postMessage(null, [port1]), /Port at index 0 contains the source port/)
    port1.postMessage('still there', [inner.port1])
    t.throws(() => port1.postMessage(null, [inner.port1]), /Port at index 0 is already neutered/)
  })

  test(['MessagePortMain.close', 'MessagePortMain:close'], 'succeeds', 'the other end hears the close after the last message, with its reason', async (t) => {
    const { port1, port2 } = new MessageChannelMain()
    const heard = []
    port2.on('message', ({ data }) => heard.push(data))
    port1.postMessage('last')
    const closed = t.event(port2, 'close')
    port1.close()
    port2.start()
    const [{ reason }] = await closed
    t.deepEqual([heard, reason], [['last'], 'closed'])
  })

  test(['MessagePortMain.close', 'MessagePortMain.start'], 'fails', 'a port that was transferred or closed does nothing more', async (t) => {
    const { port1, port2 } = new MessageChannelMain()
    const outer = new MessageChannelMain()
    outer.port1.postMessage(null, [port1])
    port1.start()
    port1.close()
    const arrived = t.event(outer.port2, 'message')
    outer.port2.start()
    const [{ ports: [port] }] = await arrived
    port2.postMessage('alive')
    const heard = t.event(port, 'message')
    port.start()
    t.equal((await heard)[0].data, 'alive')
    port.close()
    port.postMessage('into the void')
    port.close()
  })

  test('MessageChannelMain.constructor', 'fails', 'it is a class', (t) => {
    t.throws(() => MessageChannelMain(), /class constructors must be invoked with 'new'|without 'new'/)
  })

  test('MessagePortMain.postMessage', 'succeeds', 'a port that a page sends works in main', async (t) => {
    const window = await t.page()
    const arrived = t.event(ipcMain, 'port')
    t.run(window, () => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = ({ data }) => port1.postMessage(data + 1)
      require('electron').ipcRenderer.postMessage('port', null, [port2])
    })
    const [{ ports: [port] }] = await arrived
    const answer = t.event(port, 'message')
    port.start()
    port.postMessage(41)
    t.equal((await answer)[0].data, 42)
  })
}
