// covers app.exit succeeds
// prints exits
// prints quit 7
// exits 7
'use strict'
const { app, BrowserWindow } = require('electron')

// Nobody is asked.
const objection = (what) => (event) => {
  console.log(`asked: ${what}`)
  event.preventDefault()
  process.exitCode = 1
}
app.on('before-quit', objection('before-quit')).on('will-quit', objection('will-quit'))
app.on('quit', (event, code) => console.log('quit', code))

app.whenReady().then(() => {
  new BrowserWindow({ show: false }).on('close', objection('close'))
  console.log('exits')
  app.exit(7)
})
