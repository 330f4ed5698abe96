'use strict'
// The legacy half of Node's `url`: `parse`, `resolve` and `format` of objects
// (https://nodejs.org/api/url.html#legacy-url-api).

const querystring = require('querystring')
const { coded, wrongType } = require('strait:errors')

/** Protocols whose URLs have `//` and a host. */
const SLASHED = ['http', 'https', 'ftp', 'gopher', 'file', 'ws', 'wss']
const isSlashed = (/** @type {string | null} */ protocol) => protocol !== null && SLASHED.includes(protocol.replace(/:$/, ''))
const isScript = (/** @type {string | null} */ protocol) => protocol === 'javascript' || protocol === 'javascript:'

/** Characters that a host cannot have, in any spelling. */
const FORBIDDEN = /[\0\t\n\r #%/:<>?@[\\\]^|]/
const FORBIDDEN_IN_IPV6 = /[\0\t\n\r #%/<>?@\\^|]/

const FIELDS = ['protocol', 'slashes', 'auth', 'host', 'port', 'hostname', 'hash', 'search', 'query', 'pathname', 'path', 'href']

/** @this {any} */
function Url () {
  for (const field of FIELDS) this[field] = null
}

const percent = (/** @type {string} */ char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`

/**
 * Removes spaces at both ends, and replaces backslashes before a query or a hash by slashes.
 * @param {string} text
 */
const tidy = (text) => {
  const trimmed = text.trim()
  const end = trimmed.search(/[?#]/)
  return end < 0 ? trimmed.replaceAll('\\', '/') : trimmed.slice(0, end).replaceAll('\\', '/') + trimmed.slice(end)
}

/** The host in the form of DNS; empty if it is invalid. @param {string} host */
const toASCII = (host) => {
  if (!/[^\0-\x7f]/.test(host)) return host.toLowerCase()
  try {
    return new URL(`ws://${host}`).hostname
  } catch {
    // The host is invalid, which the caller reports.
    return ''
  }
}

/** The end of the host, and of a user name, in the text after the slashes. @param {string} rest */
const authorityOf = (rest) => {
  let user = -1
  let stop = -1
  for (let at = 0; at < rest.length; at++) {
    const char = rest[at]
    if (char === '@') {
      user = at
      stop = -1
    } else if ('/?#'.includes(char)) {
      if (stop < 0) stop = at
      break
    } else if (stop < 0 && ' "%\';<>\\^`{|}'.includes(char)) stop = at
  }
  return { user, stop }
}

/**
 * Reads the host, and returns the text after it.
 * @param {any} url @param {string} rest @param {string} whole
 */
const takeHost = (url, rest, whole) => {
  const end = rest.search(/[/?#]/)
  const authority = (end < 0 ? rest : rest.slice(0, end)).replace(/[\t\n\r]/g, '')
  rest = authority + (end < 0 ? '' : rest.slice(end))
  const { user, stop } = authorityOf(rest)
  if (user >= 0) url.auth = decodeURIComponent(rest.slice(0, user))
  let host = stop < 0 ? rest.slice(user + 1) : rest.slice(user + 1, stop)
  rest = stop < 0 ? '' : rest.slice(stop)
  const port = /:[0-9]*$/.exec(host)?.[0] ?? ''
  if (port.length > 1) url.port = port.slice(1)
  host = host.slice(0, host.length - port.length)

  const isIpv6 = host.startsWith('[') && host.endsWith(']')
  const wrong = () => Object.assign(coded(TypeError, 'ERR_INVALID_URL', 'Invalid URL'), { input: whole })
  let name = host
  if (!isIpv6) {
    const bad = name.search(/[/\\#?:]/)
    if (bad >= 0) {
      rest = `/${name.slice(bad)}${rest}`
      name = name.slice(0, bad)
    }
  }
  name = name.length > 255 ? '' : name.toLowerCase()
  if (name !== '') {
    if (isIpv6) {
      if (FORBIDDEN_IN_IPV6.test(name)) throw wrong()
    } else {
      name = toASCII(name)
      if (name === '' || FORBIDDEN.test(name)) throw wrong()
    }
  }
  url.hostname = name
  url.host = name + (url.port === null ? '' : `:${url.port}`)
  if (isIpv6) {
    url.hostname = name.slice(1, -1)
    if (rest[0] !== '/') rest = `/${rest}`
  }
  return rest
}

/** @param {any} text @param {boolean} [parseQuery] @param {boolean} [slashesDenoteHost] */
const parse = (text, parseQuery = false, slashesDenoteHost = false) => {
  if (text instanceof Url) return text
  if (typeof text !== 'string') throw wrongType('url', 'of type string', text)
  /** @type {any} */
  const url = new /** @type {any} */ (Url)()
  const hasHash = text.includes('#')
  let rest = tidy(text)

  if (!slashesDenoteHost && !hasHash && !text.includes('@')) {
    const simple = /^(\/\/?(?!\/)[^?\s]*)(\?\S*)?$/.exec(rest)
    if (simple !== null) {
      const [, pathname, search] = simple
      Object.assign(url, { path: rest, href: rest, pathname })
      if (search !== undefined) {
        url.search = search
        url.query = parseQuery ? querystring.parse(search.slice(1)) : search.slice(1)
      } else if (parseQuery) url.query = Object.create(null)
      return url
    }
  }

  const protocol = /^[a-z0-9.+-]+:/i.exec(rest)?.[0]
  const lower = protocol?.toLowerCase() ?? null
  if (protocol !== undefined) {
    url.protocol = lower
    rest = rest.slice(protocol.length)
  }
  let hasSlashes = false
  if (slashesDenoteHost || protocol !== undefined || /^\/\/[^@/]+@[^@/]+/.test(rest)) {
    hasSlashes = rest.startsWith('//')
    if (hasSlashes && !isScript(lower)) {
      rest = rest.slice(2)
      url.slashes = true
    }
  }
  if (!isScript(lower) && (hasSlashes || (protocol !== undefined && !isSlashed(protocol)))) rest = takeHost(url, rest, text)
  if (!isScript(lower)) rest = rest.replace(/[\t\n\r "'<>\\^`{|}]/g, percent)

  const hash = rest.indexOf('#')
  if (hash >= 0) {
    url.hash = rest.slice(hash)
    rest = rest.slice(0, hash)
  }
  const question = rest.indexOf('?')
  if (question >= 0) {
    url.search = rest.slice(question)
    url.query = parseQuery ? querystring.parse(rest.slice(question + 1)) : rest.slice(question + 1)
    rest = rest.slice(0, question)
  } else if (parseQuery) {
    url.query = Object.create(null)
  }
  if (rest !== '') url.pathname = rest
  if (isSlashed(lower) && url.hostname && !url.pathname) url.pathname = '/'
  if (url.pathname || url.search) url.path = (url.pathname ?? '') + (url.search ?? '')
  url.href = url.format()
  return url
}

/** Encodes a user name, which may contain some characters unencoded. */
const encodeAuth = (/** @type {string} */ auth) => encodeURIComponent(auth).replace(/%3A/gi, ':')

Url.prototype.parse = /** @this {any} */ function (/** @type {any} */ text, /** @type {any} */ parseQuery, /** @type {any} */ slashesDenoteHost) {
  return Object.assign(this, parse(text, parseQuery, slashesDenoteHost))
}

Url.prototype.format = /** @this {any} */ function () {
  const auth = this.auth ? `${encodeAuth(this.auth)}@` : ''
  let protocol = this.protocol || ''
  let pathname = this.pathname || ''
  let hash = this.hash || ''
  let host = ''
  if (this.host) host = auth + this.host
  else if (this.hostname) {
    const isBare = this.hostname.includes(':') && !/^\[.*\]$/.test(this.hostname)
    host = auth + (isBare ? `[${this.hostname}]` : this.hostname) + (this.port ? `:${this.port}` : '')
  }
  const query = this.query !== null && typeof this.query === 'object' ? querystring.stringify(this.query) : ''
  let search = this.search || (query && `?${query}`) || ''
  if (protocol && !protocol.endsWith(':')) protocol += ':'
  pathname = pathname.replace(/[?#]/g, percent)
  if (this.slashes || isSlashed(protocol)) {
    if (this.slashes || host) {
      if (pathname && !pathname.startsWith('/')) pathname = `/${pathname}`
      host = `//${host}`
    } else if (protocol.startsWith('file')) host = '//'
  }
  if (search && !search.startsWith('?')) search = `?${search}`
  if (hash && !hash.startsWith('#')) hash = `#${hash}`
  return protocol + host + pathname + search.replaceAll('#', '%23') + hash
}

Url.prototype.resolve = /** @this {any} */ function (/** @type {any} */ reference) {
  return this.resolveObject(reference).href
}

Url.prototype.resolveObject = /** @this {any} */ function (/** @type {any} */ reference) {
  return require('strait:url-resolve').resolveObject(this, reference)
}

module.exports = { Url, parse, isSlashed }
