'use strict'
// https://www.electronjs.org/docs/latest/api/ipc-renderer and process, as preloads and pages with nodeIntegration see them
const { ipcMain } = require('electron')

module.exports = (test) => {
  test(['ipcRenderer.on', 'ipcRenderer.addListener', 'ipcRenderer.once', 'ipcRenderer.off', 'ipcRenderer.removeListener', 'ipcRenderer.removeAllListeners'],
    'succeeds', 'ipcRenderer is an EventEmitter as Node has it', async (t) => {
      const window = await t.page()
      t.deepEqual(await t.run(window, () => {
        const { ipcRenderer } = require('electron')
        const EventEmitter = require('events')
        const said = [ipcRenderer instanceof EventEmitter]
        const say = (name) => (...args) => { said.push([name, ...args].join(' ')) }
        const added = (type, listener) => say('added')(type, typeof listener)
        const removed = (type) => say('removed')(type)
        ipcRenderer.on('newListener', added).on('removeListener', removed)
        const first = say('first')
        const once = say('once')
        said.push(ipcRenderer.on('x', first) === ipcRenderer)
        ipcRenderer.prependOnceListener('x', once)
        said.push(ipcRenderer.listeners('x')[0] === once, ipcRenderer.rawListeners('x')[0].listener === once, ipcRenderer.listenerCount('x'))
        said.push(ipcRenderer.emit('x', 1), ipcRenderer.emit('x', 2), ipcRenderer.emit('nobody'))
        ipcRenderer.off('x', first)
        said.push(ipcRenderer.listenerCount('x'), ipcRenderer.getMaxListeners(), ipcRenderer.setMaxListeners(3).getMaxListeners())
        ipcRenderer.removeAllListeners('newListener').removeAllListeners('removeListener')
        ipcRenderer.addListener('y', first).removeListener('y', first)
        try { ipcRenderer.emit('error', new Error('nobody listens')) } catch (error) { said.push(error.message) }
        ipcRenderer.on('a', first).on('b', first).removeAllListeners()
        said.push(ipcRenderer.eventNames().length)
        return said
      }), [true, 'added removeListener function', 'added x function', true, 'added x function', true, true, 2, 'removed x', 'once 1', 'first 1', 'first 2', true, true, false,
        'removed x', 0, 10, 3, 'removed newListener', 'nobody listens', 0])
    })

  test(['ipcRenderer.on', 'ipcRenderer.addListener', 'ipcRenderer.once', 'ipcRenderer.off', 'ipcRenderer.removeListener'], 'fails', 'a listener is a function', async (t) => {
    const window = await t.page()
    t.deepEqual(await t.run(window, () => {
      const { ipcRenderer } = require('electron')
      return ['on', 'addListener', 'once', 'off', 'removeListener'].map((name) => {
        try { ipcRenderer[name]('x', 1) } catch (error) { return error.message }
      })
    }), Array(5).fill('The "listener" argument must be of type function. Received type number (1)'))
  })

  test([], 'succeeds', 'what Electron has in pages and Strait has not says so when it is used', async (t) => {
    const window = await t.page()
    t.deepEqual(await t.run(window, () => {
      const electron = require('electron')
      const { webFrame, nativeImage } = electron
      const attempt = (call) => { try { return typeof call() } catch (error) { return error.message } }
      return [attempt(() => electron.ipcRenderer.sendToHost('x')), attempt(() => webFrame.setZoomFactor(2)), attempt(() => nativeImage()),
        attempt(() => electron.app), attempt(() => electron.nothing), attempt(() => electron.then), Object.keys(electron).sort().join()]
    }), [
      'ipcRenderer.sendToHost is not supported by Strait (docs/electron-compatibility.md#ipcrenderer)',
      'electron.webFrame is not supported by Strait (docs/electron-compatibility.md#electronrenderer)',
      'electron.nativeImage is not supported by Strait (docs/electron-compatibility.md#electronrenderer)',
      'undefined',
      'undefined',
      'undefined',
      'contextBridge,ipcRenderer'
    ])
  })

  test(['process:loaded', 'process.type', 'process.contextIsolated', 'process.isMainFrame', 'process.sandboxed', 'webPreferences.sandbox', 'webPreferences.additionalArguments'],
    'succeeds', "a preload's process", async (t) => {
      const preload = t.file('preload.js', `const { ipcRenderer } = require('electron')
        const order = ['preload']
        process.once('loaded', () => order.push('loaded'))
        process.nextTick((text) => order.push(text), 'tick')
        addEventListener('DOMContentLoaded', () => ipcRenderer.send('facts', {
          order, pid: process.pid, type: process.type, isolated: process.contextIsolated, main: process.isMainFrame, sandboxed: process.sandboxed, arguments: process.argv.slice(1),
          cwd: process.cwd(), path: process.env.PATH, strait: process.versions.strait, platform: process.platform, events: typeof process.on, emitter: process instanceof require('events')
        }))`)
      const window = t.window({ webPreferences: { preload, nodeIntegration: false, sandbox: true, additionalArguments: ['--one', 'two words'] } })
      const facts = t.event(ipcMain, 'facts')
      await window.loadFile(t.file('page.html', '<p>page</p>'))
      const [, said] = await facts
      const pid = window.webContents.getOSProcessId()
      t.deepEqual(said, {
        order: ['preload', 'loaded', 'tick'], pid, type: 'renderer', isolated: true, main: true, sandboxed: true, arguments: ['--one', 'two words'],
        cwd: said.cwd, path: process.env.PATH, strait: process.versions.strait, platform: 'linux', events: 'function', emitter: true
      })
      t.ok(said.cwd.startsWith('/'))
    })

  test('webPreferences.additionalArguments', 'fails', 'they are strings', (t) => {
    for (const additionalArguments of ['--one', [1], {}]) {
      t.throws(() => t.window({ webPreferences: { additionalArguments } }), 'BrowserWindow: webPreferences.additionalArguments must be an array of strings')
    }
  })
}
