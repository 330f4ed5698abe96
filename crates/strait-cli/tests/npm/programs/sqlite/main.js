// Rows of a database, streamed to the page over a port, one message a row.
const { app, BrowserWindow, ipcMain } = require('electron')
const Database = require('better-sqlite3')
const path = require('path')

const ROWS = 10000

const db = new Database(':memory:')
db.exec('CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL)')
const insert = db.prepare('INSERT INTO items (name, price) VALUES (?, ?)')
db.transaction(() => { for (let i = 1; i <= ROWS; i++) insert.run(`item ${i}`, i / 4) })()

ipcMain.on('query', ({ ports: [port] }, { query, limit }) => {
  for (const row of db.prepare(query).iterate(limit)) port.postMessage(row)
  port.close()
})
ipcMain.once('done', () => app.quit())

app.whenReady().then(() => {
  new BrowserWindow({ show: false, webPreferences: { nodeIntegration: true } }).loadFile(path.join(__dirname, 'page.html'))
})
