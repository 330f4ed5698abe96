// A page's process is killed: main hears of it, its ports close, and a reload brings it back.
const { app, BrowserWindow, ipcMain } = require('electron')
const next = (channel) => new Promise((resolve) => ipcMain.once(channel, resolve))

app.whenReady().then(async () => {
  const window = new BrowserWindow({ show: false, webPreferences: { nodeIntegration: true } })
  const contents = window.webContents
  const first = next('port')
  await window.loadFile('page.html')
  const { ports: [port], senderFrame } = await first
  port.start()
  const closed = new Promise((resolve) => port.once('close', resolve))
  const gone = new Promise((resolve) => contents.once('render-process-gone', (event, details) => resolve(details)))
  const script = contents.executeJavaScript('new Promise(() => {})').catch((error) => error.message)
  const pid = contents.getOSProcessId()
  process.kill(pid, 'SIGKILL')
  console.log('port', (await closed).reason)
  const { reason, exitCode } = await gone
  console.log('gone', typeof reason, exitCode !== 0, contents.isCrashed(), contents.isDestroyed())
  console.log('script', await script)
  const again = next('port')
  contents.reload()
  const { ports: [fresh] } = await again
  console.log('back', contents.getOSProcessId() !== pid, contents.isCrashed(), contents.mainFrame === senderFrame)
  fresh.start()
  fresh.postMessage('are you there?')
  console.log(await new Promise((resolve) => fresh.once('message', ({ data }) => resolve(data))))
  app.quit()
})
