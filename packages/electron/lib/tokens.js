'use strict'
// Promises that the host settles by number.

/** @type {Map<number, {resolve: (value: unknown) => void, reject: (error: Error) => void}>} */
const waiting = new Map()
let last = 0

/**
 * Begins an operation with `begin(token)`. The promise settles when the host reports that token.
 */
function start (begin) {
  return new Promise((resolve, reject) => {
    const token = ++last
    waiting.set(token, { resolve, reject })
    try {
      begin(token)
    } catch (error) {
      waiting.delete(token)
      reject(error)
    }
  })
}

function take (token) {
  const found = waiting.get(token)
  waiting.delete(token)
  return found
}

module.exports = {
  start,
  resolve: (token, value) => take(token)?.resolve(value),
  reject: (token, error) => take(token)?.reject(error)
}
