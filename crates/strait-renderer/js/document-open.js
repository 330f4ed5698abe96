// `document.open()`, and a `write` that opens implicitly, erase every listener of the window. The
// glue's are restored at once, before a script of the new content can add its own.
(function patchDocumentOpen(p, natives, global) {
  'use strict'

  const { prototype } = global.Document
  const { open, write, writeln } = prototype

  const replace = (/** @type {string} */ name, /** @type {Function} */ value, /** @type {number} */ length) => {
    p.defineProperty(value, 'length', { __proto__: null, value: length })
    p.defineProperty(prototype, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true })
  }

  const methods = {
    open() {
      const result = p.apply(open, this, arguments)
      natives.documentOpened()
      return result
    },
    write() {
      restoreListeners(this)
      return p.apply(write, this, arguments)
    },
    writeln() {
      restoreListeners(this)
      return p.apply(writeln, this, arguments)
    },
  }

  // Scripts in the written text run inside the call. So an empty `write` opens the document first,
  // if it must be opened.
  const nothing = p.list()
  nothing[0] = ''
  const restoreListeners = (/** @type {any} */ document) => {
    try {
      p.apply(write, document, nothing)
    } catch {
      // The call itself will throw the same error.
      return
    }
    natives.documentOpened()
  }

  replace('open', methods.open, 0)
  replace('write', methods.write, 0)
  replace('writeln', methods.writeln, 0)
})
