// CommonJS and ES modules for the preload and, with nodeIntegration, for the page: `electron`,
// modules of Node, files, packages.
(function makeModules(p, natives, makeEsModules, makeProcess, electron, contextIsolated, inbox) {
  'use strict'

  const process = makeProcess(p, natives, contextIsolated)
  // Programs can change the property, so it is read once.
  const isSandboxed = process.sandboxed
  /** Modules that a sandboxed preload may require, beside `electron`. */
  const forSandboxed = { __proto__: null, events: true, timers: true, url: true }
  /** Loaded modules of files, by path. */
  const cache = { __proto__: null }

  const coded = (/** @type {any} */ Class, /** @type {string} */ code, /** @type {string} */ message) => {
    const error = new Class(message)
    p.defineProperty(error, 'code', { __proto__: null, value: code, writable: true, configurable: true, enumerable: true })
    return error
  }

  // Node's modules, each made when it is first required.
  const pure = { __proto__: null }
  const programFolder = natives.pageFolder('')
  const makePure = (/** @type {string} */ name) => {
    const known = pure[name]
    if (known !== undefined) return known.exports
    // Only `strait:system` can require this name, through this function; programs cannot.
    if (name === 'strait:natives') {
      return { __proto__: null, p, now: natives.system, later: natives.systemLater, put: natives.systemPut, pull: natives.systemPull, inbox }
    }
    const run = natives.builtin(name)
    if (run === undefined) return undefined
    if (typeof run === 'string') throw coded(p.Error, 'MODULE_NOT_FOUND', run)
    const module = { exports: {} }
    pure[name] = module
    try {
      p.apply(run, module.exports, [module.exports, makePure, module, name, programFolder, process])
    } catch (error) {
      delete pure[name]
      throw error
    }
    return module.exports
  }

  const EventEmitter = makePure('events')
  const { emit } = EventEmitter.prototype
  p.setPrototypeOf(process, EventEmitter.prototype)

  const plain = (/** @type {string} */ name) => (p.startsWith(name, 'node:') ? p.stringSlice(name, 5) : name)

  const builtin = (/** @type {string} */ given) => {
    if (given === 'electron' || given === 'electron/renderer' || given === 'electron/common') return electron
    const name = plain(given)
    if (isSandboxed && forSandboxed[name] === undefined) return undefined
    if (name === 'process') return process
    // These names are only for the pure modules themselves.
    return p.startsWith(name, 'strait:') ? undefined : makePure(name)
  }

  /** The agent's answer about a name; throws if it is an error. */
  const answer = (/** @type {string} */ text, /** @type {string} */ from) => {
    const said = p.jsonParse(text)
    const { error } = said
    if (error === undefined) return said
    const Class = error.class === 'TypeError' ? p.TypeError : p.Error
    throw coded(Class, error.code, error.code === 'MODULE_NOT_FOUND' ? `${error.message}\nRequire stack:\n- ${from}` : error.message)
  }

  const place = (/** @type {any} */ error, /** @type {string} */ path, /** @type {number} */ line, column = 1) => {
    const put = (/** @type {string} */ name, /** @type {any} */ value) =>
      p.defineProperty(error, name, { __proto__: null, value, writable: true, configurable: true, enumerable: false })
    put('sourceURL', natives.url(path))
    put('line', line)
    put('column', column)
    put('stack', '')
    return error
  }

  /** The agent's result for a file. A text describes a syntax error, which is thrown. */
  const compiled = (/** @type {any} */ made, /** @type {string} */ path) => {
    if (typeof made !== 'string') return made
    const { message, line, column } = p.jsonParse(made)
    throw place(new p.SyntaxError(message), path, line, column)
  }

  const find = (/** @type {any} */ name, /** @type {string} */ from) => {
    if (typeof name !== 'string') throw coded(p.TypeError, 'ERR_INVALID_ARG_TYPE', 'The "id" argument must be of type string')
    return answer(natives.resolve(name, from, false), from)
  }

  /** Makes `require` for the file `from`. Only its folder counts; the file need not exist. */
  const makeRequire = (/** @type {string} */ from) => {
    const require = (/** @type {any} */ name) => {
      const known = typeof name === 'string' ? builtin(name) : undefined
      if (known !== undefined) return known
      const found = find(name, from)
      if (found.builtin !== undefined) return builtin(found.builtin)
      return found.format === 'module' ? modules.require(found.path, from) : load(found.path).exports
    }
    require.resolve = (/** @type {string} */ name) => (builtin(name) !== undefined ? name : find(name, from).path)
    return require
  }

  const endsWith = (/** @type {string} */ text, /** @type {string} */ end) => p.stringSlice(text, -end.length) === end

  /** Runs the CommonJS file at an absolute path, once. */
  const load = (/** @type {string} */ path) => {
    const known = cache[path]
    if (known !== undefined) return known
    const module = { exports: {}, filename: path, id: path, loaded: false }
    cache[path] = module
    try {
      if (endsWith(path, '.json')) {
        module.exports = p.jsonParse(natives.read(path))
      } else {
        const run = compiled(natives.compile(path), path)
        const given = [module.exports, makeRequire(path), module, path, natives.folder(path), process, modules.importer(path)]
        p.apply(run, module.exports, given)
      }
      module.loaded = true
      return module
    } catch (error) {
      delete cache[path]
      throw error
    }
  }

  const modules = makeEsModules(p, {
    __proto__: null,
    resolve(/** @type {string} */ name, /** @type {string} */ from, /** @type {boolean} */ isImport) {
      const known = builtin(name)
      if (known === undefined) return answer(natives.resolve(name, from, isImport), from)
      const isElectron = known === electron
      return { __proto__: null, builtin: isElectron ? 'electron' : plain(name), name: isElectron ? name : `node:${plain(name)}` }
    },
    compile: (/** @type {string} */ path, /** @type {string} */ url) => compiled(natives.compileModule(path, url), path),
    names: (/** @type {string} */ path) => p.jsonParse(natives.names(path)),
    commonJs: (/** @type {string} */ path) => load(path).exports,
    json: (/** @type {string} */ path) => p.jsonParse(natives.read(path)),
    builtin,
    global: () => process,
    url: natives.url,
    place,
  })

  return {
    __proto__: null,
    makeRequire,
    process,
    EventEmitter,
    /** A global of Node that is also an export of one of its modules. */
    nodeGlobal: (/** @type {string} */ name) => makePure(name === 'Buffer' ? 'buffer' : 'timers')[name],
    /** An operation of the system, which a module requested without waiting, is done. */
    systemDone(/** @type {number} */ request, /** @type {string} */ answer) {
      const system = pure['strait:system']
      if (system !== undefined) system.exports.done(request, answer)
    },
    /** The preload has run; the page's own scripts run next. */
    loaded: () => p.apply(emit, process, ['loaded']),
    /**
     * Runs the preload. Returns a promise if the preload waits. The file's name decides its kind,
     * whatever "type" a package.json has.
     */
    preload(/** @type {string} */ path) {
      if (endsWith(path, '.mjs')) return modules.run(path)
      load(path)
      return undefined
    },
  }
})
