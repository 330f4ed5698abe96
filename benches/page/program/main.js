// The main process in JavaScript: sends back what comes.
const { app, BrowserWindow, ipcMain } = require('electron')
const fs = require('fs')
const { watchTimer } = require('../pages/bench.js')

ipcMain.on('main', ({ ports: [port] }) => {
  port.on('message', ({ data }) => port.postMessage(data))
  port.start()
})

ipcMain.handle('ask', () => 0)

/** What main measures of itself, in seconds: each begins, and gives what ends it. */
const measurements = {
  /** The longest time between two turns of a 4 ms timer. */
  gap () {
    const timer = watchTimer()
    return () => timer.stop() / 1000
  },
  /** How long a call of `fs.stat` takes, one after the other. */
  stat () {
    const start = performance.now()
    let calls = 0
    let going = true
    const next = () => fs.stat(__filename, () => { calls++; if (going) next() })
    next()
    return () => { going = false; return (performance.now() - start) / calls / 1000 }
  }
}
let measured
ipcMain.handle('measure', (_event, what) => { measured = measurements[what]() })
ipcMain.handle('measured', () => measured())

app.whenReady().then(() => {
  const window = new BrowserWindow({ width: 400, height: 300, webPreferences: { nodeIntegration: true } })
  window.loadURL(`${process.argv[2]}strait.html?who=${process.argv[3]}`)
})
