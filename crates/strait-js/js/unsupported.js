'use strict'
// What Electron documents and Strait does not have, from the tables in electron/: whoever uses it is told so by name, instead of finding `undefined`.
// What Electron has on other systems only stays `undefined`, as in Electron on Linux: programs ask for that before they use it.

/** @type {Map<string, [string, string, string, string][]>} the rows of each page: signature, kind, status, note */
const pages = new Map(require('strait:table').map(({ page, rows }) => [page, rows]))

const COMPATIBILITY = 'docs/electron-compatibility.md'

const nameOf = (signature) => /[\w-]+/.exec(signature)[0]
const missing = (page, kinds) => (pages.get(page) ?? []).filter(([, kind, status]) => status === 'no' && kinds.includes(kind)).map(([signature]) => nameOf(signature))

/** Where the documentation lists what a page has. */
const place = (page) => `${COMPATIBILITY}#${page.toLowerCase().replaceAll(/[^a-z]/g, '')}`

const refusal = (page, member) => new Error(`${page}.${member} is not supported by Strait (${place(page)})`)

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

/** Says which options have no effect. */
function checkOptions (page, options) {
  for (const name of missing(page, ['option'])) {
    if (options[name] !== undefined) warn(`${page}: the option '${name}' is not supported by Strait and has no effect (${place(page)})`)
  }
}

/** Names that programs, loaders and the console ask every object for; a stand has none of them. */
const ASKED_OF_ALL = new Set(['then', 'default', 'toJSON', 'constructor', 'toString', 'valueOf', 'inspect', '__esModule', '$$typeof', 'nodeType', 'prototype', 'name', 'length'])

/** A member that can be imported, as many are that no line uses, but not be used. */
function stand (page, name) {
  const fail = () => { throw refusal(page, name) }
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
  const stands = new Map(missing(page, ['export']).map((name) => [name, stand(page, name)]))
  return new Proxy(members, { get: (target, name) => target[name] ?? stands.get(name) })
}

module.exports = { refuse, checkOptions, exported, refusal, warn }
