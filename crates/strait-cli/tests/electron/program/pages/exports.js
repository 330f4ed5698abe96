'use strict'
// https://www.electronjs.org/docs/latest/ : what `require('electron')` gives in main and in pages.
const electron = require('electron')
const fs = require('fs')
const path = require('path')

/** What Strait's `electron` has and Electron's has not: docs/message-ports.md. */
const OWN = ['MessagePortMain']

/** The names that the table calls supported, and those that it calls missing. */
const namesOf = (file) => {
  const { rows } = JSON.parse(fs.readFileSync(path.join(__dirname, '../../../../../../packages/electron/compatibility', `${file}.json`), 'utf8'))
  const having = (chosen) => rows.filter(([, , status]) => chosen.includes(status)).map(([name]) => name)
  return { supported: having(['yes', 'differs']), missing: having(['no']) }
}

const main = namesOf('exports-main')
const renderer = namesOf('exports-renderer')

module.exports = (test) => {
  test(main.supported.map((name) => `electron.${name}`), 'succeeds', 'what main requires is there, always the same, and usable', (t) => {
    for (const name of main.supported) {
      const member = electron[name]
      t.ok(['object', 'function'].includes(typeof member) && member !== null, name)
      t.equal(require('electron')[name], member, name)
      // A stand-in for what is missing refuses this.
      t.equal(typeof member.surelyNotThere, 'undefined', name)
    }
    // All that it lists is real, and nothing real is left out.
    t.deepEqual(Object.keys(electron).sort(), [...main.supported, ...OWN].sort())
  })

  test(renderer.supported.map((name) => `electron/renderer.${name}`), 'succeeds', 'what a page requires is there, always the same, and usable', async (t) => {
    const window = await t.page()
    const wrong = await t.run(window, (names) => {
      const electron = require('electron')
      const real = (member) => typeof member === 'function' || (typeof member === 'object' && member !== null)
      return names.filter((name) => !real(electron[name]) || require('electron')[name] !== electron[name])
    }, renderer.supported)
    t.deepEqual(wrong, [])
  })
}
