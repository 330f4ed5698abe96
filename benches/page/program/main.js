// The main process in JavaScript: sends back what comes.
const { app, BrowserWindow, ipcMain } = require('electron')

ipcMain.on('main', ({ ports: [port] }) => {
  port.on('message', ({ data }) => port.postMessage(data))
  port.start()
})

app.whenReady().then(() => {
  const window = new BrowserWindow({ width: 400, height: 300, webPreferences: { nodeIntegration: true } })
  window.loadURL(process.argv[2] + 'strait.html?who=script')
})
