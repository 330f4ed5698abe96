'use strict'
// Writes the modules: `node generate.cjs FOLDER [EVERY]`, every position with every form of import (or one in EVERY of them), and `cases.json` with their names.
const fs = require('node:fs')
const path = require('node:path')

const [folder, every = '1'] = process.argv.slice(2)
const read = (name) => fs.readFileSync(path.join(__dirname, name), 'utf8')
const positions = read('positions.txt').split('\n').filter((line) => line !== '' && !line.startsWith('#'))
const cases = []
let number = 0
for (const [form, statement, expression, local] of JSON.parse(read('forms.json'))) {
  for (const position of positions) {
    const names = [/\bIT\b/, /\bID\b/].map((word) => word.test(position))
    if ((local === '' && names[1]) || (form !== 'named' && !names[0] && !names[1])) continue
    if (number++ % Number(every) !== 0) continue
    const body = position.replaceAll('\\n', '\n').replaceAll(/\bIT\b/g, () => expression).replaceAll(/\bID\b/g, () => local)
    // A statement at its end, on a line of its own or on the one before.
    const text = number % 2 === 0 ? `${statement}\n${body}\n` : `${statement};${body}`
    const file = `case-${cases.length}.mjs`
    fs.writeFileSync(path.join(folder, file), text)
    cases.push({ file, text })
  }
}
fs.copyFileSync(path.join(__dirname, 'library.mjs'), path.join(folder, 'library.mjs'))
fs.copyFileSync(path.join(__dirname, 'observe.cjs'), path.join(folder, 'observe.cjs'))
fs.writeFileSync(path.join(folder, 'cases.json'), JSON.stringify(cases))
