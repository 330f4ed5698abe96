/** Reads `name<TAB>hex` lines, which Rust wrote, from stdin: V8 and the codec must see the table's values in them. */
'use strict';

const fs = require('node:fs');
const { makeCodec, decode, v8Decode, v8Encode, difference, check, finish } = require('./harness.js');
const table = require('./table.js');

const codec = makeCodec();
for (const line of fs.readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const [name, hex] = line.split('\t');
  const bytes = Buffer.from(hex, 'hex');
  // A clone of the entry: what does not survive cloning, such as a class, is gone from it.
  const expected = v8Decode(v8Encode(table[name]()));
  check(`${name}, read by V8`, () => difference(v8Decode(bytes), expected));
  check(`${name}, read by the codec`, () => difference(decode(codec, bytes), expected));
}
finish();
