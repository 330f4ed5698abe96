// What is missing says so by its name.
const electron = require('electron')
for (const name of ['dialog', 'Menu', 'utilityProcess', 'ipcRenderer']) {
  try { electron[name] } catch (error) { console.log(error.message) }
}
const { app, ...rest } = electron
console.log(Object.keys(rest).sort().join(' '), 'dialog' in electron, typeof electron.then)
app.exit(4)
