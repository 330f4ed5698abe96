'use strict'
// `url.resolve` (https://nodejs.org/api/url.html#urlresolvefrom-to): resolves a reference in a
// document, by the older rules of browsers.

const { Url, parse, isSlashed } = require('strait:url-legacy')

const namesOf = (/** @type {string | null} */ path) => (path ? path.split('/') : [])

/** Sets the fields that depend on other fields. @param {any} url */
const complete = (url) => {
  if (url.pathname !== null || url.search !== null) url.path = (url.pathname || '') + (url.search || '')
  url.href = url.format()
  return url
}

/**
 * Resolves a reference whose protocol differs from the document's.
 * @param {any} url the document @param {any} target
 */
const intoOtherProtocol = (url, target) => {
  if (!isSlashed(target.protocol)) {
    Object.assign(url, target)
    url.href = url.format()
    return url
  }
  let { host, hostname, pathname } = target
  if (!host && target.protocol !== 'file:') {
    // In a path without a host, the first name is the host.
    const names = namesOf(pathname)
    host = ''
    while (names.length > 0 && host === '') host = names.shift()
    hostname ||= ''
    pathname = `/${names[0] === '' ? names.slice(1).join('/') : names.join('/')}`
  }
  const { protocol, search, query, auth, port } = target
  Object.assign(url, { protocol, pathname, search, query, auth, port, host: host || '', hostname: hostname || host, slashes: url.slashes || target.slashes })
  if (url.pathname || url.search) url.path = (url.pathname || '') + (url.search || '')
  url.href = url.format()
  return url
}

/** Removes `.` and `..`; `above` is the number of remaining `..`. @param {string[]} names */
const withoutDots = (names) => {
  /** @type {string[]} */
  const kept = []
  let above = 0
  for (const name of names.toReversed()) {
    if (name === '.') continue
    if (name === '..') above++
    else if (above > 0) above--
    else kept.unshift(name)
  }
  return { kept, above }
}

/**
 * For paths that begin without a slash, the first name serves as the host meanwhile.
 * @param {any} url @param {string[]} names
 */
const hostFromNames = (url, names) => {
  const host = names.shift() ?? ''
  url.host = host
  url.hostname = host
  const at = host.indexOf('@')
  if (at > 0) {
    const parts = host.split('@')
    url.auth = parts[0]
    url.host = parts[1]
    url.hostname = parts[1]
  }
}

/** @param {any} base the document @param {any} reference */
const resolveObject = (base, reference) => {
  /** @type {any} */
  const url = Object.assign(new /** @type {any} */ (Url)(), base)
  const target = Object.assign(new /** @type {any} */ (Url)(), reference)
  url.hash = target.hash
  if (target.href === '') {
    url.href = url.format()
    return url
  }
  if (target.slashes && !target.protocol) {
    const { protocol } = url
    Object.assign(url, target, { protocol })
    if (isSlashed(protocol) && url.hostname && !url.pathname) {
      url.path = '/'
      url.pathname = '/'
    }
    url.href = url.format()
    return url
  }
  if (target.protocol && target.protocol !== url.protocol) return intoOtherProtocol(url, target)

  let names = namesOf(url.pathname)
  const added = namesOf(target.pathname)
  const replaces = Boolean(target.host) || target.pathname?.[0] === '/'
  const becomesAbsolute = replaces || url.pathname?.[0] === '/' || Boolean(url.host && target.pathname)
  let mustBeAbsolute = becomesAbsolute
  const isFlat = Boolean(url.protocol) && !isSlashed(url.protocol)
  if (isFlat) {
    const lead = (/** @type {string[]} */ list, /** @type {string | null} */ host) => {
      if (host) list.splice(0, list[0] === '' ? 1 : 0, host)
    }
    lead(names, url.host)
    Object.assign(url, { host: '', hostname: '', port: null })
    if (target.protocol) {
      lead(added, target.host)
      Object.assign(target, { host: null, hostname: null, port: null })
      url.auth = null
    }
    mustBeAbsolute = becomesAbsolute && (added[0] === '' || names[0] === '')
  }

  if (replaces) {
    for (const field of ['host', 'hostname']) {
      if (!target[field] && target[field] !== '') continue
      if (url[field] !== target[field]) url.auth = null
      url[field] = target[field]
      if (field === 'host') url.port = target.port
    }
    names = added
  } else if (added.length > 0) {
    names = [...names.slice(0, -1), ...added]
  } else if (target.search !== null) {
    if (isFlat) hostFromNames(url, names)
    Object.assign(url, { search: target.search, query: target.query })
    return complete(url)
  }
  if (replaces || added.length > 0) Object.assign(url, { search: target.search, query: target.query })

  if (names.length === 0) {
    url.pathname = null
    url.path = url.search ? `/${url.search}` : null
    url.href = url.format()
    return url
  }

  const last = names[names.length - 1]
  const isFolder = last === '' || ((last === '.' || last === '..') && Boolean(url.host || target.host || names.length > 1))
  const { kept, above } = withoutDots(names)
  names = kept
  if (!becomesAbsolute && !mustBeAbsolute) names.unshift(...Array(above).fill('..'))
  if (mustBeAbsolute && names[0] !== '') names.unshift('')
  if (isFolder && !names.join('/').endsWith('/')) names.push('')
  const isAbsolute = names[0] === ''
  if (isFlat) {
    if (isAbsolute) Object.assign(url, { host: '', hostname: '' })
    else hostFromNames(url, names)
  }
  if ((mustBeAbsolute || (url.host && names.length > 0)) && !isAbsolute) names.unshift('')
  url.pathname = names.length > 0 ? names.join('/') : null
  if (names.length === 0) url.path = null
  url.auth = target.auth || url.auth
  url.slashes = url.slashes || target.slashes
  return complete(url)
}

const resolve = (/** @type {any} */ from, /** @type {any} */ to) => resolveObject(parse(from, false, true), parse(to, false, true)).format()

module.exports = {
  resolve,
  resolveObject: (/** @type {any} */ from, /** @type {any} */ to) => (from ? resolveObject(parse(from, false, true), parse(to, false, true)) : to)
}
