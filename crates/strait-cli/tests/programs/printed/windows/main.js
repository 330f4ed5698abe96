// The life of windows and of the program.
const { app, BrowserWindow, webContents } = require('electron')
const path = require('path')
const said = (...args) => console.log(...args)
const once = (emitter, name) => new Promise((resolve) => emitter.once(name, (...args) => resolve(args)))
const error = (operation) => { try { return operation() ?? 'nothing' } catch (error) { return `${error.name}: ${error.message}` } }

said('ready yet:', app.isReady(), error(() => new BrowserWindow()))
app.on('ready', () => said('ready', app.isReady()))
for (const name of ['window-all-closed', 'before-quit', 'will-quit', 'quit']) app.on(name, (...args) => said(name, typeof args[1] === 'number' ? args[1] : ''))
process.on('exit', (code) => said('exit', code))
said(app.getName(), app.getVersion(), path.relative(__dirname, app.getAppPath()) === '', path.isAbsolute(app.getPath('home')), path.isAbsolute(app.getPath('userData')), error(() => app.getPath('nowhere')))
said(process.argv.slice(2), process.argv[1] === __filename, process.type)

app.whenReady().then(async () => {
  const window = new BrowserWindow({ show: false, width: 320, height: 240, title: 'First' })
  said(BrowserWindow.getAllWindows().length, BrowserWindow.fromId(window.id) === window, BrowserWindow.fromWebContents(window.webContents) === window,
    webContents.fromId(window.webContents.id) === window.webContents, webContents.getAllWebContents().length, window.getTitle(), window.getSize(), window.isVisible(), window.isDestroyed())
  const events = []
  for (const name of ['did-start-loading', 'dom-ready', 'did-finish-load', 'did-fail-load']) window.webContents.on(name, () => events.push(name))
  const titled = once(window, 'page-title-updated')
  await window.loadFile('page.html')
  const loaded = events.splice(0).join(' ')
  const [, title] = await titled
  said('loaded', loaded, title === window.webContents.getTitle(), title, path.basename(window.webContents.getURL()), window.webContents.getOSProcessId() > 0)

  const failed = once(window.webContents, 'did-fail-load')
  await window.loadFile('missing.html').catch((error) => said('rejected', error.message.replace(__dirname, ''), error.code, error.errno, error.url.replace(__dirname, '')))
  const [, code, text, url, isMainFrame] = await failed
  said('did-fail-load', code, text, url.replace(__dirname, ''), isMainFrame)
  await window.loadURL('page.html?query=1#hash').then(() => said('relative url', window.webContents.getURL().replace(/.*\//, '')))

  const logged = once(window.webContents, 'console-message')
  window.webContents.executeJavaScript("console.warn('a warning')")
  const [event, level, message] = await logged
  said('console', event.level, event.message, level, message)

  window.show()
  await once(window, 'show')
  said('visible', window.isVisible())
  window.hide()
  await once(window, 'hide')
  said('visible', window.isVisible())
  window.setTitle('Renamed')
  said(window.getTitle())

  // Closing can be prevented.
  const asked = once(window, 'close')
  window.once('close', (event) => { said('close prevented'); event.preventDefault() })
  window.close()
  await asked
  await new Promise((resolve) => setTimeout(resolve, 100))
  said('destroyed', window.isDestroyed())

  // Quitting too, by the program and by a window.
  const refused = once(app, 'before-quit')
  app.once('before-quit', (event) => event.preventDefault())
  app.quit()
  await refused
  await new Promise((resolve) => setTimeout(resolve, 50))
  const stays = once(window, 'close')
  window.once('close', (event) => { said('this window stays'); event.preventDefault() })
  app.quit()
  await stays
  await new Promise((resolve) => setTimeout(resolve, 100))
  said('still here', BrowserWindow.getAllWindows().length)

  window.on('close', () => said('close'))
  const closed = once(window, 'closed')
  const none = once(app, 'window-all-closed')
  window.close()
  await closed
  said('closed', window.isDestroyed(), BrowserWindow.getAllWindows().length, error(() => window.setTitle('x')), error(() => window.webContents.getURL()), window.id)
  await none

  // With a listener for window-all-closed the program goes on; another window, and it quits.
  const second = new BrowserWindow({ show: false })
  said('second', second.id !== window.id)
  app.once('will-quit', (event) => { event.preventDefault(); said('not yet'); setTimeout(() => app.quit()) })
  app.quit()
})
