// `contextBridge`: the preload's interface to the bridge. Electron, "contextBridge".
(function makeExpose(p, bridge, contextIsolated, sourceOf, global) {
  'use strict'

  const NOT_ISOLATED = 'contextBridge API can only be used when contextIsolation is enabled'
  const PAGE = 0
  const PRELOAD = 999

  const check = (/** @type {any} */ key) => {
    if (!contextIsolated) throw new p.Error(NOT_ISOLATED)
    if (typeof key !== 'string') throw new p.TypeError(`Error processing argument at index 0, conversion failure from ${p.objectToString(key)}`)
  }

  const args = (/** @type {any} */ first, /** @type {any} */ second) => {
    const list = p.list()
    list[0] = first
    list[1] = second
    return p.array(list)
  }

  return {
    exposeInMainWorld(/** @type {any} */ key, /** @type {any} */ api) {
      check(key)
      bridge.call(bridge.EXPOSE, args(key, api))
    },

    exposeInIsolatedWorld(/** @type {any} */ world, /** @type {any} */ key, /** @type {any} */ api) {
      check(key)
      if (world === PAGE) bridge.call(bridge.EXPOSE, args(key, api))
      // The preload's own world: no value crosses.
      else if (world === PRELOAD) bridge.bind(key, api)
      else throw new p.Error(`contextBridge.exposeInIsolatedWorld of world ${p.String(world)} is not supported by Strait: there are worlds 0 and 999 (docs/electron-compatibility.md#contextbridge)`)
    },

    executeInMainWorld(/** @type {any} */ script) {
      if (!contextIsolated) throw new p.Error(NOT_ISOLATED)
      const func = script === undefined || script === null ? undefined : script.func
      if (typeof func !== 'function') throw new p.TypeError('executeInMainWorld: func must be a function')
      const { args: given } = script
      if (given !== undefined && !p.isArray(given)) throw new p.TypeError('executeInMainWorld: args must be an array')
      return bridge.call(bridge.RUN, args(sourceOf(func), given === undefined ? p.array(p.list()) : given))
    },
  }
})
