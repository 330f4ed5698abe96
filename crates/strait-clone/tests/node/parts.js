/** Messages that are written and read part by part are those that are written and read whole. */
'use strict';

const { makeCodec, encode, difference, check, refuses, finish } = require('./harness.js');

const codec = makeCodec();

/** What takes parts, as the agent's drafts do. */
const makeSink = () => {
  let bytes = Buffer.alloc(0);
  let aside = null;
  return {
    get bytes() {
      return bytes;
    },
    put(part, size, more) {
      if (size > part.length || more < 0) throw new Error('a part is longer than it is');
      bytes = Buffer.concat([bytes, Buffer.from(part.slice(0, size))]);
    },
    cut(start, stop) {
      if (aside !== null || start > stop || stop > bytes.length) throw new Error(`cut ${start} ${stop} of ${bytes.length}`);
      aside = bytes.subarray(stop);
      bytes = bytes.subarray(0, start);
    },
    paste() {
      bytes = Buffer.concat([bytes, aside]);
      aside = null;
    },
  };
};

const encodeInParts = (value, buffers) => {
  const sink = makeSink();
  const length = codec.write(value, undefined, buffers, false, sink);
  const bytes = Buffer.concat([sink.bytes, Buffer.from(codec.buffer.slice(0, length - codec.sunk))]);
  if (bytes.length !== length || sink.bytes.length !== codec.sunk) throw new Error(`${length} bytes are ${codec.sunk} and ${bytes.length}`);
  return bytes;
};

/** Reads as the agent's glue does: by way of an inbox, and with buffers that somebody else makes, unless `refusing`. */
const decodeInParts = (bytes, refusing) => {
  let inbox = new Uint8Array(4096);
  let made = 0;
  const pull = (start, size) => {
    if (size > inbox.length) inbox = new Uint8Array(size);
    if (start + size > bytes.length) throw new Error('beyond the end');
    inbox.set(bytes.subarray(start, start + size));
    return inbox;
  };
  const take = (start, size) => {
    made++;
    if (refusing) return undefined;
    if (start + size > bytes.length) throw new Error('beyond the end');
    return new Uint8Array(bytes.subarray(start, start + size)).buffer;
  };
  const value = codec.read(pull(0, Math.min(4096, bytes.length)), bytes.length, undefined, pull, null, take);
  return { value, made };
};

const KIB = 1024;
const bytes = (size, seed = 1) => Uint8Array.from({ length: size }, (_, i) => (i * seed + (i >> 8)) & 255);
const text = 'à côté → 👀';

const values = {
  'a buffer': () => bytes(200 * KIB).buffer,
  'a buffer of just so many': () => bytes(64 * KIB).buffer,
  'one less': () => bytes(64 * KIB - 1).buffer,
  'a view': () => bytes(300 * KIB + 1, 3),
  'a few, with text between that must be aligned': () => [text, bytes(65 * KIB + 1, 3), text, bytes(70 * KIB, 5), text, bytes(65 * KIB + 2, 7).buffer, text, 1],
  'the same twice': () => {
    const one = bytes(100 * KIB).buffer;
    return [one, new Uint16Array(one, 2, 5), one, { one }];
  },
  'a resizable one': () => {
    const buffer = new ArrayBuffer(100 * KIB, { maxByteLength: 150 * KIB });
    new Uint8Array(buffer).set(bytes(100 * KIB));
    return [buffer, text, new Uint8Array(buffer, 7)];
  },
  'a large view of a larger buffer': () => [text, bytes(400 * KIB, 9).subarray(11, 11 + 100 * KIB), text],
  'which another shows too': () => {
    const large = bytes(400 * KIB, 9);
    return [text, large.subarray(11, 11 + 100 * KIB), text, { text }, large.subarray(3, 5), text];
  },
  'which turns out when another large one has been written': () => {
    const large = bytes(400 * KIB, 9);
    const small = bytes(300 * KIB, 11);
    return [text, small.subarray(1, 8), large.subarray(11, 11 + 100 * KIB), text, bytes(66 * KIB + 1), text, small, text, large.buffer, text];
  },
  'and of several': () => {
    const list = [1, 2, 3, 4].map((seed) => bytes(250 * KIB + seed, seed));
    const views = list.map((one, i) => one.subarray(i, i + (i % 2 === 0 ? 5 : 80 * KIB)));
    return [views, text, [list[2], text, list[0], text, list[3], list[1]], text];
  },
};

for (const [name, make] of Object.entries(values)) {
  check(`${name}: written`, () => {
    const whole = encode(codec, make());
    const parts = encodeInParts(make());
    return whole.equals(parts) ? undefined : `${parts.length} bytes instead of ${whole.length}, or others`;
  });
  for (const refusing of [false, true]) {
    check(`${name}: read${refusing ? ' without help' : ''}`, () => {
      const { value, made } = decodeInParts(encodeInParts(make()), refusing);
      // A view that was sent without the rest of its buffer, and nothing else, differs by that.
      const reference = codec.read(new Uint8Array(encode(codec, make())), encode(codec, make()).length);
      if (made === 0 && !name.includes('less') && !name.includes('resizable')) return 'nobody was asked to make a buffer';
      return difference(value, reference);
    });
  }
}

check('a getter that writes another one meanwhile', () => {
  const inner = bytes(90 * KIB, 5);
  let nested;
  const outer = {
    first: bytes(80 * KIB),
    get second() {
      nested = encodeInParts([inner, text]);
      return text;
    },
    third: bytes(70 * KIB, 3),
  };
  const parts = encodeInParts(outer);
  const plain = encode(codec, { first: outer.first, second: text, third: outer.third });
  if (!nested.equals(encode(codec, [inner, text]))) return 'the inner one';
  return parts.equals(plain) ? undefined : 'the outer one';
});

check('bytes are those of the time when the value was read', () => {
  const early = bytes(90 * KIB);
  const copy = early.slice();
  const parts = encodeInParts({
    early,
    get later() {
      early.fill(0);
      structuredClone(early.buffer, { transfer: [early.buffer] });
      return 1;
    },
  });
  return parts.equals(encode(codec, { early: copy, later: 1 })) ? undefined : 'others';
});

check('what cannot be cloned is refused behind a part too', () => refuses(() => encodeInParts([bytes(100 * KIB), () => 0])));

check('and afterwards all is as before', () => {
  const whole = encode(codec, [text, bytes(100 * KIB)]);
  return encodeInParts([text, bytes(100 * KIB)]).equals(whole) && codec.sunk > 0 ? undefined : 'it is not';
});

check('what the sink throws comes out', () => {
  const refusal = new Error('no room');
  const sink = { put: () => { throw refusal; } };
  try {
    codec.write(bytes(100 * KIB), undefined, undefined, false, sink);
  } catch (error) {
    return error === refusal ? undefined : `${error}`;
  }
  return 'nothing came out';
});

check('a part that is longer than the message', () => {
  const message = encode(codec, bytes(100 * KIB).buffer);
  // One more than there are.
  message[2 + 1 + 0] += 1;
  try {
    decodeInParts(message);
  } catch (error) {
    return error instanceof TypeError ? undefined : `${error.stack}`;
  }
  return 'was read';
});

finish();
