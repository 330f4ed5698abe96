'use strict'
// Members that Electron documents and Strait does not have, from the compatibility tables. A use of
// one throws an error that names it, so a program does not find `undefined`. Members that Electron
// has only on other systems stay `undefined`, as in Electron on Linux, because programs test for
// them.

/**
 * @type {Map<string, [string, string, string, string][]>} the rows of each page: signature, kind,
 * status, note
 */
const pages = new Map(require('./table').map(({ page, rows }) => [page, rows]))

const COMPATIBILITY = 'docs/electron-compatibility.md'

const nameOf = (signature) => /[\w-]+/.exec(signature)[0]
const missing = (page, kinds) => (pages.get(page) ?? []).filter(([, kind, status]) => status === 'no' && kinds.includes(kind)).map(([signature]) => nameOf(signature))

/** The place in the documentation that lists the members of a page. */
const place = (page) => `${COMPATIBILITY}#${page.toLowerCase().replaceAll(/[^a-z]/g, '')}`

/** @param called the object's name in programs, if that is not the page's name */
const refusal = (page, member, called = page) => new Error(`${called}.${member} is not supported by Strait (${place(page)})`)

/** Adds the page's unsupported members of these kinds to `object`, unless it has them. */
function fill (object, page, methods, properties) {
  const fail = (member) => { throw refusal(page, member) }
  const add = (member, description) => {
    if (!(member in object)) Object.defineProperty(object, member, { ...description, configurable: true, enumerable: false })
  }
  for (const member of missing(page, methods)) add(member, { value: () => fail(member), writable: true })
  // Reading such a property throws, and setting it does too.
  for (const member of missing(page, properties)) add(member, { get: () => fail(member), set: () => fail(member) })
}

/** Printed warnings, because each is printed once. */
const said = new Set()
function warn (text) {
  if (said.has(text)) return
  said.add(text)
  console.warn(text)
}

/**
 * Completes a class, and `beside`, the object with the page's functions. A listener for an
 * unsupported event causes a warning and not an error, because it does no harm.
 */
function refuse (constructor, page, beside = constructor) {
  const { prototype } = constructor
  fill(prototype, page, ['method'], ['property'])
  fill(beside, page, ['function'], [])
  const events = new Set(missing(page, ['event']))
  if (events.size === 0) return
  for (const name of ['on', 'addListener', 'prependListener']) {
    const add = prototype[name]
    const value = function (type, listener) {
      if (events.has(type)) warn(`${page}: the event '${type}' is not supported by Strait and never comes (${place(page)})`)
      return Reflect.apply(add, this, [type, listener])
    }
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true, enumerable: false })
  }
}

const withoutEffect = (page, name) => warn(`${page}: the option '${name}' is not supported by Strait and has no effect (${place(page)})`)

/** Warns of the options that have no effect. */
function checkOptions (page, options) {
  for (const name of missing(page, ['option'])) if (options[name] !== undefined) withoutEffect(page, name)
}

/** Like `checkOptions`, but warns of every option that is not in the table too. */
function checkAllOptions (page, options) {
  const listed = new Map((pages.get(page) ?? []).filter(([, kind]) => kind === 'option').map(([signature, , status]) => [nameOf(signature), status]))
  for (const name of Object.keys(options)) if (options[name] !== undefined && (listed.get(name) ?? 'no') === 'no') withoutEffect(page, name)
}

/**
 * Names that programs, loaders and the console read of any object. They are `undefined` in a
 * stand-in.
 */
const ASKED_OF_ALL = new Set(['then', 'default', 'toJSON', 'constructor', 'toString', 'valueOf', 'inspect', '__esModule', '$$typeof', 'nodeType', 'prototype', 'name', 'length'])

/**
 * A stand-in for a missing member. A program can import it, as many do without using it; any use
 * throws.
 */
function stand (page, name, called) {
  const fail = () => { throw refusal(page, name, called) }
  // A function, because only functions can be called and constructed.
  return new Proxy(function () {}, {
    get: (target, member) => typeof member === 'symbol' || ASKED_OF_ALL.has(member) ? undefined : fail(),
    set: fail,
    apply: fail,
    construct: fail
  })
}

/**
 * The object that `require` returns: `members`, and a stand-in for every other member that Electron
 * documents. Members that Electron has only in other kinds of processes are `undefined` here too,
 * because code that runs in several kinds tests for them.
 */
function exported (page, members) {
  // Programs call the object `electron` in every kind of process.
  const stands = new Map(missing(page, ['export']).map((name) => [name, stand(page, name, 'electron')]))
  return new Proxy(members, { get: (target, name) => target[name] ?? stands.get(name) })
}

/**
 * The names of the stand-ins in `exported`, which ES modules can import as CommonJS modules can.
 */
const missingExports = (page) => missing(page, ['export'])

module.exports = { refuse, missingExports, checkOptions, checkAllOptions, exported, refusal, warn }
