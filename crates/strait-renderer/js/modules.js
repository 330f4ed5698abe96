// CommonJS for the preload script and, with nodeIntegration, for the page: `electron`, pure modules of Node's, relative files, JSON.
(function makeModules(p, natives, electron, contextIsolated) {
  'use strict'

  const process = {
    type: 'renderer',
    platform: 'linux',
    contextIsolated,
    isMainFrame: true,
    argv: [],
    env: {},
    versions: { strait: natives.version() },
  }
  const cache = { __proto__: null }

  // Node's modules that need nothing of the system, each made when it is first required.
  const pure = { __proto__: null }
  const programFolder = natives.pageFolder('')
  const makePure = (/** @type {string} */ name) => {
    const known = pure[name]
    if (known !== undefined) return known.exports
    const run = natives.builtin(name)
    if (run === undefined) return undefined
    const module = { exports: {} }
    pure[name] = module
    p.apply(run, module.exports, [module.exports, makePure, module, name, programFolder, process])
    return module.exports
  }
  const startsWith = p.uncurry(String.prototype.startsWith)
  const slice = p.uncurry(String.prototype.slice)

  const builtin = (/** @type {string} */ name) => {
    if (name === 'electron' || name === 'electron/renderer' || name === 'electron/common') return electron
    if (name === 'process' || name === 'node:process') return process
    if (name === 'path/posix' || name === 'node:path/posix') return makePure('path')
    return makePure(startsWith(name, 'node:') ? slice(name, 5) : name)
  }

  const makeRequire = (/** @type {string} */ folder) => {
    const require = (/** @type {any} */ name) => {
      if (typeof name !== 'string') throw new p.TypeError('The "id" argument must be of type string')
      const found = builtin(name)
      return found !== undefined ? found : load(natives.resolve(folder, name)).exports
    }
    require.resolve = (/** @type {string} */ name) => (builtin(name) !== undefined ? name : natives.resolve(folder, name))
    return require
  }

  /** Runs the file at an absolute path, once. */
  const load = (/** @type {string} */ path) => {
    const known = cache[path]
    if (known !== undefined) return known
    const module = { exports: {}, filename: path, id: path, loaded: false }
    cache[path] = module
    try {
      if (natives.isJson(path)) {
        module.exports = p.jsonParse(natives.read(path))
      } else {
        const folder = natives.folder(path)
        const run = natives.compile(path)
        p.apply(run, module.exports, [module.exports, makeRequire(folder), module, path, folder, process])
      }
      module.loaded = true
      return module
    } catch (error) {
      delete cache[path]
      throw error
    }
  }

  return { __proto__: null, load, makeRequire, process }
})
