'use strict'
// What Electron documents and Strait does not have, by the compatibility tables: whoever uses it is told so by name, instead of finding `undefined`.
// What Electron has on other systems only stays `undefined`, as in Electron on Linux: programs ask for that before they use it.

/** @type {Map<string, [string, string, string, string][]>} the rows of each page: signature, kind, status, note */
const pages = new Map(require('./table').map(({ page, rows }) => [page, rows]))

const COMPATIBILITY = 'docs/electron-compatibility.md'

const nameOf = (signature) => /[\w-]+/.exec(signature)[0]
const missing = (page, kinds) => (pages.get(page) ?? []).filter(([, kind, status]) => status === 'no' && kinds.includes(kind)).map(([signature]) => nameOf(signature))

/** Where the documentation lists what a page has. */
const place = (page) => `${COMPATIBILITY}#${page.toLowerCase().replaceAll(/[^a-z]/g, '')}`

/** `called`: what the program calls the object, where that is not the page's name. */
const refusal = (page, member, called = page) => new Error(`${called}.${member} is not supported by Strait (${place(page)})`)

/** Gives `object` what the page has of these kinds and it does not have itself. */
function fill (object, page, methods, properties) {
  const fail = (member) => { throw refusal(page, member) }
  const add = (member, description) => {
    if (!(member in object)) Object.defineProperty(object, member, { ...description, configurable: true, enumerable: false })
  }
  for (const member of missing(page, methods)) add(member, { value: () => fail(member), writable: true })
  // To read them is to use them, and so is to set them.
  for (const member of missing(page, properties)) add(member, { get: () => fail(member), set: () => fail(member) })
}

/** What has been said once is not said again. */
const said = new Set()
function warn (text) {
  if (said.has(text)) return
  said.add(text)
  console.warn(text)
}

/**
 * Completes a class, and what else the page has beside its instances.
 * A listener for an event that never comes is no mistake of the program's, so there is a warning and no error.
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

/** Says which options have no effect. */
function checkOptions (page, options) {
  for (const name of missing(page, ['option'])) if (options[name] !== undefined) withoutEffect(page, name)
}

/** The same where every option that is not in the table is a mistake. */
function checkAllOptions (page, options) {
  const listed = new Map((pages.get(page) ?? []).filter(([, kind]) => kind === 'option').map(([signature, , status]) => [nameOf(signature), status]))
  for (const name of Object.keys(options)) if (options[name] !== undefined && (listed.get(name) ?? 'no') === 'no') withoutEffect(page, name)
}

/** Names that programs, loaders and the console ask every object for; a stand has none of them. */
const ASKED_OF_ALL = new Set(['then', 'default', 'toJSON', 'constructor', 'toString', 'valueOf', 'inspect', '__esModule', '$$typeof', 'nodeType', 'prototype', 'name', 'length'])

/** A member that can be imported, as many are that no line uses, but not be used. */
function stand (page, name, called) {
  const fail = () => { throw refusal(page, name, called) }
  // A function, so that it can be called and constructed.
  return new Proxy(function () {}, {
    get: (target, member) => typeof member === 'symbol' || ASKED_OF_ALL.has(member) ? undefined : fail(),
    set: fail,
    apply: fail,
    construct: fail
  })
}

/**
 * What `require` gives: `members`, and for everything else that Electron documents something that says so when it is used. What Electron has only in other
 * kinds of processes is `undefined` there too: code that runs in several asks so where it is.
 */
function exported (page, members) {
  // Whichever process it is in, a program calls it `electron`.
  const stands = new Map(missing(page, ['export']).map((name) => [name, stand(page, name, 'electron')]))
  return new Proxy(members, { get: (target, name) => target[name] ?? stands.get(name) })
}

/** The names of what `exported` has for what is missing: an ES module can import them, as CommonJS can. */
const missingExports = (page) => missing(page, ['export'])

module.exports = { refuse, missingExports, checkOptions, checkAllOptions, exported, refusal, warn }
