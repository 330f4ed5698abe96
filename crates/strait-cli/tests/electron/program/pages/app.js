'use strict'
// https://www.electronjs.org/docs/latest/api/app: what needs no program of its own; the rest is in ../../scenes/
const { BrowserWindow, app } = require('electron')
const fs = require('fs')
const os = require('os')
const path = require('path')

module.exports = (test) => {
  test(['app:browser-window-created', 'app:web-contents-created'], 'succeeds', 'each window is announced, and its page before it', (t) => {
    const heard = []
    const created = (event, window) => heard.push(['window', window])
    const page = (event, contents) => heard.push(['contents', contents])
    app.on('browser-window-created', created).on('web-contents-created', page)
    t.after(() => app.off('browser-window-created', created).off('web-contents-created', page))
    const window = t.window()
    t.deepEqual(heard.map(([what]) => what), ['contents', 'window'])
    t.ok(heard[0][1] === window.webContents && heard[1][1] === window)
    t.throws(() => new BrowserWindow('no options'))
    t.equal(heard.length, 2)
  })

  test(['app:browser-window-focus', 'app:browser-window-blur'], 'succeeds', 'the program hears which window has the keyboard', async (t) => {
    const [one, two] = [t.window(), t.window()]
    const heard = []
    const focus = (event, window) => heard.push(['focus', window.id])
    const blur = (event, window) => heard.push(['blur', window.id])
    app.on('browser-window-focus', focus).on('browser-window-blur', blur)
    t.after(() => app.off('browser-window-focus', focus).off('browser-window-blur', blur))
    for (const window of [one, two]) {
      const focused = t.event(window, 'focus')
      window.show()
      await focused
    }
    // A display without a window manager may take the keyboard and give it back in between.
    t.deepEqual([heard[0], heard.slice(-2)], [['focus', one.id], [['blur', one.id], ['focus', two.id]]])
  })

  test('app:window-all-closed', 'succeeds', 'it comes with the last window, not before', async (t) => {
    const [one, two, three] = [t.window(), t.window(), t.window()]
    let times = 0
    const count = () => times++
    t.after(() => app.off('window-all-closed', count))
    const first = t.event(one, 'closed')
    one.destroy()
    await first
    // From here on: the windows of the test before this one may have been reported until now.
    app.on('window-all-closed', count)
    const second = t.event(two, 'closed')
    two.destroy()
    await second
    const all = t.event(app, 'window-all-closed')
    t.equal(times, 0)
    three.close()
    await all
    t.deepEqual([times, BrowserWindow.getAllWindows().length], [1, 0])
  })

  test(['app.getName', 'app.setName', 'app.name', 'app.getVersion'], 'succeeds', 'name and version are the package\'s, until the program says otherwise', (t) => {
    const manifest = JSON.parse(fs.readFileSync(path.join(app.getAppPath(), 'package.json'), 'utf8'))
    t.deepEqual([app.getName(), app.name, app.getVersion()], [manifest.name, manifest.name, manifest.version])
    t.after(() => app.setName(manifest.name))
    app.setName('another')
    t.deepEqual([app.getName(), app.name], ['another', 'another'])
    app.name = 'a third'
    t.equal(app.getName(), 'a third')
  })

  test(['app.getAppPath', 'app.getLocale', 'app.isPackaged'], 'succeeds', 'where the program is, how people speak, and that it is no package', (t) => {
    t.equal(app.getAppPath(), path.dirname(__dirname))
    t.ok(/^[a-z]{2,3}(-[A-Za-z0-9]+)*$/.test(app.getLocale()), app.getLocale())
    t.equal(app.isPackaged, false)
  })

  test(['app.getPath', 'app.setPath'], 'succeeds', 'folders by name, and others in their place', (t) => {
    const names = ['home', 'appData', 'userData', 'sessionData', 'temp', 'exe', 'module', 'desktop', 'documents', 'downloads', 'music', 'pictures', 'videos', 'logs', 'crashDumps']
    for (const name of names) t.ok(path.isAbsolute(app.getPath(name)), name)
    t.deepEqual([app.getPath('home'), app.getPath('temp')], [process.env.HOME ?? '/', os.tmpdir()])
    t.ok(app.getPath('userData').startsWith(app.getPath('appData')), app.getPath('userData'))
    t.ok(fs.existsSync(app.getPath('exe')))
    const before = app.getPath('music')
    t.after(() => app.setPath('music', before))
    app.setPath('music', '/tmp/tunes')
    t.equal(app.getPath('music'), '/tmp/tunes')
  })

  test(['app.getPath', 'app.setPath'], 'fails', 'there are no other names, and no relative folders', (t) => {
    t.throws(() => app.getPath('nonsense'), 'Failed to get \'nonsense\' path')
    t.throws(() => app.setPath('nonsense', '/tmp'), /^Failed to set path/)
    const before = app.getPath('music')
    t.throws(() => app.setPath('music', 'tunes'), 'Path must be absolute')
    t.equal(app.getPath('music'), before)
  })

  test('app.getAppMetrics', 'succeeds', 'each process with what it is and needs; those of pages come and go', async (t) => {
    const window = await t.page()
    const pid = window.webContents.getOSProcessId()
    const metrics = app.getAppMetrics()
    const main = metrics.find(({ type }) => type === 'Browser')
    t.equal(main.pid, process.pid)
    t.equal(metrics.find((one) => one.pid === pid)?.type, 'Tab')
    for (const { pid, creationTime, cpu, memory } of metrics) {
      t.ok(pid > 0 && creationTime > 1e12 && creationTime < Date.now() + 60_000, `${pid}: ${creationTime}`)
      t.deepEqual([typeof cpu.percentCPUUsage, cpu.cumulativeCPUUsage >= 0, cpu.idleWakeupsPerSecond], ['number', true, 0])
      t.ok(memory.workingSetSize > 0 && memory.peakWorkingSetSize >= memory.workingSetSize, `${pid}: ${JSON.stringify(memory)}`)
    }
    t.equal(new Set(metrics.map(({ pid }) => pid)).size, metrics.length)
  })

  test(['app.isReady', 'app.whenReady'], 'succeeds', 'a program that is ready stays so', async (t) => {
    t.equal(app.isReady(), true)
    t.equal(await app.whenReady(), undefined)
  })
}
