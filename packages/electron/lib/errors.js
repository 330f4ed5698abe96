'use strict'
// Texts of errors, and errors of other realms.

module.exports = {
  /** Of a value that has no clone, as Electron says it. */
  CLONE_ERROR: 'An object could not be cloned.',

  /** The error of another realm whose string is `text`: of the same class if this realm has it. */
  errorOf (text) {
    const [, name, message] = /^(\w+): (.*)$/s.exec(text) ?? [null, 'Error', text]
    const known = globalThis[name]
    if (typeof known === 'function' && (known === Error || Error.isPrototypeOf(known))) return new known(message)
    return Object.assign(new Error(message), { name })
  }
}
