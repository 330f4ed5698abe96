// A small dark-room: the desk (a window) takes negatives from the catalogue (a child process), has them developed by the lab (a hidden window), and puts the
// pictures into the album (another child). The gallery (a window) shows the album, the monitor (a window) what happens.
// Main opens and introduces all of them, replaces the lab when it crashes, and sees none of the work.
const { app, BrowserWindow, ipcMain, MessageChannelMain, utilityProcess } = require('electron')
const path = require('path')

const webPreferences = { nodeIntegration: true }
const page = (name) => path.join(__dirname, 'pages', name)

let windows
const tell = (text) => {
  console.log('main:', text)
  if (!windows?.monitor.isDestroyed()) windows?.monitor.webContents.send('happened', text)
}

/** A child process by its name; `ends` takes the ends of channels to it. */
const child = (name) => {
  const process = utilityProcess.fork(path.join(__dirname, 'children', `${name}.js`), [], { serviceName: name })
  process.on('exit', (code) => tell(`the ${name} has ended with ${code}`))
  return process
}

/** A channel between a page and a child, or between two pages. */
const introduce = (one, other, channel) => {
  const { port1, port2 } = new MessageChannelMain()
  const give = (receiver, port) => receiver.webContents ? receiver.webContents.postMessage(channel, null, [port]) : receiver.postMessage(channel, [port])
  give(one, port1)
  give(other, port2)
}

app.whenReady().then(async () => {
  const children = { catalogue: child('catalogue'), album: child('album') }
  windows = {
    desk: new BrowserWindow({ title: 'Desk', width: 420, height: 300, x: 20, y: 20, webPreferences }),
    gallery: new BrowserWindow({ title: 'Gallery', width: 420, height: 300, x: 460, y: 20, webPreferences }),
    monitor: new BrowserWindow({ title: 'Monitor', width: 860, height: 220, x: 20, y: 360, webPreferences })
  }
  await Promise.all(Object.entries(windows).map(([name, window]) => window.loadFile(page(`${name}.html`))))

  let lab
  const openLab = async () => {
    lab = new BrowserWindow({ show: false, webPreferences })
    const mine = lab
    lab.webContents.on('render-process-gone', () => {
      tell('the lab is gone, here is another')
      mine.destroy()
      openLab()
    })
    await lab.loadFile(page('lab.html'))
    introduce(windows.desk, lab, 'lab')
  }

  introduce(windows.desk, children.catalogue, 'catalogue')
  introduce(windows.desk, children.album, 'album')
  introduce(windows.gallery, children.album, 'album')
  await openLab()
  tell('three windows, a lab and two children')

  ipcMain.on('half-way', () => {
    tell('kills the lab')
    process.kill(lab.webContents.getOSProcessId(), 'SIGKILL')
    // The gallery forgets everything, and asks the album again.
    windows.gallery.webContents.once('did-finish-load', () => introduce(windows.gallery, children.album, 'album'))
    windows.gallery.reload()
  })

  const done = new Set()
  ipcMain.on('done', (event, who) => {
    done.add(who)
    if (!done.has('desk') || !done.has('gallery')) return
    tell('everything is in the album')
    setTimeout(() => app.quit(), 1000)
  })
})
