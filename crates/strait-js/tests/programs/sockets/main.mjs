// At its top level: servers and sockets do not keep `ready` back.
import { app } from 'electron'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import fs from 'node:fs'

const once = (emitter, type) => new Promise((resolve) => emitter.once(type, (...args) => resolve(args)))
const all = async (socket) => {
  let said = ''
  for await (const chunk of socket) said += chunk
  return said
}

const server = net.createServer((socket) => {
  socket.setEncoding('utf8')
  socket.on('data', (text) => socket.write(text.toUpperCase()))
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port, address, family } = server.address()
console.log('listening', port > 0, address, family)
await app.whenReady()

const client = net.connect(port, '127.0.0.1', () => console.log('connected', client.remotePort === port, client.remoteAddress, client.readyState))
console.log(client.connecting, client.write('hello'))
console.log(String(await once(client, 'data')))
const closed = Promise.all([once(client, 'end'), once(client, 'close')])
client.end(' world')
client.on('data', (chunk) => console.log('then', String(chunk)))
console.log('closed', JSON.stringify(await closed), client.destroyed, client.bytesRead, client.bytesWritten)

const large = net.createServer((socket) => { socket.end(Buffer.alloc(3000000, 'y')) }).listen(0)
await once(large, 'listening')
let length = 0
for await (const chunk of net.createConnection({ port: large.address().port })) length += chunk.length
console.log('large', length, large.address().family)
await new Promise((resolve) => large.close(resolve))

const [refused] = await once(net.connect({ port, host: '127.0.0.1', family: 4 }).destroy(), 'close')
console.log('destroyed', refused)
await new Promise((resolve) => server.close(resolve))
const [error] = await once(net.connect(port, '127.0.0.1'), 'error')
console.log(error.code, error.syscall, error.port === port, error.message.replace(port, 'PORT'))
const [unknown] = await once(net.connect(1, 'no-such-host.invalid'), 'error')
console.log(unknown.code, unknown.syscall)

const file = path.join(fs.mkdtempSync ? fs.mkdtempSync(path.join(os.tmpdir(), 'strait-net-')) : os.tmpdir(), `strait-test-${process.pid}.sock`)
const unix = net.createServer({ allowHalfOpen: true }, async (socket) => { socket.end('echo ' + await all(socket)) })
unix.listen(file, async () => {
  const half = net.connect(file)
  half.end('over unix')
  console.log(await all(half), unix.address() === file)
  const second = net.createServer()
  second.on('error', (error) => {
    console.log(error.code, error.syscall)
    unix.close(() => {
      console.log('gone', fs.existsSync(file), net.isIP('1.2.3.4'), net.isIP('::1'), net.isIP('x'), net.isIPv4('999.1.1.1'))
      app.quit()
    })
  })
  second.listen(file)
})
