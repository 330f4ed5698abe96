// Everything a page and main can say to each other, on a real window.
const { app, BrowserWindow, ipcMain, MessageChannelMain } = require('electron')

const said = (text) => console.log(text)
const next = (channel) => new Promise((resolve) => ipcMain.once(channel, (event, ...args) => resolve({ event, args })))
const error = (operation) => { try { return operation() ?? 'nothing' } catch (error) { return `${error.name}: ${error.message}` } }

ipcMain.handle('add', (event, a, b) => a + b)
ipcMain.handle('later', async (event, value) => { await null; return { value, map: new Map([['k', 1n]]) } })
ipcMain.handle('throws', () => { throw new RangeError('from the handler') })
ipcMain.handle('uncloneable', () => () => {})
ipcMain.handle('never', () => new Promise(() => {}))
ipcMain.handleOnce('once', () => 'only once')
said(error(() => ipcMain.handle('add', () => {})))
said(error(() => ipcMain.handle('other', 7)))
said(error(() => ipcMain.handleOnce('other')))

ipcMain.on('sync', (event, a) => { event.returnValue = a * 2; event.returnValue = 'too late' })
ipcMain.on('sync-undefined', (event) => { event.returnValue = undefined })
ipcMain.on('sync-unanswered', () => {})

app.whenReady().then(async () => {
  const window = new BrowserWindow({ show: false, webPreferences: { nodeIntegration: true } })
  const contents = window.webContents

  const reports = []
  ipcMain.on('report', (event, text) => { said(text); reports.push(text) })

  contents.ipc.on('order', () => said('order: contents'))
  contents.mainFrame.ipc.on('order', () => said('order: frame'))
  ipcMain.on('order', () => said('order: main'))
  contents.mainFrame.ipc.handle('who', () => 'frame')
  contents.ipc.handle('who', () => 'contents')
  ipcMain.handle('who', () => 'main')

  const ready = next('ready')
  // Before the page exists: it waits for it.
  window.loadFile('page.html')
  contents.send('early', 'sent before the page was there')
  const { event, args } = await ready
  said(`ready: ${JSON.stringify(args)} ${event.sender === contents} ${event.senderFrame === contents.mainFrame} ${event.frameId === contents.mainFrame.routingId} ${event.processId > 0} ${event.ports.length}`)
  event.reply('replied', 'to the sender')
  await next('done')
  contents.ipc.removeHandler('who')
  contents.mainFrame.ipc.removeHandler('who')
  said(`who is left: ${await contents.executeJavaScript("ipcRenderer.invoke('who')")}`)

  // Ports from the page and to the page.
  const posted = next('port')
  contents.send('post-a-port')
  const { event: { ports: [port] }, args: [message] } = await posted
  said(`post: ${message.note}`)
  port.on('message', ({ data }) => said(`port: ${data}`))
  port.start()
  port.postMessage(20)
  await new Promise((resolve) => port.once('close', resolve))
  const { port1, port2 } = new MessageChannelMain()
  const buffer = new Uint8Array([1, 2, 3]).buffer
  contents.postMessage('take', { buffer }, [port1, buffer])
  said(`buffer is ${buffer.byteLength === 0 ? 'detached' : 'still here'}`)
  port2.start()
  const answer = await new Promise((resolve) => port2.once('message', resolve))
  said(`page: ${answer.data.sum} ${answer.ports.length}`)

  // What cannot be sent, in the words programs look for; nothing is consumed.
  const spare = new MessageChannelMain()
  const closed = new MessageChannelMain().port1
  closed.close()
  for (const target of [contents, contents.mainFrame]) {
    for (const args of [[], ['c'], [7, 1], ['c', () => {}], ['c', 1, 'no'], ['c', 1, [null]], ['c', 1, [spare.port1, 1]], ['c', 1, [spare.port1, spare.port1]], ['c', 1, [spare.port1, closed]], ['c', { window }]]) {
      said(error(() => target.postMessage(...args)))
    }
    said(error(() => target.send()))
    said(error(() => target.send(7)))
    said(error(() => target.send('c', Symbol('s'))))
    said(error(() => target.send('c', spare.port1)))
  }
  spare.port2.start()
  spare.port1.postMessage('the spare port still works')
  said((await new Promise((resolve) => spare.port2.once('message', resolve))).data)

  // executeJavaScript
  said(await contents.executeJavaScript('[1, new Map([[2, 3n]])]'))
  said(await contents.executeJavaScript('Promise.resolve("promised")'))
  said(await contents.executeJavaScript('throw new TypeError("in the page")').catch((error) => `rejected: ${error.message}`))
  said(await contents.executeJavaScript('document.body').catch((error) => `rejected: ${error.message}`))

  const frame = contents.mainFrame
  window.destroy()
  await new Promise((resolve) => app.once('window-all-closed', resolve))
  said(error(() => frame.postMessage('c', 1, [spare.port1])))
  said(error(() => frame.send('c', 1)))
  said(error(() => frame.url))
  said(`${frame.isDestroyed()} ${contents.isDestroyed()} ${event.senderFrame}`)
  spare.port1.postMessage('and still works')
  said((await new Promise((resolve) => spare.port2.once('message', resolve))).data)
  app.quit()
})
