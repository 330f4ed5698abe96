// covers ipcRenderer.sendSync fails
// prints WebContents #1 called ipcRenderer.sendSync() with 'nobody' channel without listeners.
// prints answered undefined
// exits 0
const { app, BrowserWindow } = require('electron')
app.whenReady().then(async () => {
  const window = new BrowserWindow({ show: false, webPreferences: { nodeIntegration: true } })
  await window.loadURL('about:blank')
  console.log('answered', await window.webContents.executeJavaScript("typeof require('electron').ipcRenderer.sendSync('nobody')"))
  app.quit()
})
