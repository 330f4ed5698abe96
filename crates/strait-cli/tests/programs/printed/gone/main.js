// What is left of a window: every call on it, or on its page, throws at once. A message to a page whose process died does not.
const { app, BrowserWindow, ipcMain, MessageChannelMain, webContents } = require('electron')
const failure = (operation) => { try { operation(); return 'nothing' } catch (error) { return `${error.name}: ${error.message}` } }
const once = (emitter, name) => new Promise((resolve) => emitter.once(name, (...args) => resolve(args)))

app.on('web-contents-created', (event, contents) => console.log('created', contents === webContents.fromId(contents.id), typeof event.preventDefault))
app.on('browser-window-created', (event, window) => console.log('created', window === BrowserWindow.fromId(window.id), window.webContents.getType()))
app.on('window-all-closed', () => {})

app.whenReady().then(async () => {
  const window = new BrowserWindow({ show: false })
  const contents = window.webContents
  console.log('loading', contents.isLoading())
  const loaded = window.loadURL('data:text/html,<p>')
  console.log('loading', contents.isLoading(), contents.isLoadingMainFrame())
  const stopped = once(contents, 'did-stop-loading')
  await Promise.all([loaded, stopped])
  console.log('loading', contents.isLoading())
  await window.loadURL('data:text/html,<p>#fragment')
  console.log('loading', contents.isLoading())

  // What stands for something of the host is no value, and neither is a Proxy.
  for (const value of [app, ipcMain, contents.ipc, window, contents, contents.mainFrame, require('electron'), new Proxy({ a: 1 }, {}), new Proxy([1], {})]) {
    console.log(failure(() => contents.send('c', value)), failure(() => contents.postMessage('c', { value })))
  }

  const { port1, port2 } = new MessageChannelMain()
  const gone = once(contents, 'render-process-gone')
  process.kill(contents.getOSProcessId(), 'SIGKILL')
  await gone
  console.log('send', failure(() => contents.send('c', 1)), failure(() => contents.mainFrame.send('c', 1)))
  console.log('send', failure(() => contents.send(1)), failure(() => contents.send('c', () => {})))
  console.log('post', failure(() => contents.postMessage('c', 1, [port1])))
  console.log(contents.isCrashed(), contents.isDestroyed())

  window.on('closed', () => console.log('closed', window.isDestroyed(), BrowserWindow.getAllWindows().length, failure(() => window.getTitle())))
  const closed = once(window, 'closed')
  window.destroy()
  await closed
  const frame = contents.mainFrame
  const calls = {
    window: ['loadURL', 'loadFile', 'reload', 'close', 'show', 'hide', 'focus', 'isVisible', 'isFocused', 'setTitle', 'getTitle', 'setSize', 'getSize', 'getContentSize'],
    contents: ['loadURL', 'loadFile', 'reload', 'reloadIgnoringCache', 'stop', 'send', 'postMessage', 'sendToFrame', 'executeJavaScript', 'executeJavaScriptInIsolatedWorld',
      'isLoading', 'isLoadingMainFrame', 'isCrashed', 'getURL', 'getTitle', 'getOSProcessId', 'close', 'focus']
  }
  for (const [of, names] of Object.entries(calls)) {
    const object = { window, contents }[of]
    const others = names.filter((name) => failure(() => object[name]('x', 'y', [port1])) !== 'TypeError: Object has been destroyed')
    console.log(of, names.length, others)
  }
  console.log(failure(() => window.destroy()), window.isDestroyed(), contents.isDestroyed(), typeof window.id, typeof contents.id)
  console.log(failure(() => frame.send('c', 1)), failure(() => frame.postMessage('c', 1, [port1])))
  port2.on('message', ({ data }) => { console.log(data); app.quit() })
  port2.start()
  port1.postMessage('the port was not taken')
})
