'use strict'
// What modules ask of the system, in the crate `strait-system`: at once, or beside the program. Its pages have a module of the same name for theirs.

const work = require('strait:work')

/** What is to be called when the answers come, by the requests' numbers. */
const waiting = new Map()
let last = 0

function failure ({ errno, code, text, syscall, path, dest }) {
  const places = (path === null ? '' : ` '${path}'`) + (dest === null ? '' : ` -> '${dest}'`)
  const error = Object.assign(new Error(`${code}: ${text}, ${syscall}${places}`), { errno, code, syscall })
  if (path !== null) error.path = path
  if (dest !== null) error.dest = dest
  return error
}

function read (text, bytes) {
  const { value, error } = JSON.parse(text)
  if (error !== undefined) throw failure(error)
  if (bytes === undefined) return value
  const { Buffer } = require('strait:node').load('buffer')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/**
 * An operation of the table, with what its entry there says.
 * @typedef {{ name: string, first?: string, second?: string, number?: number, other?: number, third?: number, data?: Uint8Array }} Call
 */

module.exports = {
  /** Does it now. @param {Call} call */
  now: (call) => read(...native.systemNow(call)),

  /** Has it done. @param {Call} call @param {(error: any, value?: any) => void} callback */
  later (call, callback) {
    last = last % 0xffffffff + 1
    native.systemLater(last, call)
    waiting.set(last, { callback, done: work.begin() })
  },

  /** It is done. @param {number} request @param {string} text @param {Uint8Array} [bytes] */
  done (request, text, bytes) {
    const { callback, done } = waiting.get(request)
    waiting.delete(request)
    done()
    let value
    try {
      value = read(text, bytes)
    } catch (error) {
      callback(error)
      return
    }
    callback(null, value)
  }
}
