'use strict'
// Registers `electron` with the loaders of CommonJS and of ES modules.

const fs = require('fs')
const Module = require('module')
const path = require('path')
const { pathToFileURL } = require('url')
const { missingExports } = require('./unsupported')

/** Node's options that may load ES modules before the program's first module. */
const LOADS_MODULES = /--(import|loader|experimental-loader|experimental-default-type)\b/

/** Whether `file` is certainly CommonJS, by its name or by the nearest package.json. */
function isCommonJs (file) {
  if (file.endsWith('.cjs')) return true
  if (!file.endsWith('.js')) return false
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    try {
      return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')).type !== 'module'
    } catch (error) {
      if (error.code !== 'ENOENT') return false
      // The root folder was reached without finding a package.json.
      if (folder === path.dirname(folder)) return true
    }
  }
}

/**
 * Whether an ES module may be loaded before `beforeModules` has examined the CommonJS module that
 * imports it.
 */
function mayBeginWithModules () {
  if (LOADS_MODULES.test([...process.execArgv, process.env.NODE_OPTIONS].join(' '))) return true
  const file = process.argv[1] !== undefined && Module._findPath(path.resolve(process.argv[1]), null, true)
  return !file || !isCommonJs(file)
}

/**
 * Calls `hook` before the first ES module can be loaded. It is called as late as possible, because
 * many programs need no hooks. Node runs hooks of ES modules in a separate thread, which takes as
 * long to start as Node itself and a third of its memory.
 */
function beforeModules (hook) {
  if (mayBeginWithModules()) return hook()
  const { _compile } = Module.prototype
  Module.prototype._compile = function (content, ...rest) {
    // Every CommonJS module that loads an ES module contains this word.
    if (hook !== undefined && /\bimport\b/.test(content)) {
      hook()
      hook = undefined
    }
    return Reflect.apply(_compile, this, [content, ...rest])
  }
}

/** The names of `electron`, which are the same in every kind of process. */
const NAMES = ['electron', 'electron/main', 'electron/renderer', 'electron/common', 'electron/utility']

module.exports = {
  /**
   * Makes these names resolve to `electron` from now on.
   * @param {() => object} give makes the object, on first use
   * @param {string} page the object's name in the compatibility tables
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
