'use strict'
// What happens to errors nobody caught, and how stacks read.

const { inspect } = require('strait:inspect')

/** Files whose text begins on the second line: the loader's wrapper is the first. */
const wrapped = new Set()

const MODULE = /^\$strait\d*_?Module$/

/** Stacks start with the error itself, as in Node; the host's own frames are left out. */
Error.prepareStackTrace = (error, frames) => {
  let header
  try { header = Error.prototype.toString.call(error) } catch { header = 'Error' }
  if (header === '[object Object]' && !(error instanceof Error)) header = 'Error'
  const lines = [header]
  for (const frame of frames) {
    const file = frame.getFileName()
    if (typeof file === 'string' && file.startsWith('strait:')) continue
    if (frame.isNative() || file === null || file === undefined) continue
    let name = frame.getFunctionName()
    // The function that an ES module is.
    if (MODULE.test(name)) name = ''
    if (name === '<eval>' && !wrapped.has(file)) continue
    if (name === '<anonymous>' || name === '<eval>') name = ''
    const line = frame.getLineNumber() - (wrapped.has(file) ? 1 : 0)
    const place = line > 0 ? `${file}:${line}:${frame.getColumnNumber()}` : file
    lines.push(name ? `    at ${name} (${place})` : `    at ${place}`)
  }
  return lines.join('\n')
}

/** @type {Map<Promise<unknown>, unknown>} rejected, and without a handler so far */
const rejected = new Map()

/** What kind of process this is: set by the embedder's scripts. */
const policy = {
  /** A rejection that nobody handles ends the program. */
  rejectionsEnd: true,
  /** Whether nothing can go on after this error; if so, whoever is to know has been told. @type {(error: unknown) => boolean} */
  isFatal: () => false
}

const UNHANDLED = 'Warning: a promise was rejected and nothing handles it: add .catch() or await it in a try block.\n'

function describe (value) {
  return value instanceof Error ? inspect(value) : `Uncaught ${inspect(value)}`
}

/** An exception that reached the loop. Ends the program with code 1 unless it listens for 'uncaughtException'. */
function uncaught (error, origin = 'uncaughtException') {
  const { process } = globalThis
  if (policy.isFatal(error)) {
    native.write(2, describe(error) + '\n')
    native.finish(1)
    return
  }
  if (process.listenerCount('uncaughtExceptionMonitor') > 0) process.emit('uncaughtExceptionMonitor', error, origin)
  if (process.listenerCount('uncaughtException') > 0) {
    try {
      process.emit('uncaughtException', error, origin)
      return
    } catch (second) {
      if (native.exiting()) return
      error = second
    }
  }
  if (origin === 'unhandledRejection') native.write(2, UNHANDLED)
  native.write(2, describe(error) + '\n')
  try {
    require('strait:process').announceExit(1)
  } catch (second) {
    native.write(2, describe(second) + '\n')
  }
  native.finish(1)
}

/** The error of another realm whose string is `text`: of the same class if this realm has it. */
function errorOf (text) {
  const [, name, message] = /^(\w+): (.*)$/s.exec(text) ?? [null, 'Error', text]
  const known = globalThis[name]
  if (typeof known === 'function' && (known === Error || Error.isPrototypeOf(known))) return new known(message)
  return Object.assign(new Error(message), { name })
}

module.exports = {
  policy,
  wrapped,
  errorOf,
  uncaught,
  /** The engine's rejection tracker. */
  track (promise, reason, handled) {
    if (handled) rejected.delete(promise)
    else rejected.set(promise, reason)
    return rejected.size
  },
  /** After the microtasks: what is still unhandled is an error. */
  reportRejections () {
    for (const [promise, reason] of [...rejected]) {
      rejected.delete(promise)
      if (policy.isFatal(reason)) uncaught(reason)
      else if (globalThis.process.listenerCount('unhandledRejection') > 0) globalThis.process.emit('unhandledRejection', reason, promise)
      else if (policy.rejectionsEnd) uncaught(reason, 'unhandledRejection')
      else native.write(2, UNHANDLED + describe(reason) + '\n')
    }
  }
}
