// covers app:ready succeeds
// covers app.isReady fails
// covers app.whenReady fails
// covers app.whenReady succeeds
// covers BrowserWindow.constructor fails
// prints begins false
// prints Error: Cannot create BrowserWindow before app is ready
// prints not yet false
// prints ready true 1
// prints asked early true
// prints windows 1
// exits 0
'use strict'
const { app, BrowserWindow } = require('electron')

console.log('begins', app.isReady())
try {
  new BrowserWindow({ show: false })
} catch (error) {
  console.log(String(error))
}

let times = 0
app.on('ready', () => {
  times += 1
  console.log('ready', app.isReady(), times)
})
app.whenReady().then(async () => {
  console.log('asked early', app.isReady())
  await app.whenReady()
  new BrowserWindow({ show: false })
  console.log('windows', BrowserWindow.getAllWindows().length)
  app.quit()
})
// Readiness never comes in the midst of the program's first turn.
Promise.resolve().then(() => console.log('not yet', app.isReady()))
