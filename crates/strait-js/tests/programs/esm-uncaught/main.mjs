// An ES module by its name. It requires a module of its own cycle, and ends by an error that nobody catches.
import './cycle.cjs'
import { app } from 'electron'

console.log('begins', app.isReady())
await null
const fail = () => {
  throw new Error('nobody catches this')
}
fail()
