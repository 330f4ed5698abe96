'use strict'
// Node's `path` (https://nodejs.org/api/path.html), which works on text alone and accesses no
// files. Relative paths are relative to the process's working folder. This file holds the POSIX
// half, which is `path` itself; `path.win32` is loaded on first use.

/** @param {any} value @param {string} name */
const checkText = (value, name) => {
  if (typeof value !== 'string') throw require('strait:errors').wrongType(name, 'of type string', value)
}

/**
 * The names of a path, without `.` and without names that a `..` cancels. A surplus `..` stays,
 * except at the root.
 */
const namesOf = (/** @type {string} */ path, /** @type {boolean} */ rooted) => {
  /** @type {string[]} */
  const names = []
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue
    if (name !== '..') names.push(name)
    else if (names.length > 0 && names[names.length - 1] !== '..') names.pop()
    else if (!rooted) names.push(name)
  }
  return names
}

const isAbsolute = (/** @type {string} */ path) => {
  checkText(path, 'path')
  return path.startsWith('/')
}

const normalize = (/** @type {string} */ path) => {
  checkText(path, 'path')
  if (path === '') return '.'
  const rooted = path.startsWith('/')
  const text = namesOf(path, rooted).join('/')
  if (text === '' && rooted) return '/'
  return (rooted ? '/' : '') + (text === '' ? '.' : text) + (path.endsWith('/') ? '/' : '')
}

const join = (/** @type {string[]} */ ...parts) => {
  for (const part of parts) checkText(part, 'path')
  return normalize(parts.filter((part) => part !== '').join('/'))
}

const resolve = (/** @type {string[]} */ ...parts) => {
  let path = ''
  for (let i = parts.length - 1; i >= 0 && !path.startsWith('/'); i--) {
    checkText(parts[i], `paths[${i}]`)
    if (parts[i] !== '') path = `${parts[i]}/${path}`
  }
  if (!path.startsWith('/')) path = `${process.cwd()}/${path}`
  return '/' + namesOf(path, true).join('/')
}

const relative = (/** @type {string} */ from, /** @type {string} */ to) => {
  checkText(from, 'from')
  checkText(to, 'to')
  const start = namesOf(resolve(from), true)
  const end = namesOf(resolve(to), true)
  let common = 0
  while (common < start.length && common < end.length && start[common] === end[common]) common++
  return [...start.slice(common).map(() => '..'), ...end.slice(common)].join('/')
}

const withoutEndSlashes = (/** @type {string} */ path) => {
  let end = path.length
  while (end > 0 && path[end - 1] === '/') end--
  return path.slice(0, end)
}

const dirname = (/** @type {string} */ path) => {
  checkText(path, 'path')
  const at = withoutEndSlashes(path).lastIndexOf('/')
  if (at < 0) return path.startsWith('/') ? '/' : '.'
  if (at === 0) return '/'
  if (at === 1 && path.startsWith('/')) return '//'
  return path.slice(0, at)
}

const basename = (/** @type {string} */ path, /** @type {string | undefined} */ suffix) => {
  checkText(path, 'path')
  if (suffix !== undefined) checkText(suffix, 'suffix')
  if (path === suffix) return ''
  const whole = withoutEndSlashes(path)
  const name = whole.slice(whole.lastIndexOf('/') + 1)
  return suffix && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name
}

const extname = (/** @type {string} */ path) => {
  const name = basename(path, undefined)
  const dot = name.lastIndexOf('.')
  return dot <= 0 || name === '..' ? '' : name.slice(dot)
}

const parse = (/** @type {string} */ path) => {
  const base = basename(path, undefined)
  const ext = extname(base)
  const root = path.startsWith('/') ? '/' : ''
  const at = withoutEndSlashes(path).lastIndexOf('/')
  const dir = at > 0 ? path.slice(0, at) : root
  return { root, dir, base, ext, name: ext === '' ? base : base.slice(0, -ext.length) }
}

/** @param {string} sep */
const makeFormat = (sep) => (/** @type {{ root?: string, dir?: string, base?: string, name?: string, ext?: string }} */ parts) => {
  if (typeof parts !== 'object' || parts === null) throw require('strait:errors').wrongType('pathObject', 'of type object', parts)
  const dir = parts.dir || parts.root
  const ext = parts.ext ? (parts.ext.startsWith('.') ? parts.ext : `.${parts.ext}`) : ''
  const base = parts.base || `${parts.name || ''}${ext}`
  if (!dir) return base
  return dir === parts.root ? `${dir}${base}` : `${dir}${sep}${base}`
}

/** @type {any} */
const posix = {
  sep: '/',
  delimiter: ':',
  isAbsolute,
  normalize,
  join,
  resolve,
  relative,
  dirname,
  basename,
  extname,
  parse,
  format: makeFormat('/'),
  toNamespacedPath: (/** @type {any} */ path) => path
}

/** @type {any} */
let known
const windows = () => {
  if (known === undefined) {
    known = { sep: '\\', delimiter: ';', ...require('strait:path-win32'), format: makeFormat('\\') }
    Object.assign(known, { win32: known, posix })
  }
  return known
}

module.exports = Object.defineProperty(Object.assign(posix, { posix }), 'win32', { get: windows, enumerable: true, configurable: true })
