'use strict'
// https://www.electronjs.org/docs/latest/api/structures/web-preferences
const { BrowserWindow, ipcMain } = require('electron')

/** Runs code in the preload's world. */
const inPreload = (window, code) => window.webContents.executeJavaScriptInIsolatedWorld(999, [{ code }])

module.exports = (test) => {
  test('webPreferences.preload', 'succeeds', 'it runs before the page, with require, in each document', async (t) => {
    const preload = t.file('preload.js', `
      const { ipcRenderer } = require('electron')
      globalThis.early = typeof document.body?.textContent + ' ' + (globalThis.fromPage ?? 'no page yet')
      ipcRenderer.send('preloaded', location.pathname)
    `)
    const paths = []
    const listen = (event, path) => paths.push(path)
    ipcMain.on('preloaded', listen)
    t.after(() => ipcMain.off('preloaded', listen))
    const files = ['one.html', 'two.html'].map((name) => t.file(name, '<script>window.fromPage = "page"</script>'))
    const window = t.window({ webPreferences: { nodeIntegration: false, preload } })
    for (const file of files) {
      await window.loadFile(file)
      t.equal(await inPreload(window, 'early'), 'undefined no page yet')
    }
    t.deepEqual(paths, files)
  })

  test('webPreferences.preload', 'fails', 'one that throws or is not there is an event, and the page is shown', async (t) => {
    for (const [preload, expected] of [[t.file('throws.js', 'throw new Error("on purpose")'), /on purpose/], ['/no/such/preload.js', /no such file|ENOENT|not found/i]]) {
      const window = t.window({ webPreferences: { nodeIntegration: false, preload } })
      const failed = t.event(window.webContents, 'preload-error')
      await window.loadFile(t.file('page.html', '<title>shown</title>'))
      const [, path, error] = await failed
      t.equal(path, preload)
      t.throws(() => { throw error }, expected)
      t.equal(await t.run(window, () => document.title), 'shown')
    }
    t.throws(() => new BrowserWindow({ webPreferences: { preload: 7 } }), /preload must be a string/)
    t.deepEqual(BrowserWindow.getAllWindows().length, 2)
  })

  test('webPreferences.nodeIntegration', 'succeeds', 'pages may require, relatively too', async (t) => {
    t.file('part.js', 'exports.answer = 42')
    const window = await t.page({ webPreferences: { nodeIntegration: true } }, '<script>window.answer = require("./part.js").answer</script>')
    t.deepEqual(await t.run(window, () => [window.answer, typeof require('electron').ipcRenderer.send, require('path').basename('/a/b')]), [42, 'function', 'b'])
  })

  test(['webPreferences.nodeIntegration', 'webPreferences.preload'], 'succeeds', "Node's globals are there, in pages, preloads and the packages of both", async (t) => {
    const globals = `[global === globalThis, typeof Buffer, typeof setImmediate, typeof clearImmediate]`
    const all = [true, 'function', 'function', 'function']
    t.file('package.cjs', `module.exports = ${globals}`)
    t.file('package.mjs', `export default ${globals}`)
    const window = await t.page({ webPreferences: { nodeIntegration: true } }, `<script>window.seen = [${globals}, require('./package.cjs'), require('./package.mjs').default]</script>`)
    t.deepEqual(await t.run(window, () => window.seen), [all, all, all])
    const order = await t.run(window, () => new Promise((resolve) => {
      const seen = []
      clearImmediate(setImmediate(() => seen.push('cleared')))
      setImmediate((value) => resolve([...seen, value]), 'immediate')
      Promise.resolve().then(() => seen.push('microtask'))
    }))
    t.deepEqual(order, ['microtask', 'immediate'])
    const preload = t.file('preload.js', `globalThis.seen = [${globals}, require('./package.cjs'), require('./package.mjs').default]; global.own = 1`)
    const isolated = await t.page({ webPreferences: { sandbox: false, nodeIntegration: false, preload } })
    t.deepEqual(await inPreload(isolated, '[seen, own]'), [[all, all, all], 1])
    t.deepEqual(await t.run(isolated, () => ['global', 'Buffer', 'setImmediate', 'clearImmediate', 'own'].filter((name) => name in window)), [])
    const shared = t.file('shared.js', `globalThis.seen = ${globals}`)
    const guest = await t.page({ webPreferences: { nodeIntegration: false, contextIsolation: false, preload: shared } })
    t.deepEqual(await t.run(guest, () => [window.seen, ['global', 'Buffer', 'setImmediate', 'clearImmediate'].filter((name) => name in window)]), [all, []])
  })

  test('webPreferences.nodeIntegration', 'succeeds', 'isolation can be had beside it', async (t) => {
    const preload = t.file('preload.js', 'globalThis.secret = 1')
    const window = await t.page({ webPreferences: { nodeIntegration: true, contextIsolation: true, preload } })
    t.deepEqual(await t.run(window, () => typeof secret), 'undefined')
    t.equal(await inPreload(window, 'secret'), 1)
  })

  test('webPreferences.nodeIntegration', 'fails', 'without it, and unless told otherwise, pages have nothing; and what is no module is none', async (t) => {
    for (const nodeIntegration of [false, undefined]) {
      const window = await t.page({ webPreferences: { nodeIntegration } })
      t.deepEqual(await t.run(window, () => [typeof require, typeof module, typeof process]), ['undefined', 'undefined', 'undefined'])
    }
    const window = await t.page()
    await t.rejects(t.run(window, () => { require('no-such-module') }), /Cannot find module 'no-such-module'/)
  })

  test('webPreferences.contextIsolation', 'succeeds', 'where it is off the preload and the page share one world', async (t) => {
    const preload = t.file('preload.js', 'window.shared = { from: "preload" }; globalThis.sees = () => window.fromPage')
    for (const webPreferences of [{ nodeIntegration: false, contextIsolation: false, preload }, { nodeIntegration: true, preload }]) {
      const window = await t.page({ webPreferences }, '<script>window.fromPage = shared.from + " and page"</script>')
      t.equal(await t.run(window, () => window.sees()), 'preload and page')
    }
  })

  test('webPreferences.contextIsolation', 'fails', 'where it is on, as it is unless told otherwise, neither reaches the other', async (t) => {
    const preload = t.file('preload.js', 'window.mine = [].concat([1, 2]); addEventListener("DOMContentLoaded", () => { document.body.dataset.preload = "was here" })')
    for (const contextIsolation of [true, undefined]) {
      const window = await t.page({ webPreferences: { nodeIntegration: false, contextIsolation, preload } },
        '<script>window.theirs = 1; Array.prototype.map = () => "hijacked"</script>')
      // The document is one, its scripts' worlds are two.
      t.deepEqual(await t.run(window, () => [typeof mine, document.body.dataset.preload]), ['undefined', 'was here'])
      t.deepEqual(await inPreload(window, '[typeof theirs, mine.map((n) => n + 1).join()]'), ['undefined', '2,3'])
    }
  })
}
