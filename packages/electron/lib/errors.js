'use strict'
// Errors of other realms.

module.exports = {
  /** The error of another realm whose string is `text`: of the same class if this realm has it. */
  errorOf (text) {
    const [, name, message] = /^(\w+): (.*)$/s.exec(text) ?? [null, 'Error', text]
    const known = globalThis[name]
    if (typeof known === 'function' && (known === Error || Error.isPrototypeOf(known))) return new known(message)
    return Object.assign(new Error(message), { name })
  }
}
