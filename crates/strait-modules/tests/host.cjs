'use strict'
// Our linker in Node's engine: `LINKER` is its text's file, `TEXTS` has of each file what Rust made of it.
const fs = require('node:fs')
const path = require('node:path')
const vm = require('node:vm')
const { pathToFileURL } = require('node:url')

const makeModules = (linker, textsFile) => {
  const texts = JSON.parse(fs.readFileSync(textsFile, 'utf8'))
  const uncurry = Function.prototype.bind.bind(Function.prototype.call)
  const p = {
    uncurry, apply: Reflect.apply, defineProperty: Reflect.defineProperty, getOwnPropertyDescriptor: Reflect.getOwnPropertyDescriptor,
    getPrototypeOf: Reflect.getPrototypeOf, ownKeys: Reflect.ownKeys, freeze: Object.freeze, list: () => [], String, Error, TypeError, SyntaxError, ReferenceError, Promise,
    toStringTag: Symbol.toStringTag, stringSlice: uncurry(String.prototype.slice), lastIndexOf: uncurry(String.prototype.lastIndexOf),
    resolved: (value) => Promise.resolve(value), then: uncurry(Promise.prototype.then)
  }
  const cache = {}
  const host = {
    resolve (name, from) {
      if (name.startsWith('node:')) return { builtin: name.slice(5) }
      const file = path.resolve(path.dirname(from), name)
      const extension = path.extname(file)
      return { path: file, format: extension === '.json' ? 'json' : extension === '.cjs' ? 'commonjs' : 'module', suffix: '' }
    },
    compile (file) {
      if (texts[file] === undefined) throw Object.assign(new Error(`Cannot find module '${file}'`), { code: 'ERR_MODULE_NOT_FOUND' })
      return vm.runInThisContext(texts[file].module, { filename: file })
    },
    names: (file) => texts[file].names,
    commonJs (file) {
      const module = cache[file] ??= { exports: {}, fresh: true }
      if (module.fresh) {
        module.fresh = false
        const require = (name) => {
          const found = host.resolve(name, file)
          return found.format === 'module' ? modules.require(found.path, file) : host.commonJs(found.path)
        }
        vm.runInThisContext(`(function (exports, require, module, ${texts[file].import ?? '_'}) {${texts[file].commonjs}\n})`, { filename: file })(module.exports, require, module, modules.importer(file))
      }
      return module.exports
    },
    json: (file) => JSON.parse(fs.readFileSync(file, 'utf8')),
    builtin: (name) => require(name),
    url: (file) => pathToFileURL(file).href,
    place: (error) => error
  }
  const modules = vm.runInThisContext(fs.readFileSync(linker, 'utf8'))(p, host)
  return modules
}

module.exports = { makeModules }
