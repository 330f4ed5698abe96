'use strict'
// https://www.electronjs.org/docs/latest/api/ipc-main, ipc-renderer
const { ipcMain, MessageChannelMain } = require('electron')

/** In the page: the message of the error that a call fails with. */
const PAGE = `<script>
  const { ipcRenderer } = require('electron')
  const failure = async (action) => { try { return await action() } catch (error) { return error.name + ': ' + error.message } }
</script>`

module.exports = (test) => {
  test(['ipcMain.on', 'ipcRenderer.send'], 'succeeds', 'send brings its arguments, and who sent them', async (t) => {
    const window = await t.page({}, PAGE)
    const heard = t.event(ipcMain, 'numbers')
    t.run(window, () => { ipcRenderer.send('numbers', 1, 'two', [3, { four: 5n }], undefined, new Date(7)) })
    const [event, ...args] = await heard
    t.deepEqual(args, [1, 'two', [3, { four: 5n }], undefined, new Date(7)])
    t.equal(event.sender, window.webContents)
    t.equal(event.senderFrame, window.webContents.mainFrame)
    t.deepEqual([event.frameId, event.processId], [window.webContents.mainFrame.routingId, window.webContents.mainFrame.processId])
    t.deepEqual(event.ports, [])
  })

  test(['ipcMain.on', 'ipcMain.addListener', 'ipcMain.once', 'ipcRenderer.on', 'ipcRenderer.addListener', 'ipcRenderer.once'], 'fails',
    'a listener that is no function is refused', async (t) => {
      for (const name of ['on', 'addListener', 'once']) t.throws(() => ipcMain[name]('x', 'no function'), /must be of type function/)
      const window = await t.page({}, PAGE)
      for (const name of ['on', 'addListener', 'once']) t.ok(/function/.test(await t.run(window, (name) => failure(() => { ipcRenderer[name]('x', 'no function') }), name)))
    })

  test(['ipcRenderer.send', 'ipcRenderer.invoke', 'ipcRenderer.sendSync', 'ipcRenderer.postMessage'], 'fails', 'what cannot be cloned is refused, and nothing is sent', async (t) => {
    const window = await t.page({}, PAGE)
    const failures = await t.run(window, async () => {
      const { port1 } = new MessageChannel()
      return [
        await failure(() => ipcRenderer.send('x', () => {})),
        await failure(() => ipcRenderer.invoke('x', Symbol('s'))),
        await failure(() => ipcRenderer.sendSync('x', Promise.resolve())),
        await failure(() => ipcRenderer.send('x', document.body)),
        await failure(() => ipcRenderer.postMessage('x', () => {})),
        await failure(() => ipcRenderer.postMessage('x', null, [{}])),
        await failure(() => ipcRenderer.send('x', port1))
      ]
    })
    t.deepEqual(failures, [
      ...Array(5).fill('Error: An object could not be cloned.'),
      'TypeError: Invalid value for transfer',
      'Error: An object could not be cloned.'
    ])
  })

  test(['ipcMain.once', 'ipcMain.addListener', 'ipcMain.off', 'ipcMain.removeListener', 'ipcMain.removeAllListeners'], 'succeeds', 'listeners come and go', async (t) => {
    const window = await t.page({}, PAGE)
    const heard = []
    const one = (event, value) => heard.push(['one', value])
    const two = (event, value) => heard.push(['two', value])
    ipcMain.once('thing', (event, value) => heard.push(['once', value]))
    ipcMain.addListener('thing', one)
    ipcMain.addListener('thing', two)
    const send = async (value) => {
      const done = t.event(ipcMain, 'done')
      t.run(window, (value) => { ipcRenderer.send('thing', value); ipcRenderer.send('done') }, value)
      await done
    }
    await send(1)
    ipcMain.off('thing', one)
    await send(2)
    ipcMain.removeListener('thing', two)
    ipcMain.on('thing', one)
    ipcMain.removeAllListeners('thing')
    await send(3)
    t.deepEqual(heard, [['once', 1], ['one', 1], ['two', 1], ['two', 2]])
  })

  test(['ipcMain.off', 'ipcMain.removeListener', 'ipcMain.removeAllListeners', 'ipcMain.removeHandler'], 'fails', 'removing what is not there changes nothing', async (t) => {
    const listener = () => {}
    ipcMain.on('kept', listener)
    ipcMain.off('kept', () => {})
    ipcMain.removeListener('other', listener)
    ipcMain.removeAllListeners('other')
    ipcMain.removeHandler('other')
    t.deepEqual(ipcMain.listeners('kept'), [listener])
    t.throws(() => ipcMain.removeListener('kept', null), /must be of type function/)
    ipcMain.removeAllListeners('kept')
  })

  test(['ipcRenderer.on', 'ipcRenderer.once', 'ipcRenderer.addListener', 'ipcRenderer.off', 'ipcRenderer.removeListener', 'ipcRenderer.removeAllListeners'], 'succeeds',
    'listeners of the page come and go, and get the event first', async (t) => {
      const window = await t.page({}, PAGE)
      await t.run(window, () => {
        window.heard = []
        window.one = (event, value) => heard.push(['one', value, event.sender === ipcRenderer, event.ports.length])
        window.two = (event, value) => heard.push(['two', value])
        ipcRenderer.once('thing', (event, value) => heard.push(['once', value]))
        ipcRenderer.addListener('thing', one)
        ipcRenderer.on('thing', two)
      })
      window.webContents.send('thing', 1)
      await t.run(window, () => ipcRenderer.off('thing', one) && undefined)
      window.webContents.send('thing', 2)
      await t.run(window, () => { ipcRenderer.removeListener('thing', two); ipcRenderer.on('thing', one); ipcRenderer.removeAllListeners('thing') })
      window.webContents.send('thing', 3)
      t.deepEqual(await t.run(window, () => heard), [['once', 1], ['one', 1, true, 0], ['two', 1], ['two', 2]])
    })

  test(['ipcRenderer.off', 'ipcRenderer.removeListener', 'ipcRenderer.removeAllListeners'], 'fails', 'removing what is not there changes nothing', async (t) => {
    const window = await t.page({}, PAGE)
    const count = await t.run(window, () => {
      ipcRenderer.on('kept', () => {})
      ipcRenderer.off('kept', () => {})
      ipcRenderer.removeListener('other', () => {})
      ipcRenderer.removeAllListeners('other')
      return ipcRenderer.listenerCount('kept')
    })
    t.equal(count, 1)
  })

  test(['ipcMain.handle', 'ipcRenderer.invoke'], 'succeeds', 'invoke is answered by a value or by a promise', async (t) => {
    const window = await t.page({}, PAGE)
    t.after(() => ipcMain.removeHandler('add'))
    ipcMain.handle('add', async (event, a, b) => {
      await null
      return { sum: a + b, sender: event.sender === window.webContents }
    })
    t.deepEqual(await t.run(window, () => ipcRenderer.invoke('add', 2, 3)), { sum: 5, sender: true })
  })

  test(['ipcMain.handle', 'ipcMain.handleOnce', 'ipcRenderer.invoke'], 'fails', 'errors reach who invoked; a second handler is refused', async (t) => {
    const window = await t.page({}, PAGE)
    const invoke = (channel) => t.run(window, (channel) => failure(() => ipcRenderer.invoke(channel)), channel)
    ipcMain.handle('throws', () => { throw new TypeError('not today') })
    ipcMain.handle('uncloneable', () => () => {})
    ipcMain.handle('drops', () => new Promise(() => {}))
    t.after(() => ['throws', 'uncloneable', 'drops'].forEach((channel) => ipcMain.removeHandler(channel)))
    t.equal(await invoke('throws'), "Error: Error invoking remote method 'throws': TypeError: not today")
    t.equal(await invoke('nobody'), "Error: Error invoking remote method 'nobody': Error: No handler registered for 'nobody'")
    t.equal(await invoke('uncloneable'), "Error: Error invoking remote method 'uncloneable': Error: An object could not be cloned.")
    t.throws(() => ipcMain.handle('throws', () => {}), "Attempted to register a second handler for 'throws'")
    t.throws(() => ipcMain.handleOnce('throws', () => {}), "Attempted to register a second handler for 'throws'")
    t.throws(() => ipcMain.handle('x', 7), "Expected handler to be a function, but found type 'number'")
    t.throws(() => ipcMain.handleOnce('x', {}), "Expected handler to be a function, but found type 'object'")
  })

  test(['ipcMain.handleOnce', 'ipcMain.removeHandler'], 'succeeds', 'a handler for one call, and one that is taken away', async (t) => {
    const window = await t.page({}, PAGE)
    const invoke = () => t.run(window, () => failure(() => ipcRenderer.invoke('once')))
    ipcMain.handleOnce('once', () => 'first')
    t.equal(await invoke(), 'first')
    t.equal(await invoke(), "Error: Error invoking remote method 'once': Error: No handler registered for 'once'")
    ipcMain.handle('once', () => 'second')
    t.equal(await invoke(), 'second')
    ipcMain.removeHandler('once')
    t.equal(await invoke(), "Error: Error invoking remote method 'once': Error: No handler registered for 'once'")
  })

  test('ipcRenderer.sendSync', 'succeeds', 'sendSync waits for returnValue; the first answer counts', async (t) => {
    const window = await t.page({}, PAGE)
    t.after(() => ipcMain.removeAllListeners('double'))
    ipcMain.on('double', (event, value) => {
      event.returnValue = value * 2
      event.returnValue = 'too late'
    })
    t.equal(await t.run(window, () => ipcRenderer.sendSync('double', 21)), 42)
  })

  test('ipcRenderer.postMessage', 'succeeds', 'a message with ports', async (t) => {
    const window = await t.page({}, PAGE)
    const heard = t.event(ipcMain, 'port')
    t.run(window, () => {
      const { port1, port2 } = new MessageChannel()
      port1.postMessage('waiting')
      ipcRenderer.postMessage('port', { a: 1 }, [port2])
    })
    const [{ ports: [port] }, message] = await heard
    t.deepEqual(message, { a: 1 })
    const first = t.event(port, 'message')
    port.start()
    t.equal((await first)[0].data, 'waiting')
  })

  test([], 'succeeds', 'event.reply goes to the frame that sent', async (t) => {
    const window = await t.page({}, PAGE)
    ipcMain.once('ask', (event, value) => event.reply('answer', value + 1))
    t.equal(await t.run(window, () => new Promise((resolve) => {
      ipcRenderer.once('answer', (event, value) => resolve(value))
      ipcRenderer.send('ask', 1)
    })), 2)
  })

  test([], 'succeeds', 'a message goes to frame.ipc, then webContents.ipc, then ipcMain; the first handler of that order answers', async (t) => {
    const window = await t.page({}, PAGE)
    const { webContents } = window
    const heard = []
    t.after(() => { ipcMain.removeAllListeners('m'); ipcMain.removeHandler('h') })
    ipcMain.on('m', () => heard.push('main'))
    webContents.ipc.on('m', () => heard.push('contents'))
    webContents.mainFrame.ipc.on('m', () => heard.push('frame'))
    ipcMain.handle('h', () => 'main')
    const ask = () => t.run(window, () => { ipcRenderer.send('m'); return ipcRenderer.invoke('h') })
    t.equal(await ask(), 'main')
    webContents.ipc.handle('h', () => 'contents')
    t.equal(await ask(), 'contents')
    webContents.mainFrame.ipc.handle('h', () => 'frame')
    t.equal(await ask(), 'frame')
    t.deepEqual(heard.slice(0, 3), ['frame', 'contents', 'main'])
  })

  test([], 'succeeds', 'send, sendSync, invoke and postMessage of one frame stay in order', async (t) => {
    const window = await t.page({}, PAGE)
    const heard = []
    t.after(() => { ipcMain.removeAllListeners('m'); ipcMain.removeHandler('m') })
    ipcMain.on('m', (event, n) => { heard.push(n); event.returnValue = n })
    ipcMain.handle('m', (event, n) => { heard.push(n) })
    await t.run(window, async () => {
      const answers = []
      for (let n = 0; n < 1000; n += 4) {
        ipcRenderer.send('m', n)
        answers.push(ipcRenderer.invoke('m', n + 1))
        ipcRenderer.postMessage('m', n + 2, n % 3 === 0 ? [new MessageChannel().port1] : [])
        if (ipcRenderer.sendSync('m', n + 3) !== n + 3) throw new Error('a wrong answer')
      }
      await Promise.all(answers)
    })
    t.deepEqual(heard, Array.from({ length: 1000 }, (_, n) => n))
  })

  test([], 'fails', 'a page that is gone while its handler runs gets nothing, and nobody is hurt', async (t) => {
    const window = await t.page({}, PAGE)
    let answer
    t.after(() => ipcMain.removeHandler('slow'))
    const asked = new Promise((resolve) => ipcMain.handle('slow', () => new Promise((settle) => { answer = settle; resolve() })))
    const pending = t.rejects(t.run(window, () => ipcRenderer.invoke('slow')))
    await asked
    const closed = t.event(window, 'closed')
    window.destroy()
    await closed
    answer('too late')
    await pending
    t.equal((await t.run(await t.page({}, PAGE), () => ipcRenderer.invoke('slow').then(() => 1, () => 2).constructor === Promise)), true)
  })

  test([], 'succeeds', 'a MessageChannelMain between two pages', async (t) => {
    const text = PAGE + "<script>ipcRenderer.on('port', ({ ports: [port] }) => { window.port = port; port.onmessage = ({ data }) => window.told?.(data) })</script>"
    const [one, two] = [await t.page({}, text), await t.page({}, text)]
    const { port1, port2 } = new MessageChannelMain()
    one.webContents.postMessage('port', null, [port1])
    two.webContents.postMessage('port', null, [port2])
    const heard = t.run(two, () => new Promise((resolve) => { window.told = resolve }))
    await t.run(one, () => { port.postMessage('directly') })
    t.equal(await heard, 'directly')
  })
}
