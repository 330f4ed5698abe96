'use strict'
// Runs the cases one after the other, by whatever `load` does with a file's name, and gives what each of them did as a line.

const show = (value, depth = 0) => {
  if (typeof value === 'function') return `function ${value.name}`
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value)
  if (depth > 2) return '...'
  if (Array.isArray(value)) return `[${value.map((item) => show(item, depth + 1)).join(', ')}]`
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  if (tag === 'Error') return value.name
  if (tag === 'Promise') return tag
  // What `import.meta` has is the host's.
  if (typeof value.url === 'string') return 'import.meta'
  return `${tag} {${Object.keys(value).map((name) => `${name}: ${show(value[name], depth + 1)}`).join(', ')}}`
}

/** @type {string[]} */
let lines = []
globalThis.note = (...values) => { lines.push(values.map((value) => show(value)).join(' ')) }

const shown = (namespace) => {
  try {
    return show(namespace)
  } catch (error) {
    return `which throws ${error.name}`
  }
}

/** @param {{ file: string }} one @param {(file: string) => Promise<any>} load */
const observe = async ({ file }, load) => {
  const { reset } = await load('library.mjs')
  reset()
  lines = []
  try {
    const namespace = await load(file)
    lines.push(`exports ${shown(namespace)}`)
    if (typeof namespace.change === 'function') {
      lines.push(`changed to ${show(namespace.change())}`)
      lines.push(`exports ${shown(namespace)}`)
    }
  } catch (error) {
    lines.push(`ended by ${error?.name ?? show(error)}`)
  }
  // Promises that a case left alone.
  await new Promise((resolve) => setTimeout(resolve, 0))
  return lines.join(' | ')
}

/** @param {{ file: string }[]} cases @param {(file: string) => Promise<any>} load */
const observeAll = async (cases, load) => {
  const all = []
  for (const one of cases) all.push(await observe(one, load))
  return all
}

module.exports = { observeAll }
