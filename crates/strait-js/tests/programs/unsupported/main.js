// What is missing says so by its name.
const electron = require('electron')
for (const name of ['dialog', 'Menu', 'utilityProcess', 'ipcRenderer']) {
  try { electron[name] } catch (error) { console.log(error.message) }
}
const { app, ...rest } = electron
console.log(Object.keys(rest).sort().join(' '), 'dialog' in electron, typeof electron.then)

// Methods and objects that Electron documents, too; names that it does not document are just not there.
const { BrowserWindow } = electron
const failure = (operation) => { try { return operation() } catch (error) { return `${error.name}: ${error.message.replace(/, which has: .*/, '')}${/which has: \w+, /.test(error.message)}` } }
console.log(failure(() => app.relaunch()))
console.log(failure(() => app.commandLine.appendSwitch('x')))
app.commandLine = { own: true }
console.log(app.commandLine, app.dock, app.then, app.toJSON, app.nothing, Object.keys(app))
app.whenReady().then(() => {
  const window = new BrowserWindow({ show: false })
  console.log(failure(() => window.minimize()), window.nothing, window.then)
  console.log(failure(() => window.webContents.print()), window.webContents.nothing, window.webContents.then)
  console.log(failure(() => window.webContents.session.clearCache()), typeof window.show, typeof window.webContents.send)
  app.exit(4)
})
