'use strict'
// Node's `querystring` (https://nodejs.org/api/querystring.html).

const { Buffer } = require('buffer')

/** @param {any} value */
const textOf = (value) => {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : ''
  return typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : ''
}

const escape = (/** @type {any} */ text) => encodeURIComponent(typeof text === 'object' ? String(text) : text)

/** Decodes a text to bytes, for escapes that are not UTF-8. @param {string} text */
const unescapeBuffer = (text) => {
  const bytes = []
  for (let at = 0; at < text.length; at++) {
    const digits = text[at] === '%' ? text.slice(at + 1, at + 3) : ''
    if (/^[\da-f]{2}$/i.test(digits)) {
      bytes.push(Number.parseInt(digits, 16))
      at += 2
    } else {
      bytes.push(text.charCodeAt(at) & 255)
    }
  }
  return Buffer.from(bytes)
}

const unescape = (/** @type {string} */ text) => {
  try {
    return decodeURIComponent(text)
  } catch {
    return unescapeBuffer(text).toString()
  }
}

/**
 * @param {any} values @param {string} [separator] @param {string} [equals] @param {any} [options]
 */
const stringify = (values, separator = '&', equals = '=', options = {}) => {
  if (values === null || typeof values !== 'object') return ''
  const encode = options?.encodeURIComponent ?? module.exports.escape
  const pair = (/** @type {string} */ name, /** @type {any} */ value) => `${encode(textOf(name))}${equals || '='}${encode(textOf(value))}`
  return Object.entries(values).flatMap(([name, value]) => (Array.isArray(value) ? value.map((one) => pair(name, one)) : [pair(name, value)])).join(separator || '&')
}

/** @param {any} text @param {string} [separator] @param {string} [equals] @param {any} [options] */
const parse = (text, separator = '&', equals = '=', options = {}) => {
  const values = Object.create(null)
  if (typeof text !== 'string' || text.length === 0) return values
  const most = typeof options?.maxKeys === 'number' ? options.maxKeys : 1000
  const decode = options?.decodeURIComponent ?? module.exports.unescape
  const read = (/** @type {string} */ part) => {
    const plain = part.replaceAll('+', ' ')
    // A decoder given by the program receives every text.
    if (decode === unescape && !plain.includes('%')) return plain
    try {
      return decode(plain)
    } catch {
      return unescape(plain)
    }
  }
  const parts = text.split(separator || '&').filter((part) => part !== '')
  for (const part of most > 0 ? parts.slice(0, most) : parts) {
    const at = part.indexOf(equals || '=')
    const name = read(at < 0 ? part : part.slice(0, at))
    const value = at < 0 ? '' : read(part.slice(at + (equals || '=').length))
    const known = values[name]
    if (known === undefined) values[name] = value
    else if (Array.isArray(known)) known.push(value)
    else values[name] = [known, value]
  }
  return values
}

module.exports = { escape, unescape, unescapeBuffer, stringify, encode: stringify, parse, decode: parse }
