'use strict'
// Error texts, and errors from other realms.

module.exports = {
  /** The text of Electron's error for a value that has no clone. */
  CLONE_ERROR: 'An object could not be cloned.',

  /**
   * Makes the error of another realm whose string is `text`, with the same class if this realm has
   * it.
   */
  errorOf (text) {
    const [, name, message] = /^(\w+): (.*)$/s.exec(text) ?? [null, 'Error', text]
    const known = globalThis[name]
    if (typeof known === 'function' && (known === Error || Error.isPrototypeOf(known))) return new known(message)
    return Object.assign(new Error(message), { name })
  }
}
