// covers app:window-all-closed succeeds
// prints closed
// prints before-quit
// prints quit 0
// exits 0
'use strict'
// Without a listener for it the end of the last window is the program's.
const { app, BrowserWindow } = require('electron')

app.on('before-quit', () => console.log('before-quit'))
app.on('quit', (event, code) => console.log('quit', code))
app.whenReady().then(() => {
  const window = new BrowserWindow({ show: false })
  window.on('closed', () => console.log('closed'))
  window.close()
})
