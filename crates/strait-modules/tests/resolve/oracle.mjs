// Says how Node resolves each query: `node -C electron oracle.mjs ROOT QUERIES`. A line for each: from, kind, name, and the file or the error.
import { createRequire, isBuiltin } from 'node:module'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const [root, queries] = process.argv.slice(2)
const show = (text) => text.replaceAll(pathToFileURL(root).href, '{url}').replaceAll(root, '{root}')
const failed = (error) => `${error.code}: ${error.message.split('\nRequire stack:')[0].split('\n')[0]}`
for (const line of readFileSync(queries, 'utf8').trim().split('\n')) {
  const [from, names] = line.split(': ', 2)
  const file = `${root}/${from}`
  const require = createRequire(file)
  const probe = await import(pathToFileURL(file).href)
  for (const shown of names.split(' ')) {
    const name = shown.replace('{url}', pathToFileURL(root).href).replace('{root}', root)
    let required, imported
    try {
      required = require.resolve(name)
      if (isBuiltin(required)) required = 'node:' + required.replace('node:', '')
    } catch (error) {
      required = failed(error)
    }
    try {
      const module = await probe.load(name)
      imported = typeof module.default === 'string' ? module.default : 'node:' + name.replace('node:', '')
    } catch (error) {
      imported = failed(error)
    }
    console.log(show(`${from} require ${shown} -> ${required}`))
    console.log(show(`${from} import ${shown} -> ${imported}`))
  }
}
