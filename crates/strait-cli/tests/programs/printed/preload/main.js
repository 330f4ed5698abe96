// Preload scripts: the isolated world talks to main, the page does not; a bad one is reported.
const { app, BrowserWindow, ipcMain } = require('electron')
const path = require('path')

const open = async (preload, preferences = {}) => {
  const window = new BrowserWindow({ show: false, webPreferences: { preload: path.join(__dirname, preload), ...preferences } })
  window.webContents.on('preload-error', (event, file, error) => console.log('preload-error', path.basename(file), error.name, error.message.replace(__dirname, '')))
  await window.loadFile('page.html')
  return window
}

ipcMain.on('said', (event, ...args) => console.log(...args))

app.whenReady().then(async () => {
  const isolated = await open('preload.js')
  console.log('page sees', await isolated.webContents.executeJavaScript('[typeof require, typeof ipcRenderer, typeof fromPreload]'))
  isolated.webContents.send('hello', 1, { two: 2 })
  await new Promise((resolve) => ipcMain.once('answered', resolve))
  const shared = await open('preload.js', { contextIsolation: false })
  console.log('page sees', await shared.webContents.executeJavaScript('[typeof require, typeof fromPreload]'))
  await open('throws.js')
  await open('missing.js')
  app.quit()
})
