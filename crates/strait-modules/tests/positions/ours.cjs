'use strict'
// What the transformed cases do in Node's engine: `node ours.cjs FOLDER LINKER TEXTS`.
const path = require('node:path')
const { makeModules } = require('../host.cjs')

const [folder, linker, texts] = process.argv.slice(2)
process.on('unhandledRejection', () => {})
const { observeAll } = require(path.join(folder, 'observe.cjs'))
const load = makeModules(linker, texts).importer(path.join(folder, 'main.mjs'))
observeAll(require(path.join(folder, 'cases.json')), (file) => load(`./${file}`)).then((lines) => console.log(JSON.stringify(lines)))
