'use strict'
// Decodes host names from ASCII to readable form (RFC 3492, section 6.2, which defines the
// parameters).

const BASE = 36
const LEAST = 1
const MOST = 26

/** @param {number} delta @param {number} points @param {boolean} isFirst */
const adapted = (delta, points, isFirst) => {
  delta = Math.floor(delta / (isFirst ? 700 : 2))
  delta += Math.floor(delta / points)
  let step = 0
  while (delta > ((BASE - LEAST) * MOST) >> 1) {
    delta = Math.floor(delta / (BASE - LEAST))
    step += BASE
  }
  return step + Math.floor(((BASE - LEAST + 1) * delta) / (delta + 38))
}

/** Decodes a label without its `xn--`; undefined if it is malformed. @param {string} label */
const decode = (label) => {
  const dash = label.lastIndexOf('-')
  const out = dash > 0 ? [...label.slice(0, dash)] : []
  let at = dash > 0 ? dash + 1 : 0
  let point = 128
  let position = 0
  let bias = 72
  while (at < label.length) {
    const before = position
    let weight = 1
    for (let k = BASE; ; k += BASE) {
      const digit = '0123456789abcdefghijklmnopqrstuvwxyz'.indexOf(label[at++])
      if (digit < 0) return undefined
      const value = digit < 10 ? digit + 26 : digit - 10
      position += value * weight
      const limit = Math.min(Math.max(k - bias, LEAST), MOST)
      if (value < limit) break
      weight *= BASE - limit
    }
    bias = adapted(position - before, out.length + 1, before === 0)
    point += Math.floor(position / (out.length + 1))
    if (point > 0x10ffff) return undefined
    position %= out.length + 1
    out.splice(position, 0, String.fromCodePoint(point))
    position++
  }
  return out.join('')
}

/** The name with its encoded labels decoded. @param {string} name */
const toUnicode = (name) => name.split('.').map((label) => (label.startsWith('xn--') ? decode(label.slice(4)) ?? label : label)).join('.')

module.exports = { toUnicode }
