// Runs the tests of one page of Electron's documentation: `strait run program -- PAGE [WORD...]`.
// A test is registered with what it shows of the compatibility table (../../../../../packages/electron/compatibility/), which it covers if it passes.
'use strict'
const { app } = require('electron')
const { Test, words } = require('./kit')

const [page, ...chosen] = process.argv.slice(2)
const tests = []

/**
 * @param {string | string[]} ids what of the table: 'webContents.send', 'app:ready', ...
 * @param {'succeeds' | 'fails'} cell
 * @param {string} title
 * @param {(t: Test) => unknown} body
 */
const test = (ids, cell, title, body) => tests.push({ ids: [ids].flat(), cell, title, body })

require(`./pages/${page}`)(test)
app.on('window-all-closed', () => {})

app.whenReady().then(async () => {
  let passed = 0
  let failed = 0
  for (const { ids, cell, title, body } of tests) {
    const name = `${page}: ${title}`
    if (!chosen.every((word) => `${name} ${ids.join(' ')}`.includes(word))) continue
    const t = new Test()
    const start = Date.now()
    try {
      await t.within(body(t))
      if (t.assertions === 0) throw new Error('the test asserts nothing')
      await t.end()
      console.log(`ok      ${name} (${Date.now() - start} ms)`)
      for (const id of ids) console.log(`covered ${id} ${cell}`)
      passed += 1
    } catch (error) {
      console.log(`FAILED  ${name} (${Date.now() - start} ms): ${words(error)}`)
      failed += 1
      await t.end().catch(() => {})
    }
  }
  console.log(`${passed} passed, ${failed} failed`)
  app.exit(failed === 0 ? 0 : 1)
})
