// covers app.quit succeeds
// covers app:before-quit succeeds
// covers app:will-quit succeeds
// covers app:quit succeeds
// covers app.quit fails
// prints before-quit prevented
// prints before-quit
// prints closed
// prints will-quit
// prints quit 0
// exits 0
'use strict'
const { app, BrowserWindow } = require('electron')

let asked = 0
app.on('before-quit', (event) => {
  asked += 1
  if (asked === 1) event.preventDefault()
  console.log(asked === 1 ? 'before-quit prevented' : 'before-quit')
  if (asked === 1) setImmediate(() => app.quit())
})
app.on('will-quit', () => console.log('will-quit'))
app.on('quit', (event, code) => console.log('quit', code))

app.whenReady().then(() => {
  new BrowserWindow({ show: false }).on('closed', () => console.log('closed'))
  app.quit()
})
