// Packages that programs for Electron use, in an ES module. Each result is shown by the page, which reports what it shows.
import { createServer } from 'node:http'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { app, BrowserWindow, ipcMain } from 'electron'
import { watch } from 'chokidar'
import { execa } from 'execa'
import got from 'got'
import log from 'electron-log/main.js'
import Store from 'electron-store'
import { request } from 'undici'
import windowState from 'electron-window-state'

const folder = await mkdtemp(path.join(tmpdir(), 'strait-npm-'))
app.setPath('userData', folder)

const server = createServer((incoming, answer) => {
  answer.setHeader('content-type', 'application/json')
  answer.end(JSON.stringify({ path: incoming.url, agent: incoming.headers['x-from'] }))
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const base = `http://127.0.0.1:${server.address().port}`

const results = {
  async undici () {
    const { statusCode, body } = await request(`${base}/undici`, { headers: { 'x-from': 'undici' } })
    return [statusCode, await body.json()]
  },
  got: () => got(`${base}/got`, { headers: { 'x-from': 'got' } }).json(),
  async execa () {
    const { stdout, exitCode } = await execa('sh', ['-c', 'read line; echo "read $line"'], { input: 'a line\n' })
    return [stdout, exitCode]
  },
  async chokidar () {
    const watcher = watch(folder, { ignoreInitial: true, ignored: (file) => file !== folder && !file.endsWith('.txt') })
    await new Promise((resolve) => watcher.once('ready', resolve))
    const added = new Promise((resolve) => watcher.once('add', (file) => resolve(path.basename(file))))
    await writeFile(path.join(folder, 'added.txt'), '')
    const name = await added
    await watcher.close()
    return name
  },
  async 'electron-store' () {
    const store = new Store({ defaults: { theme: 'light' } })
    const before = store.get('theme')
    store.set('window.size', [3, 4])
    return [before, JSON.parse(await readFile(store.path, 'utf8'))]
  },
  async 'electron-log' () {
    log.transports.console.level = false
    log.warn('written', { by: 'main' })
    const text = await readFile(log.transports.file.getFile().path, 'utf8')
    return text.replace(/^\[.*?\] /, '').trim()
  },
  'electron-window-state' () {
    const state = windowState({ defaultWidth: 500, defaultHeight: 300 })
    return [state.width, state.height]
  }
}

await app.whenReady()
const window = new BrowserWindow({ show: false, webPreferences: { nodeIntegration: true } })
await window.loadFile('page.html')
for (const [name, run] of Object.entries(results)) {
  const shown = new Promise((resolve) => ipcMain.once('shown', (_event, text) => resolve(text)))
  window.webContents.send('result', name, await run())
  console.log('main:', await shown)
}
await rm(folder, { recursive: true })
app.quit()
