// Nothing that a page sends may end the program: channels with names that mean something to an EventEmitter, and values at the limits.
const { app, BrowserWindow, ipcMain, MessageChannelMain } = require('electron')
const once = (channel) => new Promise((resolve) => ipcMain.once(channel, (event, ...args) => resolve(args)))
const nested = (depth) => { let value = 'inmost'; while (depth-- > 0) value = depth % 2 ? [value] : { value }; return value }
const depthOf = (value) => { let depth = 0; while (typeof value === 'object') { value = value[0] ?? value.value; depth++ } return depth }

app.whenReady().then(async () => {
  const window = new BrowserWindow({ show: false, webPreferences: { nodeIntegration: true } })
  const contents = window.webContents
  ipcMain.removeAllListeners()
  contents.ipc.removeAllListeners()
  contents.mainFrame.ipc.removeAllListeners()
  const loaded = once('sent')
  window.loadFile('page.html')
  console.log('sync', await loaded)
  ipcMain.on('error', (event, text) => console.log('heard', text))
  const heard = once('sent')
  contents.send('again')
  await heard

  // As deep as may be, both ways, and one level more: refused here, and nothing is taken.
  const deep = once('deep')
  contents.send('deep', nested(1999))
  console.log('echo', depthOf((await deep)[0]), (await once('refused'))[0])
  const { port1, port2 } = new MessageChannelMain()
  for (const depth of [2001, 4000, 100000]) {
    try { contents.postMessage('deep', nested(depth), [port1]) } catch (error) { console.log(depth, error.message) }
  }
  // With no stack left: the post fails, and nothing is taken.
  const other = new MessageChannelMain()
  const counts = { refused: 0, sent: 0 }
  const dive = () => {
    try { dive() } catch {}
    if (counts.sent > 0) return
    try {
      port1.postMessage({ deep: [new Map([[1, new Set([2])]])] }, [other.port1])
      counts.sent++
    } catch (error) {
      if (error.message !== 'An object could not be cloned.' && !(error instanceof RangeError)) throw error
      counts.refused++
    }
  }
  dive()
  port2.once('message', ({ data, ports }) => {
    console.log('sent', counts.sent, counts.refused > 0, data, ports.length)
    app.quit()
  })
  port2.start()
})
