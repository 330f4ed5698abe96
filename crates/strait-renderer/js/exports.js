// `require('electron')` in preloads, and in pages that may `require`. Missing members throw an
// error that names the compatibility table.
(function makeExports(p, documented) {
  'use strict'

  const refuse = (/** @type {string} */ page, /** @type {string} */ member) => {
    const place = page === 'ipcRenderer' ? 'ipcrenderer' : 'electronrenderer'
    throw new p.Error(`${page}.${member} is not supported by Strait (docs/electron-compatibility.md#${place})`)
  }

  /** Names that programs, loaders and the console read on every object. */
  const asked = { __proto__: null }
  const names = ['then', 'default', 'toJSON', 'constructor', 'toString', 'valueOf', 'inspect', '__esModule', '$$typeof', 'nodeType', 'prototype', 'name', 'length']
  for (let i = 0; i < names.length; i++) asked[names[i]] = true

  /**
   * A stand-in for a missing member. It can be imported, because many imports are unused, but every
   * use throws.
   */
  const stand = (/** @type {string} */ name) => {
    const fail = () => refuse('electron', name)
    // A function, so that it can be called and constructed.
    return new p.Proxy(function () {}, {
      __proto__: null,
      get: (/** @type {any} */ _target, /** @type {any} */ member) => (typeof member === 'symbol' || asked[member] ? undefined : fail()),
      set: fail,
      apply: fail,
      construct: fail,
    })
  }
  // Members that Electron has only in other kinds of processes are `undefined`, as in Electron's
  // pages: code for several kinds of processes tests for that.
  const stands = { __proto__: null }
  for (let i = 0; i < documented.rows.length; i++) stands[documented.rows[i][0]] = stand(documented.rows[i][0])

  const members = { __proto__: null }
  const electron = new p.Proxy(members, {
    __proto__: null,
    get(/** @type {any} */ target, /** @type {any} */ name) {
      return target[name] ?? stands[name]
    },
  })

  return {
    __proto__: null,
    electron,
    add(/** @type {string} */ name, /** @type {any} */ member) {
      members[name] = member
    },
    refuse,
  }
})
