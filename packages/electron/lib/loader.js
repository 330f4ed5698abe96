'use strict'
// `electron` for CommonJS and for ES modules.

const fs = require('fs')
const Module = require('module')
const path = require('path')
const { pathToFileURL } = require('url')
const { missingExports } = require('./unsupported')

/** Options of Node's with which ES modules may be loaded before the program's first. */
const LOADS_MODULES = /--(import|loader|experimental-loader|experimental-default-type)\b/

/** Whether `file` is surely CommonJS, by its name or the nearest package.json. */
function isCommonJs (file) {
  if (file.endsWith('.cjs')) return true
  if (!file.endsWith('.js')) return false
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    try {
      return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')).type !== 'module'
    } catch (error) {
      if (error.code !== 'ENOENT') return false
      // No folder has one.
      if (folder === path.dirname(folder)) return true
    }
  }
}

/** Whether an ES module may be loaded before any CommonJS module that has been compiled by then could have asked for it. */
function mayBeginWithModules () {
  if (LOADS_MODULES.test([...process.execArgv, process.env.NODE_OPTIONS].join(' '))) return true
  const file = process.argv[1] !== undefined && Module._findPath(path.resolve(process.argv[1]), null, true)
  return !file || !isCommonJs(file)
}

/**
 * Calls `hook` before the first ES module can be loaded. Node runs hooks of ES modules in a thread of their own, which takes as long to start as Node itself,
 * and a third of its memory: many programs need none.
 */
function beforeModules (hook) {
  if (mayBeginWithModules()) return hook()
  const { _compile } = Module.prototype
  Module.prototype._compile = function (content, ...rest) {
    // Whatever loads an ES module from CommonJS has this word in it.
    if (hook !== undefined && /\bimport\b/.test(content)) {
      hook()
      hook = undefined
    }
    return Reflect.apply(_compile, this, [content, ...rest])
  }
}

/** By these names programs ask for `electron`, in whichever process they are. */
const NAMES = ['electron', 'electron/main', 'electron/renderer', 'electron/common', 'electron/utility']

module.exports = {
  /**
   * From now on these names give `electron`.
   * @param {() => object} give makes it, when it is first asked for
   * @param {string} page the compatibility table's name for it
   */
  provide (give, page) {
    const known = new Set(NAMES)
    let given
    const electron = () => (given ??= give())
    const load = Module._load
    Module._load = function (request, ...rest) {
      return known.has(request) ? electron() : Reflect.apply(load, this, [request, ...rest])
    }
    const resolve = Module._resolveFilename
    Module._resolveFilename = function (request, ...rest) {
      return known.has(request) ? request : Reflect.apply(resolve, this, [request, ...rest])
    }
    beforeModules(() => {
      globalThis[Symbol.for('strait.electron')] = electron()
      Module.register?.(pathToFileURL(require.resolve('./loader-hooks.mjs')), { data: { names: NAMES, exports: [...Object.keys(electron()), ...missingExports(page)] } })
    })
  }
}
