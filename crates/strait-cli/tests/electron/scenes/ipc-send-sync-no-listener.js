// covers ipcRenderer.sendSync fails
// prints WebContents #1 called ipcRenderer.sendSync() with 'nobody' channel without listeners.
// exits 0
const { app, BrowserWindow } = require('electron')
app.whenReady().then(async () => {
  const window = new BrowserWindow({ show: false, webPreferences: { nodeIntegration: true } })
  await window.loadURL('about:blank')
  const answer = await window.webContents.executeJavaScript("typeof require('electron').ipcRenderer.sendSync('nobody')")
  app.exit(answer === 'undefined' ? 0 : 1)
})
