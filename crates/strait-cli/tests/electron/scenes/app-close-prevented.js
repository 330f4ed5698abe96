// covers app.quit fails
// prints close prevented
// prints still here 1
// prints closed
// prints quit 0
// exits 0
'use strict'
// A window that will not close keeps the program from quitting.
const { app, BrowserWindow } = require('electron')

app.on('quit', (event, code) => console.log('quit', code))
app.on('will-quit', () => console.log('will-quit'))
app.whenReady().then(() => {
  const window = new BrowserWindow({ show: false })
  window.once('close', (event) => {
    event.preventDefault()
    console.log('close prevented')
    setImmediate(() => {
      console.log('still here', BrowserWindow.getAllWindows().length)
      app.quit()
    })
  })
  window.on('closed', () => console.log('closed'))
  app.quit()
})
