// The main process: does a job step by step and tells of each through the job's port.
const { app, BrowserWindow, ipcMain } = require('electron')

ipcMain.on('job', ({ ports: [job] }) => {
  job.once('message', ({ data: { steps } }) => {
    let done = 0
    const timer = setInterval(() => {
      done += 1
      job.postMessage({ done, of: steps })
      if (done < steps) return
      clearInterval(timer)
      // What was posted before the close is delivered before it.
      job.close()
    }, 20)

    job.on('close', (/** @type {Strait.PortMainClose} */ { reason }) => {
      clearInterval(timer)
      // Otherwise the page cancelled, was reloaded, closed or crashed.
      if (done < steps) console.log(`main: nobody waits any more (${reason}) after step ${done}`)
    })
  })
  job.start()
})

app.whenReady().then(() => {
  const window = new BrowserWindow({ title: '{{name}}', width: 640, height: 400, webPreferences: { nodeIntegration: true } })
  window.loadFile('index.html')
})

app.on('window-all-closed', () => app.quit())
