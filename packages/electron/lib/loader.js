'use strict'
// `electron` for CommonJS and for ES modules.

const Module = require('module')

const NAMES = new Set(['electron', 'electron/main', 'electron/common'])

module.exports = {
  /** From now on these names give `electron`. */
  provide (electron) {
    const load = Module._load
    Module._load = function (request, ...rest) {
      return NAMES.has(request) ? electron : Reflect.apply(load, this, [request, ...rest])
    }
    const resolve = Module._resolveFilename
    Module._resolveFilename = function (request, ...rest) {
      return NAMES.has(request) ? request : Reflect.apply(resolve, this, [request, ...rest])
    }
    globalThis[Symbol.for('strait.electron')] = electron
    Module.register?.(require('url').pathToFileURL(require.resolve('./loader-hooks.mjs')), { data: { names: [...NAMES], exports: Object.keys(electron) } })
  }
}
