'use strict'
// Runs a program of the corpus with our linker: `node runner.cjs LINKER TEXTS ENTRY`.
const { makeModules } = require('../host.cjs')

const [linker, texts, entry] = process.argv.slice(2)
const modules = makeModules(linker, texts)
try {
  Promise.resolve(modules.run(entry)).catch((error) => console.log(`ended by ${error.name}: ${error.message.split('\n')[0]}`))
} catch (error) {
  console.log(`ended by ${error.name}: ${error.message.split('\n')[0]}`)
}
