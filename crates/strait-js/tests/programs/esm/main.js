import { app, ipcMain as ipc } from 'electron'
import electron from 'electron/main'
import * as everything from 'electron'
import fs, { readFileSync } from 'node:fs'
import path from 'path'
import { helper } from '#helper'
import { helper as again } from 'esm-program/self'
import both from 'both'
import plain, { named } from 'plain'
import { only } from 'esm-only'
import data from './data.json' with { type: 'json' }
import { count, add } from './counter.mjs'
import { createRequire } from 'module'

console.log('electron', app === electron.app, ipc === electron.ipcMain, everything.app === app)
console.log('builtins', fs.readFileSync === readFileSync, path.basename(import.meta.filename), import.meta.url === 'file://' + import.meta.filename)
console.log('names', helper(), again === helper, both, plain.named, named, only, data.value)
add()
console.log('live', count, typeof exports, typeof module, this)
console.log('resolve', import.meta.resolve('./helper.js').endsWith('/helper.js'), import.meta.resolve('fs'), import.meta.dirname === path.dirname(import.meta.filename))

const require = createRequire(import.meta.url)
console.log('require', require('both'), require('./required.mjs').default, require('./data.json').value, require('./common.cjs').fromModule)
for (const name of ['./waits.mjs', './gone.js', 'nope', './common-cycle.cjs', 'node:nope']) {
  try { console.log(name, require(name)) } catch (error) { console.log(name, error.code, error.message.split('\n')[0].replaceAll(import.meta.dirname, '{}').split(' has ')[0]) }
}
for (const name of ['./gone.js', 'nope', './absent.mjs', './syntax.mjs', './throws.mjs', './data.json', './wants-menu.mjs', 'https://x/']) {
  try { console.log(name, await import(name)) } catch (error) {
    console.log(name, error.name, error.code, error.message.split('\n')[0].replaceAll(import.meta.dirname, '{}').split(' by Strait')[0])
    if (/absent|syntax|throws/.test(name)) console.log(error.stack.split('\n')[1].replaceAll(import.meta.dirname, '{}'))
  }
}
console.log('top level', app.isReady(), await fs.promises.readFile(import.meta.dirname + '/data.json', 'utf8').then((text) => text.trim()))
app.on('ready', () => console.log('ready'))
const { lazy } = await import('./lazy.cjs').then((ns) => ns.default)
console.log(await lazy())
await new Promise((resolve) => setTimeout(resolve, 20))
console.log('still not', app.isReady())
await app.whenReady()
console.log('after', app.isReady())

function fail () { throw new RangeError('at its place') }
try { fail() } catch (error) { console.log(error.stack.replaceAll(import.meta.dirname, '{}')) }
setTimeout(() => { app.quit() }, 1)
