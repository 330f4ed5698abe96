// The main process: opens the window and answers its page.
const { app, BrowserWindow, ipcMain } = require('electron')

ipcMain.on('greeter', ({ ports: [port] }) => {
  port.on('message', ({ data: name }) => port.postMessage(`Hello ${name}!`))
  port.on('close', (/** @type {Strait.PortMainClose} */ { reason }) => console.log('main: the page is gone:', reason))
  port.start()
})

app.whenReady().then(() => {
  const window = new BrowserWindow({ title: '{{name}}', width: 640, height: 400, webPreferences: { nodeIntegration: true } })
  window.loadFile('index.html')
})

app.on('window-all-closed', () => app.quit())
