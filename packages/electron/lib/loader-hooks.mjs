// Module hooks, which Node runs in a separate thread. `import ... from 'electron'` gives a module
// whose source text takes the object from the main thread's global.

let names = new Set()
let text = ''

export function initialize ({ names: known, exports }) {
  names = new Set(known)
  const lines = exports.map((name) => `export const ${name} = electron[${JSON.stringify(name)}]`)
  text = `const electron = globalThis[Symbol.for('strait.electron')]\nexport default electron\n${lines.join('\n')}\n`
}

export async function resolve (specifier, context, next) {
  return names.has(specifier) ? { url: `strait:${specifier}`, format: 'module', shortCircuit: true } : next(specifier, context)
}

export async function load (url, context, next) {
  return url.startsWith('strait:') ? { format: 'module', source: text, shortCircuit: true } : next(url, context)
}
