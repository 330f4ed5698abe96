'use strict'
// A main process without windows. It reads each message from standard input with the package's own
// scripts, as a port does, and writes the value again to standard output.
//
// A frame is a length (32 bits, little endian) followed by that number of bytes, in both directions.
// The first frame is the codec's source. An answer begins with 1 before a message, and with 0 before
// the text of the error of 'messageerror'. The argument is the stage's length.

const fs = require('fs')
const { native, provideCodec } = require('../../../packages/electron/lib/native')

const INPUT = 0
const OUTPUT = 1

/** The next `size` bytes of the input, or null at its end. */
function take (size) {
  const bytes = Buffer.alloc(size)
  for (let done = 0; done < size;) {
    const count = fs.readSync(INPUT, bytes, done, size - done)
    if (count === 0) return null
    done += count
  }
  return bytes
}

/** The next frame, or null at the end. */
function receive () {
  const head = take(4)
  return head === null ? null : take(head.readUInt32LE())
}

function send (isMessage, bytes) {
  const frame = Buffer.alloc(5 + bytes.length)
  frame.writeUInt32LE(1 + bytes.length)
  frame[4] = isMessage ? 1 : 0
  frame.set(bytes, 5)
  for (let done = 0; done < frame.length;) done += fs.writeSync(OUTPUT, frame, done)
}

/** The message that is being read. */
let message

Object.assign(native, {
  stage: new Uint8Array(Number(process.argv[2])),
  readPart (start, length) { native.stage.set(message.subarray(start, start + length)) },
  readInto (start, bytes) { bytes.set(message.subarray(start, start + bytes.length)) },
  readDone () {},
  portStart () {},
  portDrop () {},
  isDense (array) {
    const keys = Object.keys(array)
    return keys.length === array.length && keys.every((key, index) => key === String(index))
  }
})
provideCodec(receive().toString())
const ports = require('../../../packages/electron/lib/ports')

/** The number of the port that the messages are for; those of the ports that come along are behind it. */
const PORT = 1
const port = ports.adopt(PORT)
port.on('message', ({ data, ports: transfer }) => {
  const length = ports.write(data, ports.sort(transfer))
  send(true, ports.written().subarray(0, length))
})
port.on('messageerror', ({ error }) => send(false, Buffer.from(String(error))))
port.start()

for (message = receive(); message !== null; message = receive()) {
  native.stage.set(message.subarray(0, native.stage.length))
  ports.reports['port-message'](PORT, message.length, [2, 3, 4])
}
