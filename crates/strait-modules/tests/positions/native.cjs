'use strict'
// What Node does with the cases: `node native.cjs FOLDER`.
const path = require('node:path')

const folder = process.argv[2]
process.on('unhandledRejection', () => {})
const { observeAll } = require(path.join(folder, 'observe.cjs'))
observeAll(require(path.join(folder, 'cases.json')), (file) => import(path.join(folder, file))).then((lines) => console.log(JSON.stringify(lines)))
