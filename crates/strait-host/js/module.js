'use strict'
// CommonJS (https://nodejs.org/api/modules.html): require, its resolution through folders and node_modules, the cache, cycles.

const path = native.builtin('path')
const { wrapped } = require('strait:errors')

const NONE = 0
const FILE = 1
const EXTENSIONS = ['.js', '.cjs', '.json']
const WRAPPER = '(function (exports, require, module, __filename, __dirname) {\n'

/** Names that `require` answers itself, without `node:`. */
const builtins = new Map()
const cache = Object.create(null)
const manifests = new Map()

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

function notFound (name, from) {
  const stack = from === undefined ? '' : `\nRequire stack:\n- ${from.filename}`
  return Object.assign(new Error(`Cannot find module '${name}'${stack}`), { code: 'MODULE_NOT_FOUND', requireStack: from === undefined ? [] : [from.filename] })
}

function builtinName (name) {
  const bare = name.startsWith('node:') ? name.slice(5) : name
  if (builtins.has(bare)) return bare
  if (name.startsWith('node:')) {
    throw Object.assign(new Error(`No such built-in module: ${name}: Strait's main process has ${[...builtins.keys()].join(', ')}`), { code: 'ERR_UNKNOWN_BUILTIN_MODULE' })
  }
  return null
}

function asFile (file) {
  if (native.pathKind(file) === FILE) return native.realPath(file)
  for (const extension of EXTENSIONS) if (native.pathKind(file + extension) === FILE) return native.realPath(file + extension)
  return null
}

function manifest (folder) {
  const file = path.join(folder, 'package.json')
  if (!manifests.has(file)) manifests.set(file, native.pathKind(file) === FILE ? parseJson(file) : null)
  return manifests.get(file)
}

function asFolder (folder) {
  const entry = manifest(folder)?.main
  if (typeof entry === 'string' && entry !== '') {
    const file = path.join(folder, entry)
    const found = asFile(file) ?? asFile(path.join(file, 'index'))
    if (found !== null) return found
  }
  return asFile(path.join(folder, 'index'))
}

/** The conditions `require` goes by, in the order of the object's own keys. */
function condition (target) {
  if (typeof target === 'string') return target
  if (Array.isArray(target)) {
    for (const item of target) {
      const found = condition(item)
      if (found !== null) return found
    }
    return null
  }
  if (typeof target !== 'object' || target === null) return null
  for (const [key, value] of Object.entries(target)) {
    if (key === 'require' || key === 'node' || key === 'default') {
      const found = condition(value)
      if (found !== null) return found
    }
  }
  return null
}

/** package.json `exports`: the main entry, sub-paths and one `*`. */
function fromExports (folder, exports, sub) {
  const table = typeof exports === 'object' && exports !== null && !Array.isArray(exports) && Object.keys(exports).some((key) => key.startsWith('.')) ? exports : { '.': exports }
  let target = condition(table[sub] ?? null)
  if (target === null) {
    for (const [key, value] of Object.entries(table)) {
      const star = key.indexOf('*')
      if (star < 0) continue
      const [before, after] = [key.slice(0, star), key.slice(star + 1)]
      if (sub.length >= key.length && sub.startsWith(before) && sub.endsWith(after)) {
        target = condition(value)?.replaceAll('*', sub.slice(before.length, sub.length - after.length)) ?? null
        break
      }
    }
  }
  if (target === null) {
    throw Object.assign(new Error(`Package subpath '${sub}' is not defined by "exports" in ${path.join(folder, 'package.json')}`), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' })
  }
  return asFile(path.join(folder, target))
}

function fromPackages (name, paths) {
  const parts = name.split('/')
  const packageName = name.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]
  const rest = name.slice(packageName.length)
  for (const folder of paths) {
    const root = path.join(folder, packageName)
    if (native.pathKind(root) === NONE) {
      const file = rest === '' ? asFile(root) : null
      if (file !== null) return file
      continue
    }
    const exports = manifest(root)?.exports
    if (exports !== undefined && exports !== null) return fromExports(root, exports, '.' + rest)
    const found = asFile(path.join(folder, name)) ?? asFolder(path.join(folder, name))
    if (found !== null) return found
  }
  return null
}

/** The file (or name of a builtin) that `name` stands for in `from`. */
function resolve (name, from) {
  if (typeof name !== 'string') {
    throw Object.assign(new TypeError(`The "id" argument must be of type string. Received ${name === null ? 'null' : typeof name}`), { code: 'ERR_INVALID_ARG_TYPE' })
  }
  if (name === '') throw Object.assign(new TypeError("The argument 'id' must be a non-empty string. Received ''"), { code: 'ERR_INVALID_ARG_VALUE' })
  const builtin = builtinName(name)
  if (builtin !== null) return name
  let found
  if (/^(\.\.?(\/|$)|\/)/.test(name)) {
    const file = path.resolve(from.path, name)
    found = (name.endsWith('/') ? null : asFile(file)) ?? asFolder(file)
  } else found = fromPackages(name, from.paths)
  if (found === null) throw notFound(name, from)
  return found
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
  require.resolve = (name) => resolve(name, module)
  require.resolve.paths = (name) => builtinName(name) !== null ? null : /^\.\.?(\/|$)/.test(name) ? [module.path] : module.paths.slice()
  require.main = main
  require.cache = cache
  require.extensions = Object.create(null)
  return require
}

function compile (source, file) {
  try {
    return native.compile(source, file)
  } catch (error) {
    if (error instanceof SyntaxError && /^\s*(import\s*[\w{*'"]|export\s)/m.test(source)) {
      error.message += `: is ${path.basename(file)} an ES module? Strait's main process runs CommonJS (use require and module.exports)`
      // The stack has the message of before.
      error.stack = error.stack.replace(/^.*/, String(error))
    }
    throw error
  }
}

function evaluate (module) {
  const file = module.filename
  if (file.endsWith('.json')) {
    module.exports = parseJson(file)
    return
  }
  if (file.endsWith('.mjs')) throw Object.assign(new Error(`${file} is an ES module: Strait's main process runs CommonJS (use require and module.exports)`), { code: 'ERR_REQUIRE_ESM' })
  if (file.endsWith('.node')) throw Object.assign(new Error(`${file} is a native Node addon, which Strait cannot load`), { code: 'ERR_DLOPEN_FAILED' })
  const source = native.readText(file).replace(/^\ufeff/, '').replace(/^#!/, '//')
  wrapped.add(file)
  const run = compile(`${WRAPPER}${source}\n})`, file)
  Reflect.apply(run, module.exports, [module.exports, makeRequire(module), module, file, module.path])
}

function load (name, from) {
  const file = resolve(name, from)
  const builtin = builtinName(file)
  if (builtin !== null) return builtins.get(builtin)()
  const known = cache[file]
  if (known !== undefined) {
    if (from !== undefined && !from.children.includes(known)) from.children.push(known)
    return known.exports
  }
  return start(new Module(file, from)).exports
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

/** Runs the program's entry. */
function runMain (name) {
  const file = path.resolve(name)
  const found = asFile(file) ?? asFolder(file)
  if (found === null) throw notFound(file, undefined)
  main = new Module(found, undefined)
  main.id = '.'
  globalThis.process.mainModule = main
  start(main)
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
  isBuiltin: (name) => builtins.has(name.replace(/^node:/, '')),
  createRequire: (from) => makeRequire(new Module(String(from).replace(/^file:\/\//, ''), undefined)),
  _cache: cache
}))

module.exports = { define, runMain }
