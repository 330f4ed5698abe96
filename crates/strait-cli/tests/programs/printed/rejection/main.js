const { app, BrowserWindow } = require('electron')
app.whenReady().then(async () => {
  new BrowserWindow({ show: false })
  null.property
})
