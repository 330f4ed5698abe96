'use strict'
// Node's `path.win32` (https://nodejs.org/api/path.html#windows-vs-posix), which works on text
// alone and on every system.

/** @param {any} value @param {string} name */
const checkText = (value, name) => {
  if (typeof value !== 'string') throw require('strait:errors').wrongType(name, 'of type string', value)
}

const isSeparator = (/** @type {string | undefined} */ char) => char === '/' || char === '\\'

/**
 * The beginning of a path. `device`: `C:` or `\\server\share`; `isRooted`: a separator follows, or
 * is implied; `length`: the length of this beginning.
 * @param {string} path
 */
const startOf = (path, withNamespaces = false) => {
  if (/^[a-z]:/i.test(path)) {
    const isRooted = isSeparator(path[2])
    return { device: path.slice(0, 2), isRooted, length: isRooted ? 3 : 2 }
  }
  if (!isSeparator(path[0])) return { device: '', isRooted: false, length: 0 }
  const share = /^[/\\]{2}([^/\\]+)[/\\]+([^/\\]+)/.exec(path)
  if (share === null) return { device: '', isRooted: true, length: 1 }
  // The namespaces of devices and of long paths.
  if (withNamespaces && (share[1] === '.' || share[1] === '?')) return { device: `\\\\${share[1]}`, isRooted: true, length: 4 }
  const isWhole = share[0].length === path.length
  return { device: `\\\\${share[1]}\\${share[2]}`, isRooted: true, length: share[0].length + (isWhole ? 0 : 1) }
}

/**
 * The names of a path, without `.` and without names that a `..` cancels. A surplus `..` stays,
 * except at a root.
 * @param {string} path @param {boolean} isRooted
 */
const namesOf = (path, isRooted) => {
  /** @type {string[]} */
  const names = []
  for (const name of path.split(/[/\\]/)) {
    if (name === '' || name === '.') continue
    if (name !== '..') names.push(name)
    else if (names.length > 0 && names[names.length - 1] !== '..') names.pop()
    else if (!isRooted) names.push(name)
  }
  return names
}

const isAbsolute = (/** @type {string} */ path) => {
  checkText(path, 'path')
  return isSeparator(path[0]) || (/^[a-z]:/i.test(path) && isSeparator(path[2]))
}

const normalize = (/** @type {string} */ path) => {
  checkText(path, 'path')
  if (path === '') return '.'
  if (path.length === 1) return isSeparator(path) ? '\\' : path
  const { device, isRooted, length } = startOf(path, true)
  let text = namesOf(path.slice(length), isRooted).join('\\')
  if (text === '' && !isRooted) text = '.'
  if (text !== '' && isSeparator(path[path.length - 1])) text += '\\'
  // The first name of the result must not be read as a drive.
  if (!isRooted && device === '' && (/^[a-z]:/i.test(text) || /:(?:[/\\]|$)/.test(path))) text = `.\\${text}`
  return `${device}${isRooted ? '\\' : ''}${text}`
}

const join = (/** @type {string[]} */ ...parts) => {
  for (const part of parts) checkText(part, 'path')
  const given = parts.filter((part) => part !== '')
  if (given.length === 0) return '.'
  let path = given.join('\\')
  // Separators that result from joining do not begin a share. Only a first part with exactly two
  // leading separators does.
  const first = given[0]
  const isShare = isSeparator(first[0]) && isSeparator(first[1]) && first.length > 2 && !isSeparator(first[2])
  if (!isShare && isSeparator(first[0])) path = path.replace(/^[/\\]{2,}/, '\\')
  return normalize(path)
}

/** The working folder of a drive. @param {string} device */
const folderOf = (device) => {
  const folder = device === '' ? process.cwd() : process.env[`=${device}`] ?? process.cwd()
  if (device === '' || folder.slice(0, 2).toLowerCase() === device.toLowerCase() || folder[2] !== '\\') return folder
  return `${device}\\`
}

const resolve = (/** @type {string[]} */ ...parts) => {
  let device = ''
  let rest = ''
  let isRooted = false
  for (let i = parts.length - 1; i >= -1 && !(isRooted && device !== ''); i--) {
    let path
    if (i >= 0) {
      path = parts[i]
      checkText(path, `paths[${i}]`)
      if (path === '') continue
    } else path = folderOf(device)
    const start = startOf(path, true)
    if (start.device !== '') {
      if (device === '') ({ device } = start)
      else if (start.device.toLowerCase() !== device.toLowerCase()) continue
    }
    if (isRooted) continue
    rest = `${path.slice(start.length)}\\${rest}`
    ;({ isRooted } = start)
  }
  const text = namesOf(rest, isRooted).join('\\')
  return `${device}${isRooted ? '\\' : ''}${text}` || '.'
}

const relative = (/** @type {string} */ from, /** @type {string} */ to) => {
  checkText(from, 'from')
  checkText(to, 'to')
  if (from === to) return ''
  const [start, end] = [resolve(from), resolve(to)]
  if (start === end || start.toLowerCase() === end.toLowerCase()) return ''
  const [have, want] = [start, end].map((path) => path.split('\\').filter((name) => name !== ''))
  let common = 0
  while (common < have.length && common < want.length && have[common].toLowerCase() === want[common].toLowerCase()) common++
  if (common === 0 && have.length > 0 && want.length > 0) return end
  const isRoot = common > 0 && common === have.length && common < want.length && end.endsWith('\\')
  return [...have.slice(common).map(() => '..'), ...want.slice(common)].join('\\') + (isRoot ? '\\' : '')
}

/**
 * The path without trailing separators, but at least its root.
 * @param {string} path @param {number} root
 */
const withoutEnd = (path, root) => {
  let end = path.length
  while (end > root && isSeparator(path[end - 1])) end--
  return path.slice(0, end)
}

/** The index at which the last name begins. @param {string} path @param {number} root */
const lastName = (path, root) => {
  let at = path.length
  while (at > root && !isSeparator(path[at - 1])) at--
  return at
}

const dirname = (/** @type {string} */ path) => {
  checkText(path, 'path')
  if (path === '') return '.'
  const { length } = startOf(path)
  const whole = withoutEnd(path, length)
  const above = path.slice(0, Math.max(lastName(whole, length) - 1, length))
  return above === '' ? '.' : above
}

const basename = (/** @type {string} */ path, /** @type {string | undefined} */ suffix) => {
  if (suffix !== undefined) checkText(suffix, 'suffix')
  checkText(path, 'path')
  if (path === suffix) return ''
  const root = /^[a-z]:/i.test(path) ? 2 : 0
  const whole = withoutEnd(path, root)
  const name = whole.slice(lastName(whole, root))
  return suffix && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name
}

const extensionOf = (/** @type {string} */ name) => {
  const dot = name.lastIndexOf('.')
  return dot <= 0 || name === '..' ? '' : name.slice(dot)
}

const extname = (/** @type {string} */ path) => {
  checkText(path, 'path')
  return extensionOf(basename(path, undefined))
}

const parse = (/** @type {string} */ path) => {
  checkText(path, 'path')
  const { length } = startOf(path)
  const root = path.slice(0, length)
  const whole = withoutEnd(path, length)
  const at = lastName(whole, length)
  const base = whole.slice(at)
  const ext = extensionOf(base)
  const dir = at > length ? path.slice(0, at - 1) : root
  return { root, dir, base, ext, name: ext === '' ? base : base.slice(0, -ext.length) }
}

const toNamespacedPath = (/** @type {any} */ path) => {
  if (typeof path !== 'string' || path === '') return path
  const whole = resolve(path)
  if (whole.length <= 2) return path
  if (/^\\\\[^?.]/.test(whole)) return `\\\\?\\UNC\\${whole.slice(2)}`
  return /^[a-z]:\\/i.test(whole) ? `\\\\?\\${whole}` : whole
}

module.exports = { isAbsolute, normalize, join, resolve, relative, dirname, basename, extname, parse, toNamespacedPath }
