// covers app:window-all-closed succeeds
// prints 1 closed
// prints 2 closed
// prints 3 closed
// prints all closed: 0 left
// prints quit 0
// exits 0
'use strict'
// Who makes a window when the last one has closed, at once or in what follows from it, is not told that there is none.
const { app, BrowserWindow } = require('electron')

let made = 0
const open = () => {
  const number = ++made
  const window = new BrowserWindow({ show: false })
  window.on('closed', () => {
    console.log(`${number} closed`)
    if (number === 1) open().close()
    if (number === 2) Promise.resolve().then(open).then((window) => window.close())
  })
  return window
}
app.on('window-all-closed', () => {
  console.log(`all closed: ${BrowserWindow.getAllWindows().length} left`)
  app.quit()
})
app.on('quit', (event, code) => console.log('quit', code))
app.whenReady().then(() => open().close())
