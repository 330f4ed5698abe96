// Long arrays and texts, which the codec writes and reads by functions of Node's.
const { MessageChannelMain } = require('electron')

const { port1, port2 } = new MessageChannelMain()
const through = (value) => new Promise((resolve) => {
  port2.once('message', ({ data }) => resolve(data))
  port1.postMessage(value)
})
port2.start()

const numbers = () => Array.from({ length: 100 }, (_, index) => index)
const holes = (array) => array.length - Object.keys(array).filter((key) => /^\d+$/.test(key)).length
const named = (array) => Object.keys(array).filter((key) => !/^\d+$/.test(key)).join()

const withHole = numbers()
delete withHole[7]
const withName = Object.assign(numbers(), { name: 'x' })
const withBoth = Object.assign(numbers(), { name: 'x' })
delete withBoth[7]
const withoutLast = numbers()
withoutLast.length = 101
const withSymbol = Object.assign(numbers(), { [Symbol('s')]: 1 })
const withHidden = Object.defineProperty(numbers(), 5, { enumerable: false })
let read = 0
const withGetter = Object.defineProperty(numbers(), 5, { get () { read++; delete withGetter[6]; return 'got' } })

async function main () {
  const arrays = { plain: numbers(), withHole, withName, withBoth, withoutLast, withSymbol, withHidden, withGetter }
  for (const [name, array] of Object.entries(arrays)) {
    const got = await through(array)
    console.log(name, got.length, holes(got), named(got), got[5], got[7], 7 in got)
  }
  console.log('the getter ran', read)
  const texts = { ascii: 'abc'.repeat(200), latin: 'höhe'.repeat(200), cyrillic: 'привет'.repeat(200), late: 'a'.repeat(600) + 'ж', lone: 'x\ud800'.repeat(300), short: 'ж\udc00é', sixteen: 'é'.repeat(16) }
  for (const [name, text] of Object.entries(texts)) console.log(name, await through(text) === text, await through([text, 1, text]).then(([one, , other]) => one === text && other === text))
  const doubles = [0.1, -0, NaN, Infinity, 5e-324, 2 ** 53, -2147483649]
  console.log((await through(doubles)).map((value) => Object.is(value, -0) ? '-0' : String(value)).join())
  process.exit()
}
main()
