'use strict'
// https://www.electronjs.org/docs/latest/api/context-bridge

const DEPTH = 'Electron contextBridge recursion depth exceeded.  Nested objects deeper than 1000 are not supported.'
const TAKEN = 'Cannot bind an API on top of an existing property on the window object'
const OFF = 'contextBridge API can only be used when contextIsolation is enabled'

module.exports = (test) => {
  /** A page whose preload has `contextBridge` and `failure`, and runs this. */
  const bridged = (t, preload, webPreferences = {}) => t.page({
    webPreferences: {
      nodeIntegration: false,
      contextIsolation: true,
      preload: t.file('preload.js', `
        const { contextBridge } = require('electron')
        const failure = (action) => { try { action(); return 'nothing thrown' } catch (error) { return error.message } }
        ${preload}`),
      ...webPreferences
    }
  })

  test(['contextBridge.exposeInMainWorld', 'electron/renderer.contextBridge'], 'succeeds', 'functions, promises, nested values and errors cross, both ways', async (t) => {
    const window = await bridged(t, `
      const mine = (text) => 'mine ' + text
      contextBridge.exposeInMainWorld('api', {
        version: 3, nested: { list: [1, { mine }] }, when: new Date(7), mine, add: (a, b) => a + b, call: (f, ...args) => f(...args), isMine: (f) => f === mine,
        later: async (value) => ({ value }), fails: async () => { throw new TypeError('later') }, throws: () => { throw new RangeError('now') },
        takes: (promise) => promise.then((value) => value + '!')
      })`)
    const seen = await t.run(window, async () => {
      const { api } = window
      const error = (f) => { try { f() } catch (thrown) { return `${thrown.constructor === Error} ${thrown.message}` } }
      return [
        api.version, api.nested.list[1].mine('x'), api.when.getTime(), api.add(2, 3), api.call((a) => `page ${a}`, 'b'), api.isMine(api.mine), api.nested.list[1].mine === api.mine,
        (await api.later(5)).value, await api.fails().catch(String), error(api.throws), await api.takes(Promise.resolve('taken')), Object.isFrozen(api), Object.isFrozen(api.nested.list),
        api instanceof Object, api.add instanceof Function, api.add.constructor('return typeof require')()
      ]
    })
    t.deepEqual(seen, [3, 'mine x', 7, 5, 'page b', true, true, 5, 'Error: later', 'true now', 'taken!', true, true, true, true, 'undefined'])
  })

  test('contextBridge.exposeInMainWorld', 'succeeds', 'an error that has crossed has a stack, which tells nothing of the other world', async (t) => {
    const window = await bridged(t, `
      const secretPlace = (Class) => new Class('made there')
      contextBridge.exposeInMainWorld('api', {
        value: () => secretPlace(RangeError), later: async () => { await null; throw secretPlace(TypeError) }, stackOf: (error) => typeof error.stack,
        throws: () => { throw secretPlace(TypeError) }
      })`)
    const seen = await t.run(window, async () => {
      const errors = [api.value(), await api.later().catch((error) => error)]
      try { api.throws() } catch (error) { errors.push(error) }
      return [...errors.map(({ message, stack }) => [message, typeof stack, stack.includes('secretPlace')]), api.stackOf(new Error('made here'))]
    })
    const crossed = ['made there', 'string', false]
    t.deepEqual(seen, [crossed, crossed, crossed, 'string'])
  })

  test('contextBridge.exposeInMainWorld', 'succeeds', 'ports cross by transfer: in the api, as arguments, as what is returned, and as what is awaited', async (t) => {
    const window = await bridged(t, `
      const given = new MessageChannel()
      given.port2.onmessage = ({ data }) => given.port2.postMessage('given ' + data)
      const echo = (text) => { const { port1, port2 } = new MessageChannel(); port2.onmessage = ({ data }) => port2.postMessage(text + data); return port1 }
      contextBridge.exposeInMainWorld('api', {
        port: given.port1, make: () => echo('made '), makeLater: async () => [echo('later ')],
        take: ({ port }) => { port.onmessage = ({ data }) => port.postMessage('taken ' + data) },
        whenClosed: (port) => new Promise((resolve) => { port.onclose = ({ reason }) => resolve(reason) })
      })`)
    const seen = await t.run(window, async () => {
      const { api } = window
      const ask = (port) => new Promise((resolve) => { port.onmessage = ({ data }) => resolve(data); port.postMessage('x') })
      const own = new MessageChannel()
      api.take({ port: own.port1 })
      const closing = new MessageChannel()
      const closed = api.whenClosed(closing.port1)
      closing.port2.close()
      let neutered
      try { closing.port2.postMessage(0, [own.port1]) } catch (error) { neutered = error.name }
      const [later] = await api.makeLater()
      return [await ask(api.port), await ask(api.make()), await ask(later), await ask(own.port2), await closed, neutered, api.port instanceof MessagePort]
    })
    t.deepEqual(seen, ['given x', 'made x', 'later x', 'taken x', 'closed', 'DataCloneError', true])
  })

  test('contextBridge.exposeInMainWorld', 'succeeds', 'elements, Blobs, Files and symbols cross, both ways', async (t) => {
    const window = await bridged(t, `
      const mine = Symbol('mine')
      contextBridge.exposeInMainWorld('api', {
        body: () => document.body, describe: (element) => [element.tagName, element.constructor.name, element === document.querySelector(element.tagName)],
        blob: () => new Blob(['from the ', 'preload'], { type: 'text/plain' }), read: (file) => file.text().then((text) => file.name + ' ' + text),
        mine, isMine: (symbol) => symbol === mine, keyed: () => ({ [mine]: 123 })
      })`)
    const seen = await t.run(window, async () => {
      const { api } = window
      const body = api.body()
      body.append(document.createElement('section'))
      const blob = api.blob()
      return [
        body === document.body, body.constructor.name, api.describe(document.querySelector('section')), await blob.text(), blob.type, await api.read(new File(['of the page'], 'a.txt')),
        typeof api.mine, api.isMine(api.mine), api.isMine(Symbol('mine')), api.keyed()[api.mine]
      ]
    })
    t.deepEqual(seen, [true, 'HTMLBodyElement', ['SECTION', 'HTMLElement', true], 'from the preload', 'text/plain', 'a.txt of the page', 'symbol', true, false, 123])
  })

  test('contextBridge.exposeInMainWorld', 'fails', 'taken names, what cannot cross, what is too deep, pages without isolation', async (t) => {
    const window = await bridged(t, `
      contextBridge.exposeInMainWorld('first', {})
      contextBridge.exposeInMainWorld('results', [
        failure(() => contextBridge.exposeInMainWorld('first', {})), failure(() => contextBridge.exposeInMainWorld('location', {})),
        failure(() => contextBridge.exposeInMainWorld('bad', new WeakMap()))
      ])
      contextBridge.exposeInMainWorld('api', { take: () => 'taken' })`)
    t.deepEqual(await t.run(window, () => window.results), [TAKEN, TAKEN, 'An object could not be cloned.'])
    const seen = await t.run(window, () => {
      const failure = (action) => { try { action(); return 'nothing thrown' } catch (error) { return error.message } }
      const nest = (count) => { let list = []; for (let i = 0; i < count; i++) list = [list]; return list }
      const { port1 } = new MessageChannel()
      const kept = failure(() => window.api.take(port1, new WeakSet()))
      return [failure(() => window.api.take(nest(999))), failure(() => window.api.take(nest(1000))), kept, failure(() => window.api.take(port1)), failure(() => { 'use strict'; window.first.x = 1 })]
    })
    t.deepEqual(seen.slice(0, 4), ['nothing thrown', DEPTH, 'An object could not be cloned.', 'nothing thrown'])
    t.ok(seen[4] !== 'nothing thrown', 'what has been exposed is frozen')
    const shared = await bridged(t, "globalThis.result = failure(() => contextBridge.exposeInMainWorld('x', 1))", { contextIsolation: false })
    t.equal(await t.run(shared, () => window.result), OFF)
  })

  test('contextBridge.exposeInIsolatedWorld', 'succeeds', "the page's world and the preload's own", async (t) => {
    const window = await bridged(t, `
      contextBridge.exposeInIsolatedWorld(0, 'page', { f: () => 'page' })
      contextBridge.exposeInIsolatedWorld(999, 'own', { f: () => 'own' })
      contextBridge.exposeInMainWorld('own', own.f())`)
    t.deepEqual(await t.run(window, () => [window.page.f(), window.own]), ['page', 'own'])
  })

  test('contextBridge.exposeInIsolatedWorld', 'fails', 'other worlds, and names that are taken', async (t) => {
    const window = await bridged(t, `contextBridge.exposeInMainWorld('results', [
      failure(() => contextBridge.exposeInIsolatedWorld(1004, 'x', 1)), failure(() => contextBridge.exposeInIsolatedWorld(999, 'location', 1))])`)
    const [other, taken] = await t.run(window, () => window.results)
    t.ok(other.includes('not supported by Strait') && other.includes('docs/electron-compatibility.md#contextbridge'), other)
    t.equal(taken, TAKEN)
  })

  test('contextBridge.executeInMainWorld', 'succeeds', "a function runs in the page's world, with arguments that cross", async (t) => {
    const window = await bridged(t, `
      const { executeInMainWorld } = contextBridge
      const run = (func, ...args) => executeInMainWorld({ func, args })
      run((text) => { globalThis.put = text }, 'there')
      contextBridge.exposeInMainWorld('results', [typeof globalThis.put, run((a, b) => a + b, 1, 2), run((f) => f('page'), (text) => text + ' calls'), run(() => async () => 'promised')])`)
    t.deepEqual(await t.run(window, async () => [window.put, ...window.results.slice(0, 3), await window.results[3]()]), ['there', 'undefined', 3, 'page calls', 'promised'])
  })

  test('contextBridge.executeInMainWorld', 'fails', 'what is no function, and what throws there', async (t) => {
    const window = await bridged(t, `contextBridge.exposeInMainWorld('results', [
      failure(() => contextBridge.executeInMainWorld({})), failure(() => contextBridge.executeInMainWorld({ func: () => { throw new TypeError('thrown there') } }))])`)
    t.deepEqual(await t.run(window, () => window.results), ['executeInMainWorld: func must be a function', 'thrown there'])
  })
}
