'use strict'
// CommonJS (https://nodejs.org/api/modules.html) with its cache and cycles, and what ES modules need of the host. Which file a name means is Rust's
// to say.

const path = native.builtin('path')
const { wrapped, uncaught } = require('strait:errors')

/** Names that `require` answers itself, without `node:`. */
const builtins = new Map()
const cache = Object.create(null)

class Module {
  constructor (id, parent) {
    this.id = id
    this.path = path.dirname(id)
    this.exports = {}
    this.filename = id
    this.loaded = false
    this.children = []
    this.paths = nodeModulesPaths(this.path)
    Object.defineProperty(this, 'parent', { value: parent, enumerable: false })
    parent?.children.push(this)
  }

  require (name) { return load(name, this) }
}

let main

function nodeModulesPaths (folder) {
  const paths = []
  for (let at = folder; ; at = path.dirname(at)) {
    if (path.basename(at) !== 'node_modules') paths.push(path.join(at, 'node_modules'))
    if (path.dirname(at) === at) return paths
  }
}

const ERRORS = { Error, TypeError }

/** The host's own modules' names, without `node:`. */
function builtinName (name) {
  const bare = name.startsWith('node:') ? name.slice(5) : name
  return builtins.has(bare) ? bare : null
}

/** The files that led to `from`, for who reads the error. */
function requireStack (from) {
  const files = []
  for (let module = from; module && !files.includes(module.filename); module = module.parent) files.push(module.filename)
  return files
}

/** What Rust says of a name, or its error. */
function answer (text, from) {
  const said = JSON.parse(text)
  if (said.error === undefined) return said
  const { class: name, code, message } = said.error
  if (code !== 'MODULE_NOT_FOUND') throw Object.assign(new ERRORS[name](message), { code })
  const stack = requireStack(from)
  const shown = stack.length === 0 ? message : `${message}\nRequire stack:\n- ${stack.join('\n- ')}`
  throw Object.assign(new Error(shown), { code, requireStack: stack })
}

/** What `name` means in the module `from`: `{ builtin }` or `{ path, format }`. */
function find (name, from) {
  if (typeof name !== 'string') {
    throw Object.assign(new TypeError(`The "id" argument must be of type string. Received ${name === null ? 'null' : typeof name}`), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  if (name === '') throw Object.assign(new TypeError("The argument 'id' must be a non-empty string. Received ''"), { code: 'ERR_INVALID_ARG_VALUE' })
  const builtin = builtinName(name)
  if (builtin !== null) return { builtin }
  return answer(native.moduleResolve(name, from.filename, false), from)
}

function parseJson (file) {
  const text = native.readText(file)
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    throw new SyntaxError(`${file}: ${error.message}`)
  }
}

function makeRequire (module) {
  const require = (name) => load(name, module)
  require.resolve = (name) => {
    const found = find(name, module)
    return found.builtin === undefined ? found.path : name
  }
  require.resolve.paths = (name) => builtinName(name) !== null ? null : /^\.\.?(\/|$)/.test(name) ? [module.path] : module.paths.slice()
  require.main = main
  require.cache = cache
  require.extensions = Object.create(null)
  return require
}

function evaluate (module) {
  const file = module.filename
  if (file.endsWith('.json')) {
    module.exports = parseJson(file)
    return
  }
  const text = native.moduleCommonJs(file)
  const given = ['exports', 'require', 'module', '__filename', '__dirname']
  const values = [module.exports, makeRequire(module), module, file, module.path]
  if (text.import !== undefined) {
    given.push(text.import)
    values.push(modules.importer(file))
  }
  wrapped.add(file)
  Reflect.apply(native.compile(`(function (${given.join(', ')}) {\n${text.source}\n})`, file), module.exports, values)
}

function load (name, from) {
  const found = find(name, from)
  if (found.builtin !== undefined) return builtins.get(found.builtin)()
  if (found.format === 'module') return modules.require(found.path, from.filename)
  return loadFile(found.path, from).exports
}

/** The CommonJS module in a file. */
function loadFile (file, from) {
  const known = cache[file]
  if (known !== undefined) {
    if (from !== undefined && !from.children.includes(known)) from.children.push(known)
    return known
  }
  return start(new Module(file, from))
}

function start (module) {
  cache[module.filename] = module
  try {
    evaluate(module)
  } catch (error) {
    delete cache[module.filename]
    throw error
  }
  module.loaded = true
  return module
}

// ES modules

const uncurry = Function.prototype.bind.bind(Function.prototype.call)

const modules = native.compile(native.esModules, 'strait:es-modules')({
  uncurry,
  apply: Reflect.apply,
  defineProperty: Reflect.defineProperty,
  getOwnPropertyDescriptor: Reflect.getOwnPropertyDescriptor,
  getPrototypeOf: Reflect.getPrototypeOf,
  ownKeys: Reflect.ownKeys,
  freeze: Object.freeze,
  list: () => [],
  String,
  Error,
  TypeError,
  SyntaxError,
  ReferenceError,
  Promise,
  toStringTag: Symbol.toStringTag,
  stringSlice: uncurry(String.prototype.slice),
  lastIndexOf: uncurry(String.prototype.lastIndexOf),
  resolved: (value) => Promise.resolve(value),
  then: uncurry(Promise.prototype.then)
}, {
  resolve (name, from, isImport) {
    const builtin = builtinName(name)
    if (builtin !== null) return { builtin, name: /^(electron|strait)/.test(name) ? name : `node:${builtin}` }
      return answer(native.moduleResolve(name, from, isImport), undefined)
  },
  compile: native.moduleCompile,
  names: (file) => JSON.parse(native.moduleExports(file)),
  commonJs: (file) => loadFile(file, undefined).exports,
  json: parseJson,
  builtin: (name) => builtins.get(name)(),
  url: native.urlOfPath,
  place (error, file, line) {
    error.stack = `${error}\n    at ${file}:${line}`
    return error
  }
})

let mainDone = false

/** Runs the program's entry. An ES module may take its time. */
function runMain (name) {
  native.moduleNames([...builtins.keys()])
  const file = path.resolve(name)
  const found = answer(native.moduleLocate(answer(native.moduleResolve(file, file, false), undefined).path), undefined)
  if (found.format !== 'module') {
    main = new Module(found.path, undefined)
    main.id = '.'
    globalThis.process.mainModule = main
    mainDone = true
    start(main)
    return
  }
  let waits
  try {
    waits = modules.run(found.path)
  } finally {
    mainDone = waits === undefined
  }
  if (waits === undefined) return
  waits.then(() => { mainDone = true }, (error) => {
    mainDone = true
    uncaught(error)
  })
}

/** Registers a builtin; `make` is called once, at its first use. */
function define (names, make) {
  let made = false
  let value
  for (const name of names) {
    builtins.set(name, () => {
      if (!made) {
        value = make()
        made = true
      }
      return value
    })
  }
}

define(['module'], () => Object.assign(Module, {
  Module,
  builtinModules: [...builtins.keys()],
  isBuiltin: (name) => builtinName(String(name)) !== null,
  createRequire (from) {
    const file = typeof from === 'string' && from.startsWith('/') ? from : native.pathOfUrl(String(from))
    if (typeof file !== 'string') throw Object.assign(new TypeError(`The argument 'filename' must be a file URL object, file URL string, or absolute path string. Received '${from}'`), { code: 'ERR_INVALID_ARG_VALUE' })
    return makeRequire(new Module(file.endsWith('/') ? file + 'noop.js' : file, undefined))
  },
  _cache: cache
}))

module.exports = { define, runMain, isMainDone: () => mainDone }
