// covers app:will-quit succeeds
// prints will-quit 1
// prints still here
// prints will-quit 2
// prints quit 0
// exits 0
'use strict'
// Who prevents the end at the last moment goes on, without windows.
const { app, BrowserWindow } = require('electron')

let asked = 0
app.on('will-quit', (event) => {
  asked += 1
  console.log('will-quit', asked)
  if (asked > 1) return
  event.preventDefault()
  setImmediate(() => {
    console.log('still here', BrowserWindow.getAllWindows().length)
    app.quit()
  })
})
app.on('quit', (event, code) => console.log('quit', code))
app.whenReady().then(() => app.quit())
