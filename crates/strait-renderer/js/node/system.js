'use strict'
// Operations of the system through the agent: at once, or on a thread of the pool. Bytes go through
// the glue's receive buffer, part by part.

// Without context isolation a page can have replaced every built-in before this runs. So this
// module uses the glue's own functions, and exports nothing of the agent.
const { p, now, later, put, pull, inbox } = require('strait:natives')
const { Buffer } = require('buffer')

/** The least size of the receive buffer, in bytes. */
const PART = 65536

/** The callbacks of outstanding requests, by the requests' numbers. */
const waiting = { __proto__: null }
let last = 0

const least = (/** @type {number} */ one, /** @type {number} */ other) => (one < other ? one : other)

/** @param {any} told */
const failure = ({ errno, code, text, syscall, path, dest }) => {
  const places = (path === null ? '' : ` '${path}'`) + (dest === null ? '' : ` -> '${dest}'`)
  const error = new p.Error(`${code}: ${text}, ${syscall}${places}`)
  const put = (/** @type {string} */ name, /** @type {any} */ value) => {
    if (value !== null) p.defineProperty(error, name, { __proto__: null, value, writable: true, configurable: true, enumerable: true })
  }
  put('errno', errno)
  put('code', code)
  put('syscall', syscall)
  put('path', path)
  put('dest', dest)
  return error
}

/** @param {Uint8Array | undefined} data */
const give = (data) => {
  if (data === undefined) return
  const size = p.bytesLength(data)
  for (let at = 0; at < size; at += PART) {
    const length = least(PART, size - at)
    p.setBytes(inbox(), new p.Uint8Array(p.bytesBuffer(data), p.bytesOffset(data) + at, length))
    put(length)
  }
}

/** @param {string} text */
const read = (text) => {
  const { value, bytes, error } = p.jsonParse(text)
  if (error !== undefined) throw failure(error)
  if (bytes === undefined) return value
  const data = Buffer.alloc(bytes)
  for (let at = 0; at < bytes; at += PART) {
    const length = least(PART, bytes - at)
    pull(at, length)
    p.setBytes(data, new p.Uint8Array(p.bytesBuffer(inbox()), 0, length), at)
  }
  pull(0, 0)
  return data
}

/** The agent executes no operation for a page that has ended. */
const gone = () => new p.Error('The page has gone, and can ask nothing of the system')

/**
 * An operation of the agent's table, with the arguments that its entry there describes.
 * @typedef {{ name: string, first?: string, second?: string, number?: number, other?: number, third?: number, data?: Uint8Array }} Call
 */

module.exports = {
  /** Runs an operation at once. @param {Call} call */
  now({ name, first = '', second = '', number = 0, other = 0, third = 0, data }) {
    give(data)
    const answer = now(name, first, second, number, other, third)
    if (answer === undefined) throw gone()
    return read(answer)
  },

  /**
   * Runs an operation on the pool.
   * @param {Call} call
   * @param {(error: any, value?: any) => void} callback
   */
  later({ name, first = '', second = '', number = 0, other = 0, third = 0, data }, callback) {
    give(data)
    last = (last % 0xffffffff) + 1
    if (later(last, name, first, second, number, other, third) !== true) throw gone()
    waiting[last] = callback
  },

  /** Delivers the agent's answer to a request. @param {number} request @param {string} answer */
  done(request, answer) {
    const callback = waiting[request]
    if (callback === undefined) return
    delete waiting[request]
    let value
    try {
      value = read(answer)
    } catch (error) {
      callback(error)
      return
    }
    callback(null, value)
  },
}
