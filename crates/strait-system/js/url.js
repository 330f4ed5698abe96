'use strict'
// Node's `url` (https://nodejs.org/api/url.html): the page's own URL classes, conversion between
// file URLs and paths, and the legacy functions, which are loaded on first use.

const path = require('path')

const { URL, URLSearchParams } = globalThis
const errors = () => require('strait:errors')
const isURL = (/** @type {any} */ value) => Boolean(value?.href && value.protocol && value.auth === undefined && value.path === undefined)

/** The path of a file URL. @param {any} given */
const fileURLToPath = (given) => {
  const { coded, wrongType } = errors()
  const url = typeof given === 'string' ? new URL(given) : given
  if (!isURL(url)) throw wrongType('path', 'of type string or an instance of URL', given)
  if (url.protocol !== 'file:') throw coded(TypeError, 'ERR_INVALID_URL_SCHEME', 'The URL must be of scheme file')
  if (url.hostname !== '') throw coded(TypeError, 'ERR_INVALID_FILE_URL_HOST', 'File URL host must be "localhost" or empty on linux')
  if (/%2f/i.test(url.pathname)) throw coded(TypeError, 'ERR_INVALID_FILE_URL_PATH', 'File URL path must not include encoded / characters')
  return decodeURIComponent(url.pathname)
}

/** The file URL of a path; a trailing slash is kept. @param {any} given */
const pathToFileURL = (given) => {
  if (typeof given !== 'string') throw errors().wrongType('path', 'of type string', given)
  const whole = path.resolve(given)
  const text = given.endsWith('/') && whole !== '/' ? `${whole}/` : whole
  // Characters of the path that have another meaning in a URL.
  const escaped = text.replace(/[%\\\n\r\t?#[\]^|~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
  return new URL(`file://${escaped}`)
}

/** The host in the URL standard's form; empty if it is invalid. @param {any} domain */
const domainToASCII = (domain) => {
  try {
    return new URL(`ws://${domain}`).hostname
  } catch {
    // Node returns an empty text for an invalid host too.
    return ''
  }
}

/** The URL's text without some of its parts. @param {URL} url @param {any} options */
const formatURL = (url, options) => {
  if (options !== undefined && (typeof options !== 'object' || options === null)) throw errors().wrongType('options', 'of type object', options)
  const { auth = true, fragment = true, search = true, unicode = false } = options ?? {}
  const copy = new URL(url.href)
  if (!auth) Object.assign(copy, { username: '', password: '' })
  if (!fragment) copy.hash = ''
  if (!search) copy.search = ''
  if (!unicode || copy.hostname === '') return copy.href
  const start = copy.href.indexOf(copy.hostname, copy.protocol.length + 2 + `${copy.username}:${copy.password}@`.length * Number(copy.username !== ''))
  return copy.href.slice(0, start) + require('strait:punycode').toUnicode(copy.hostname) + copy.href.slice(start + copy.hostname.length)
}

/** @param {any} given @param {any} [options] */
const format = (given, options) => {
  const { Url, parse } = require('strait:url-legacy')
  if (typeof given === 'string') return parse(given).format()
  if (typeof given !== 'object' || given === null) throw errors().wrongType('urlObject', 'one of type object or string', given)
  if (given instanceof URL) return formatURL(given, options)
  return Url.prototype.format.call(given)
}

/** The options that `http.request` takes. @param {URL} url */
const urlToHttpOptions = (url) => {
  const { hostname, pathname, port, username, password, hash, search, href, protocol } = url
  return {
    __proto__: null,
    ...url,
    protocol,
    hostname: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
    hash,
    search,
    pathname,
    path: `${pathname || ''}${search || ''}`,
    href,
    ...(port === '' ? {} : { port: Number(port) }),
    ...(username || password ? { auth: `${decodeURIComponent(username)}:${decodeURIComponent(password)}` } : {})
  }
}

const legacy = (/** @type {string} */ module, /** @type {string} */ name) => ({ [name]: (/** @type {any[]} */ ...args) => require(module)[name](...args) })[name]

module.exports = {
  URL,
  URLSearchParams,
  fileURLToPath,
  pathToFileURL,
  domainToASCII,
  domainToUnicode: (/** @type {any} */ domain) => require('strait:punycode').toUnicode(domainToASCII(domain)),
  format,
  urlToHttpOptions,
  parse: legacy('strait:url-legacy', 'parse'),
  resolve: legacy('strait:url-resolve', 'resolve'),
  resolveObject: legacy('strait:url-resolve', 'resolveObject'),
  get Url () { return require('strait:url-legacy').Url }
}
