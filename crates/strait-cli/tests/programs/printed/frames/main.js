// Frames: one object each, who is in whom, and what becomes of them.
const { app, BrowserWindow, ipcMain } = require('electron')
const said = (...args) => console.log(...args)
const next = (channel) => new Promise((resolve) => ipcMain.once(channel, (event) => resolve(event)))

app.whenReady().then(async () => {
  const window = new BrowserWindow({ show: false, webPreferences: { nodeIntegration: true } })
  const { mainFrame } = window.webContents
  const ready = next('ready')
  await window.loadFile('page.html')
  const event = await ready
  said('same object', event.senderFrame === mainFrame, window.webContents.mainFrame === mainFrame)
  said('main', mainFrame.parent, mainFrame.top === mainFrame, mainFrame.name, mainFrame.url.endsWith('page.html'), mainFrame.origin, mainFrame.detached, mainFrame.isDestroyed())
  const [child] = mainFrame.frames
  said('child', mainFrame.frames.length, child.name, child.parent === mainFrame, child.top === mainFrame, child.url, child.frameToken !== mainFrame.frameToken)
  said('subtree', mainFrame.framesInSubtree.length, mainFrame.framesInSubtree[0] === mainFrame, mainFrame.frames[0] === child)
  said('process', child.processId === mainFrame.processId, child.osProcessId === window.webContents.getOSProcessId())
  said('runs in it', await child.executeJavaScript('window.name + " " + (window.parent !== window)'))

  const again = next('ready')
  window.reload()
  const { senderFrame } = await again
  said('after a reload', senderFrame === mainFrame, child.isDestroyed())
  try { child.postMessage('x', null) } catch (error) { said(error.message) }
  const [fresh] = mainFrame.frames
  await mainFrame.executeJavaScript("document.querySelector('iframe').remove()")
  while (mainFrame.frames.length > 0) await new Promise((resolve) => setTimeout(resolve, 10))
  said('after removal', mainFrame.frames.length, fresh.isDestroyed())
  app.quit()
})
