'use strict'
// https://www.electronjs.org/docs/latest/api/process
const LISTENING = ['on', 'addListener', 'once', 'off', 'removeListener']

module.exports = (test) => {
  test(LISTENING.map((name) => `process.${name}`), 'succeeds', 'events reach those who listen, and nobody else', (t) => {
    const heard = []
    const always = (value) => heard.push(['on', value])
    const added = (value) => heard.push(['addListener', value])
    const once = (value) => heard.push(['once', value])
    process.on('tested', always)
    process.addListener('tested', added)
    process.once('tested', once)
    process.emit('tested', 1)
    process.emit('tested', 2)
    process.off('tested', always)
    process.removeListener('tested', added)
    t.equal(process.emit('tested', 3), false)
    t.deepEqual(heard, [['on', 1], ['addListener', 1], ['once', 1], ['on', 2], ['addListener', 2]])
  })

  test(LISTENING.map((name) => `process.${name}`), 'fails', 'only functions listen', (t) => {
    for (const name of LISTENING) t.throws(() => process[name]('tested', 'no function'), /listener/)
    t.equal(process.listenerCount('tested'), 0)
  })

  test(['process.type', 'process.contextIsolated'], 'succeeds', 'main, pages and preloads know what they are', async (t) => {
    t.equal(process.type, 'browser')
    const facts = () => ({ type: process.type, contextIsolated: process.contextIsolated })
    const open = await t.page()
    t.deepEqual(await t.run(open, facts), { type: 'renderer', contextIsolated: false })
    const preload = t.file('preload.js', `require('electron').ipcRenderer.send('facts', (${facts})())`)
    const window = t.window({ webPreferences: { nodeIntegration: false, preload } })
    const told = t.event(window.webContents.ipc, 'facts')
    await window.loadFile(t.file('page.html', 'isolated'))
    t.deepEqual((await told)[1], { type: 'renderer', contextIsolated: true })
    t.equal(await t.run(window, () => typeof process), 'undefined')
  })

  test('process.isMainFrame', 'succeeds', 'the page of a window is its main frame', async (t) => {
    const window = await t.page()
    t.equal(await t.run(window, () => process.isMainFrame), true)
  })

  const MEASURED = ['getCPUUsage', 'getCreationTime', 'getHeapStatistics', 'getProcessMemoryInfo', 'getSystemMemoryInfo', 'getSystemVersion']
  test(MEASURED.map((name) => `process.${name}`), 'succeeds', 'main measures itself and the system', async (t) => {
    t.equal(process.getCPUUsage().percentCPUUsage >= 0, true)
    t.equal(Math.abs(process.getCreationTime() - Date.now()) < 600e3, true)
    t.equal(process.getHeapStatistics().usedHeapSize > 0, true)
    const { residentSet, private: own, shared } = await process.getProcessMemoryInfo()
    t.equal(residentSet > 0 && residentSet === own + shared, true)
    const { total, free } = process.getSystemMemoryInfo()
    t.equal(total > free && free > 0, true)
    t.equal(process.getSystemVersion() !== '', true)
  })

  test(['process.defaultApp', 'process.resourcesPath', 'process.sandboxed'], 'succeeds', 'main knows how it was started', (t) => {
    t.equal(process.defaultApp, true)
    t.equal(require('fs').existsSync(process.resourcesPath), true)
    t.equal(process.sandboxed, false)
  })
}
