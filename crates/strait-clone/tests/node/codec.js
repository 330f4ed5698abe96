/** The codec against V8: the table both ways, generated values against structuredClone, and what must be refused. */
'use strict';

const vm = require('node:vm');
const { CloneError, Port, makeCodec, encode, decode, v8Encode, v8Decode, difference, check, refuses, finish } = require('./harness.js');
const table = require('./table.js');

/** Node has no ImageData: a class with the same accessors. */
globalThis.ImageData = class ImageData {
  #data;
  #width;
  #height;
  #colorSpace;

  constructor(data, width, height, settings) {
    this.#data = data;
    this.#width = width;
    this.#height = height;
    this.#colorSpace = (settings && settings.colorSpace) || 'srgb';
  }

  get data() {
    return this.#data;
  }

  get width() {
    return this.#width;
  }

  get height() {
    return this.#height;
  }

  get colorSpace() {
    return this.#colorSpace;
  }
};

const codec = makeCodec();

for (const [name, make] of Object.entries(table)) {
  check(`${name}: same bytes as V8`, () => {
    const ours = encode(codec, make()).toString('hex');
    const theirs = v8Encode(make()).toString('hex');
    return ours === theirs ? undefined : `${ours.slice(0, 400)} instead of ${theirs.slice(0, 400)}`;
  });
  check(`${name}: read`, () => {
    const bytes = v8Encode(make());
    return difference(decode(codec, bytes), v8Decode(bytes));
  });
}

// ---- Generated values -------------------------------------------------------------------------------------------------------------

/** A small generator with a seed: failures can be repeated. */
const generator = (seed) => {
  let state = seed >>> 0;
  const next = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * below);
  };
  const made = [];
  const text = () => String.fromCharCode(...Array.from({ length: next(6) }, () => next([128, 256, 65536][next(3)])));
  const value = (depth) => {
    const kind = next(depth > 4 ? 12 : 20);
    switch (kind) {
      case 0: return undefined;
      case 1: return null;
      case 2: return next(2) === 0;
      case 3: return next(2000) - 1000;
      case 4: return (next(1e9) - 5e8) * 1.37e5;
      case 5: return [NaN, -0, Infinity, 4294967296.5][next(4)];
      case 6: return BigInt(next(1e9)) ** BigInt(next(9)) * (next(2) ? 1n : -1n);
      case 7:
      case 8: return text();
      case 9: return made.length ? made[next(made.length)] : 'none';
      case 10: return new Date(next(2) ? next(1e9) : NaN);
      case 11: return new RegExp(['a', 'b+', '[x]', '日'][next(4)], ['', 'g', 'gi', 'su'][next(4)]);
      case 12: {
        const buffer = new Uint8Array(Array.from({ length: next(5) * 8 }, () => next(256))).buffer;
        const View = [Uint8Array, Int16Array, Float32Array, Float64Array, BigInt64Array, DataView][next(6)];
        const view = new View(buffer);
        made.push(view, buffer);
        return view;
      }
      case 13: {
        const map = new Map();
        made.push(map);
        for (let i = next(4); i > 0; i--) map.set(value(depth + 1), value(depth + 1));
        return map;
      }
      case 14: {
        const set = new Set();
        made.push(set);
        for (let i = next(4); i > 0; i--) set.add(value(depth + 1));
        return set;
      }
      case 15: {
        const error = new [Error, TypeError, RangeError][next(3)](text());
        error.stack = text();
        made.push(error);
        return error;
      }
      case 16:
      case 17: {
        const array = [];
        made.push(array);
        for (let i = next(5); i > 0; i--) array[array.length + (next(5) === 0 ? next(3) : 0)] = value(depth + 1);
        if (next(4) === 0) array[`x${text()}`] = value(depth + 1);
        return array;
      }
      default: {
        const object = {};
        made.push(object);
        for (let i = next(5); i > 0; i--) {
          Object.defineProperty(object, next(4) === 0 ? String(next(50)) : text(), { value: value(depth + 1), enumerable: true, writable: true, configurable: true });
        }
        return object;
      }
    }
  };
  return value(0);
};

/** Reads what comes in parts. As in a page, all of them lie in one array, and what was there before is gone. */
const decodeInParts = (bytes, first) => {
  let inbox = new Uint8Array(bytes.subarray(0, first));
  return codec.read(inbox, bytes.length, undefined, (start, size) => {
    if (start + size > bytes.length) throw new RangeError('beyond the message');
    inbox.fill(0xee);
    if (size > inbox.length) inbox = new Uint8Array(size + 3);
    inbox.set(bytes.subarray(start, start + size));
    return inbox;
  });
};

for (let seed = 1; seed <= 3000; seed++) {
  check(`generated value ${seed}`, () => {
    const value = generator(seed);
    const bytes = encode(codec, value);
    return difference(decode(codec, bytes), structuredClone(value)) || difference(v8Decode(bytes), structuredClone(value)) ||
      difference(decodeInParts(bytes, 1 + (seed % 50)), structuredClone(value));
  });
}

check('an encoder that refuses lone surrogates', () => {
  const { encodeInto } = TextEncoder.prototype;
  TextEncoder.prototype.encodeInto = function (text, bytes) {
    if (!text.isWellFormed()) throw new Error('not well-formed');
    return encodeInto.call(this, text, bytes);
  };
  try {
    const strict = makeCodec();
    const value = ['x'.repeat(300) + '\ud800', '\udfff'.repeat(400), 'x'.repeat(300)];
    return difference(decode(strict, encode(strict, value)), value);
  } finally {
    TextEncoder.prototype.encodeInto = encodeInto;
  }
});
check('a long message in parts', () => {
  const numbers = Array.from({ length: 60000 }, (_, i) => i * 1.5);
  const bytes = new Uint8Array(400000).map((_, i) => i * 31);
  const value = ['x'.repeat(65530), 'é'.repeat(70000), '日'.repeat(70000), numbers, bytes, bytes.subarray(5, 70000), 2n ** 600000n, new Map([[bytes.buffer, 'end']])];
  for (const first of [1, 2, 3, 65536, 65541]) {
    const wrong = difference(decodeInParts(encode(codec, value), first), structuredClone(value));
    if (wrong) return wrong;
  }
  return undefined;
});
for (const cut of [3, 70, 65560, 140000, 999999]) {
  const bytes = encode(codec, ['x'.repeat(65530), new Uint8Array(1e6), [1, 2, 3]]).subarray(0, cut);
  check(`a message in parts that ends at ${cut}`, () => {
    try {
      decodeInParts(bytes, 50);
    } catch (error) {
      return error instanceof TypeError ? undefined : String(error);
    }
    return 'was read';
  });
}

// ---- Views and the buffers behind them ----------------------------------------------------------------------------------------------

/** 300,000 bytes that say where they are. */
const large = () => new Uint8Array(300000).map((_, i) => i * 7).buffer;
const sized = (value, ports, buffers) => encode(codec, value, ports, buffers).length;

check('a view on a large buffer carries its own bytes', () => {
  const value = { a: new Uint8Array(large(), 70001, 55), b: new Float64Array(large(), 80, 3), c: new DataView(large(), 5, 9), d: '日本' };
  const bytes = encode(codec, value);
  const clone = decode(codec, bytes);
  if (bytes.length > 300) return `${bytes.length} bytes`;
  if (clone.a.byteLength !== 55 || clone.a.byteOffset !== 0 || clone.a.buffer.byteLength !== 55) return 'other sizes';
  return difference([...clone.a], [...value.a]) || difference([...clone.b], [...value.b]) || difference(clone.c.getInt32(5), value.c.getInt32(5)) ||
    difference(clone.d, value.d) || difference(v8Decode(bytes), clone);
});
check('a view on a small buffer carries the buffer, as in HTML', () => {
  const view = new Uint8Array(new ArrayBuffer(65535), 100, 10);
  return difference(decode(codec, encode(codec, view)), structuredClone(view));
});
check('all bytes of a view are its own', () => (sized(new Uint8Array(large())) > 300000 ? undefined : 'too few'));
check('a buffer that is shown twice is whole', () => {
  for (let shape = 0; shape < 8; shape++) {
    const [one, two] = [large(), large()];
    const values = [
      [new Uint8Array(one, 70000, 5), one],
      [one, new Uint8Array(one, 70000, 5)],
      [new Uint8Array(one, 70000, 5), 'x日', new Uint8Array(one, 16, 8)],
      [new Uint8Array(one, 70001, 5), '日', new Uint16Array(two, 70000, 3), '日本', new Uint8Array(one, 3, 2), two, '日'],
      [new Uint16Array(two, 2, 3), 'ж', new Uint8Array(one, 70001, 5), '日', two, 'ж', new Uint8Array(large(), 1, 9), new DataView(one, 9)],
      { a: new Uint8Array(one, 1, 1), m: new Map([[new Int8Array(two, 200000), one]]), s: new Set([two]) },
      [new Uint8Array(one, 0, 0), new Uint8Array(one, 300000)],
      [new Uint8Array(one, 70001, 5), { deep: [one, one] }, new Uint8Array(one, 1)],
    ];
    const bytes = encode(codec, values[shape]);
    const expected = shape === 4 ? undefined : structuredClone(values[shape]);
    const clone = decode(codec, bytes);
    const wrong = expected ? difference(clone, expected) || difference(v8Decode(bytes), expected) : difference(v8Decode(bytes), clone);
    if (wrong) return `shape ${shape}: ${wrong}`;
    if (shape === 4 && (clone[6].buffer.byteLength !== 9 || clone[0].buffer !== clone[4] || clone[2].buffer !== clone[7].buffer)) return 'not narrow, or not shared';
  }
  return undefined;
});
check('the same view twice is one view with its own bytes', () => {
  const view = new Uint8Array(large(), 70000, 5);
  const clone = decode(codec, encode(codec, [view, view]));
  return clone[0] === clone[1] && clone[0].buffer.byteLength === 5 ? undefined : 'not so';
});
check('a transferred buffer travels whole', () => {
  const buffer = large();
  return sized(new Uint8Array(buffer, 70000, 5), [], [buffer]) > 300000 ? undefined : 'only in part';
});
check('a message inside a message keeps both right', () => {
  const buffer = large();
  const inner = [];
  const value = { view: new Uint8Array(buffer, 70000, 5), get nested() { inner.push(decode(codec, encode(codec, [new Uint8Array(buffer, 1, 2), buffer]))); return 1; }, buffer };
  const clone = decode(codec, encode(codec, value));
  return inner[0][0].buffer === inner[0][1] && clone.view.buffer === clone.buffer && clone.view.byteOffset === 70000 ? undefined : 'mixed up';
});

// ---- Classes are told by their slots ----------------------------------------------------------------------------------------------

check('a Map under another prototype is a Map', () => {
  const values = [Object.setPrototypeOf(new Map([[1, 2]]), null), Object.setPrototypeOf(new Map([[1, 2]]), Object.prototype)];
  values.push(Object.setPrototypeOf(new Map([[1, 2]]), Array.prototype), Object.setPrototypeOf(new Map([[1, 2]]), Date.prototype));
  for (const value of values) {
    const wrong = difference(decode(codec, encode(codec, value)), new Map([[1, 2]]));
    if (wrong) return wrong;
  }
  return undefined;
});
check('an object under Map.prototype is none', () => difference(decode(codec, encode(codec, Object.create(Map.prototype))), {}));
check('a Date that calls itself a Map', () => {
  const date = new Date(3);
  date[Symbol.toStringTag] = 'Map';
  date.constructor = Map;
  const clone = decode(codec, encode(codec, date));
  return clone instanceof Date && clone.getTime() === 3 && clone.constructor === Map ? 'own property kept' : difference(clone.getTime(), 3);
});
check('an Error with a toStringTag', () => {
  class Tagged extends TypeError {
    get [Symbol.toStringTag]() {
      return 'Tagged';
    }
  }
  const error = new Tagged('t');
  return difference(Object.getPrototypeOf(decode(codec, encode(codec, error))), TypeError.prototype);
});
check('subclasses of built-in classes', () => {
  class MyMap extends Map {}
  class MyArray extends Array {}
  class MyBytes extends Uint8Array {}
  const value = [new MyMap([[1, 2]]), MyArray.from([1, 2]), MyBytes.from([1, 2])];
  return difference(decode(codec, encode(codec, value)), [new Map([[1, 2]]), [1, 2], new Uint8Array([1, 2])]);
});
check('objects of another realm', () => {
  const value = vm.runInNewContext('({ a: [1, {}], m: new Map([[1, new Date(5)]]), e: {}, n: new (class A { constructor() { this.x = 1; } })(), u: new Uint8Array(2) })');
  const expected = { a: [1, {}], m: new Map([[1, new Date(5)]]), e: {}, n: { x: 1 }, u: new Uint8Array(2) };
  return difference(decode(codec, encode(codec, value)), expected);
});
check('a DOMException keeps its message', () => {
  const clone = decode(codec, encode(codec, new DOMException('text', 'AbortError')));
  return clone instanceof Error && clone.message === 'text' ? undefined : String(clone);
});
check('an error that is its own cause, which V8 itself cannot read back', () => {
  const error = new Error('e');
  error.cause = { error };
  const clone = decode(codec, encode(codec, error));
  return clone.message === 'e' && clone.cause.error === clone ? undefined : String(clone);
});
check('an error without stack or message', () => {
  const error = new Error();
  error.stack = undefined;
  const clone = decode(codec, encode(codec, error));
  return difference([clone.stack, Object.hasOwn(clone, 'message')], [undefined, false]);
});
check('an inherited or computed message is none', () => {
  const error = new Error();
  Object.defineProperty(error, 'message', { get: () => 'computed' });
  return Object.hasOwn(decode(codec, encode(codec, error)), 'message') ? 'has one' : undefined;
});

// ---- What is refused ----------------------------------------------------------------------------------------------------------------

const refused = {
  function: () => () => 1,
  class: () => class {},
  symbol: () => Symbol('s'),
  'symbol object': () => Object(Symbol('s')),
  promise: () => Promise.resolve(1),
  'weak map': () => new WeakMap(),
  'weak set': () => new WeakSet(),
  'weak ref': () => new WeakRef({}),
  'weak map without prototype': () => Object.setPrototypeOf(new WeakMap(), null),
  generator: () => (function* () {})(),
  'shared buffer': () => new SharedArrayBuffer(8),
  'view on a shared buffer': () => new Uint8Array(new SharedArrayBuffer(8)),
  global: () => globalThis,
  port: () => new Port(),
  'detached buffer': () => {
    const buffer = new ArrayBuffer(8);
    structuredClone(buffer, { transfer: [buffer] });
    return buffer;
  },
  'view on a detached buffer': () => {
    const view = new Uint8Array(8);
    structuredClone(view, { transfer: [view.buffer] });
    return view;
  },
  'finalization registry': () => new FinalizationRegistry(() => {}),
  'number format': () => new Intl.NumberFormat(),
  'map iterator': () => new Map().entries(),
};
for (const [name, make] of Object.entries(refused)) {
  check(`refused: ${name}`, () => refuses(() => codec.write(make())));
  check(`refused inside: ${name}`, () => refuses(() => codec.write({ a: [new Map([[1, make()]])] })));
}
check('a host object that the hook knows', () => {
  class Host {
    constructor() {
      this.x = 1;
    }
  }
  const strict = makeCodec({ isPlatform: (value) => value instanceof Host });
  return refuses(() => strict.write({ host: new Host() }));
});
check('errors of getters pass through, and the codec goes on', () => {
  const value = {
    get a() {
      throw new RangeError('mine');
    },
  };
  try {
    codec.write(value);
    return 'did not throw';
  } catch (error) {
    return error instanceof RangeError ? difference(decode(codec, encode(codec, [1])), [1]) : String(error);
  }
});
const MAX_DEPTH = 2000;
const wrappers = {
  arrays: (inner) => [inner],
  objects: (inner) => ({ inner }),
  'sparse arrays': (inner) => Object.assign(new Array(9), { 5: inner }),
  maps: (inner) => new Map([[inner, 1]]),
  sets: (inner) => new Set([inner]),
  causes: (inner) => Object.assign(new Error('x', { cause: inner }), { stack: 'x' }),
};
const nested = (wrap, inner, depth) => {
  for (let i = 0; i < depth; i++) inner = wrap(inner);
  return inner;
};
for (const [name, wrap] of Object.entries(wrappers)) {
  check(`what is written can be read, to the last level: ${name}`, () => {
    const bytes = encode(codec, nested(wrap, 'inmost', MAX_DEPTH));
    const again = encode(codec, decode(codec, bytes));
    return bytes.equals(again) ? undefined : 'another value';
  });
  check(`one level more is refused: ${name}`, () => refuses(() => codec.write(nested(wrap, 'inmost', MAX_DEPTH + 1))));
  check(`nesting without end is refused: ${name}`, () =>
    refuses(() => codec.write(nested(wrap, null, 200000))) || difference(decode(codec, encode(codec, [1])), [1]));
}
check('a reference at the last level', () => {
  // The Rust side counts what contains something: it may write a leaf below the last level.
  const list = nested(wrappers.arrays, 'inmost', MAX_DEPTH);
  const tags = Buffer.concat([Buffer.from([0xff, 15]), Buffer.from('A\x01'.repeat(MAX_DEPTH)), Buffer.from('^\0'), Buffer.from('$\0\x01'.repeat(MAX_DEPTH))]);
  let inmost = decode(codec, tags);
  const first = inmost;
  for (let i = 0; i < MAX_DEPTH; i++) inmost = inmost[0];
  return inmost === first ? refuses(() => codec.write((list[1] = nested(wrappers.arrays, list, MAX_DEPTH)))) : 'no reference';
});
check('nesting is counted anew in a getter, and after a refusal', () => {
  let inner;
  const value = nested(wrappers.arrays, { get a() { inner = encode(codec, nested(wrappers.arrays, 1, MAX_DEPTH)); return [1]; } }, MAX_DEPTH - 2);
  return difference(encode(codec, value).length > 0 && inner.length > 0, true);
});
check('without stack a value is refused, never written as another', () => {
  const value = { map: new Map([[1, new Date(5)]]), list: [new Set([/x/g]), new RangeError('y')] };
  const expected = encode(codec, value);
  let [refused, fine] = [0, 0];
  /** Fills the stack to its end, and tries on the way back. */
  const dive = () => {
    try {
      dive();
    } catch {}
    if (fine > 20) return;
    let bytes;
    try {
      bytes = encode(codec, value);
    } catch (error) {
      if (error instanceof CloneError) refused++;
      else if (!(error instanceof RangeError)) throw error;
      return;
    }
    if (!bytes.equals(expected)) throw new Error('another value');
    fine++;
  };
  dive();
  return refused > 0 && fine > 20 ? undefined : `refused ${refused}, fine ${fine}`;
});
check('Proxy objects, where the host knows them', () => {
  const strict = makeCodec({ isProxy: require('node:util').types.isProxy });
  for (const value of [new Proxy({}, {}), new Proxy({ a: 1 }, {}), new Proxy([1], {}), { a: [new Proxy({ a: 1 }, {})] }]) {
    const missed = refuses(() => strict.write(value));
    if (missed) return missed;
  }
  return difference(decode(codec, encode(strict, { a: [1] })), { a: [1] });
});

// ---- Ports, buffers, images -----------------------------------------------------------------------------------------------------------

check('ports become references, in every place', () => {
  const [a, b] = [new Port(), new Port()];
  const shared = {};
  const bytes = encode(codec, { b, list: [a, b], shared, again: shared }, [a, b]);
  const [x, y] = [new Port(), new Port()];
  const value = decode(codec, bytes, [x, y]);
  return value.b === y && value.list[0] === x && value.list[1] === y && value.shared === value.again ? undefined : 'others';
});
check('ports that are not in the list are refused', () => refuses(() => codec.write([new Port()], [new Port()])));
check('ports that did not come along are an error', () => {
  const port = new Port();
  const bytes = encode(codec, port, [port]);
  try {
    decode(codec, bytes, []);
  } catch (error) {
    return error instanceof TypeError ? undefined : String(error);
  }
  return 'did not throw';
});
check('buffers are written, checked and detached', () => {
  const view = new Uint8Array([1, 2, 3]);
  const bytes = encode(codec, view, [], [view.buffer]);
  if (view.length !== 3) return 'detached too early';
  codec.detach([view.buffer]);
  if (view.length !== 0) return 'not detached';
  return difference(decode(codec, bytes), new Uint8Array([1, 2, 3])) || refuses(() => codec.write(1, [], [view.buffer])) || refuses(() => codec.write(1, [], [{}]));
});
check('a buffer that a getter detaches is noticed', () => {
  const buffer = new ArrayBuffer(8);
  const value = {
    buffer,
    get then() {
      structuredClone(buffer, { transfer: [buffer] });
      return 1;
    },
  };
  return refuses(() => codec.write(value, [], [buffer]));
});
check('image data', () => {
  const image = new ImageData(new Uint8ClampedArray(24).fill(7), 2, 3, { colorSpace: 'display-p3' });
  const { a, b } = decode(codec, encode(codec, { a: image, b: image }));
  const seen = [a === b, a.width, a.height, a.colorSpace, a.data.length, a.data[5], a.data instanceof Uint8ClampedArray];
  return difference(seen, [true, 2, 3, 'display-p3', 24, 7, true]);
});

// ---- Blobs --------------------------------------------------------------------------------------------------------------------------

const contents = new WeakMap();
const blobOf = (bytes, type) => {
  const blob = new Blob([Uint8Array.from(bytes)], { type });
  contents.set(blob, Uint8Array.from(bytes));
  return blob;
};
const fileOf = (bytes, name, options) => {
  const file = new File([Uint8Array.from(bytes)], name, options);
  contents.set(file, Uint8Array.from(bytes));
  return file;
};
/** Reads them at once, as a worker does. */
const reading = makeCodec({
  blobBytes(blob) {
    if (!contents.has(blob)) throw new Error('it cannot be read');
    return contents.get(blob);
  },
});
/** Has their bytes put in later, as a page does. */
const encodeLater = (value) => {
  const length = codec.write(value, [], [], true);
  const { blobs } = codec;
  const written = Buffer.from(codec.buffer.slice(0, length));
  const parts = [];
  let from = 0;
  for (let i = 0; i < blobs.length; i += 3) {
    const bytes = contents.get(blobs[i]).subarray(0, blobs[i + 2]);
    parts.push(written.subarray(from, blobs[i + 1]), bytes, Buffer.alloc(bytes.length % 2));
    from = blobs[i + 1];
  }
  return Buffer.concat([...parts, written.subarray(from)]);
};

// The same bytes are in the Rust side's tests.
const GOLDEN = 'ff0f41025c03002203612f6203616263005c030122006306e56567002c00000000e876483742020102240002';
check('blobs and files: the bytes', () => {
  const value = [blobOf([97, 98, 99], 'A/b'), fileOf([1, 2], '\u65e5g,', { lastModified: 1e11 })];
  const wrong = [];
  for (const bytes of [encode(reading, value), encodeLater(value)]) wrong.push(bytes.toString('hex'));
  return wrong.every((hex) => hex === GOLDEN) ? undefined : wrong.join(' ');
});
check('blobs are read as what they were', () => {
  const blob = blobOf([1, 2, 3], 'text/plain');
  const file = fileOf([], 'a\u{1f600}.txt', { type: 'x/y', lastModified: -5 });
  const read = decode(codec, encode(reading, { list: [blob, file, blob], after: '\u65e5', map: new Map([[file, blob]]) }));
  const [first, second, third] = read.list;
  const seen = [first === third, read.map.get(second) === first, first.constructor === Blob, second.constructor === File];
  return difference([...seen, first.size, first.type, second.size, second.type, second.name, second.lastModified, read.after],
    [true, true, true, true, 3, 'text/plain', 0, 'x/y', 'a\u{1f600}.txt', -5, '\u65e5']);
});
check('put in later, blobs stand where they are written at once', () => {
  const buffer = new ArrayBuffer(100000);
  const view = new Uint8Array(buffer, 5, 55);
  const odd = blobOf([1, 2, 3], '');
  // The view's buffer is found to be shown twice when blobs have been written behind it.
  for (const value of [[odd, '\u65e5', odd], [view, odd, '\u65e5', blobOf([9], 'a'), buffer, blobOf([], '')], blobOf([7], 'x')]) {
    if (!encodeLater(value).equals(encode(reading, value))) return 'others';
  }
  return undefined;
});
check('a message read where it was written has its very blobs', () => {
  const [one, two] = [blobOf([1], ''), fileOf([2], 'n')];
  const length = codec.write({ list: [one, two, one] }, [], [], true);
  const { list } = codec.read(codec.buffer, length, [], undefined, codec.blobs);
  if (list[0] !== one || list[1] !== two || list[2] !== one) return 'others';
  codec.write([], [], [], true);
  return codec.blobs === null ? undefined : 'a list where there are none';
});
check('where there are no lists of files, one is an array', () => {
  const [list, again] = decode(codec, Buffer.from('ff0f41025c04015c0301220022016100000000000000000178005e01240002', 'hex'));
  const seen = [Array.isArray(list), list === again, list.length, list[0].name, list[0].size];
  return difference(seen, [true, true, 1, 'a', 1]);
});
check('where nobody can read blobs they are refused', () => refuses(() => codec.write({ blob: blobOf([1], '') })));
check('a blob that cannot be read is refused', () => refuses(() => reading.write([new Blob(['?'])])));
check('pretended blobs are plain objects', () => difference(decode(codec, encode(reading, Object.create(Blob.prototype))), {}));
check('a blob whose prototype has been exchanged is one', () => {
  const blob = Object.setPrototypeOf(blobOf([1], 'a/b'), Date.prototype);
  return decode(codec, encode(reading, blob)).constructor === Blob ? undefined : 'none';
});
check('buffers that are read do not alias the input', () => {
  const bytes = new Uint8Array(encode(codec, new Uint8Array([1, 2, 3])));
  const view = codec.read(bytes, bytes.length);
  bytes.fill(0);
  return difference(view, new Uint8Array([1, 2, 3])) || (view.buffer === bytes.buffer ? 'same buffer' : undefined);
});
check('input in the middle of a larger buffer', () => {
  const bytes = encode(codec, [new Uint8Array([1, 2, 3]), 'x']);
  const room = new Uint8Array(bytes.length + 100);
  room.set(bytes, 32);
  return difference(codec.read(room.subarray(32), bytes.length), [new Uint8Array([1, 2, 3]), 'x']);
});

// ---- Getters that change things meanwhile -------------------------------------------------------------------------------------------

check('a getter that writes something itself', () => {
  let inner;
  const value = {
    a: 'before'.repeat(2000),
    get b() {
      inner = encode(codec, { inner: [1, 'x'] });
      return 'b';
    },
    c: 'after',
  };
  const outer = encode(codec, value);
  return difference(decode(codec, outer), { a: 'before'.repeat(2000), b: 'b', c: 'after' }) || difference(decode(codec, inner), { inner: [1, 'x'] });
});
check('a getter that removes later properties', () => {
  const make = () => ({
    get a() {
      delete this.b;
      return 1;
    },
    b: 2,
    c: 3,
  });
  return difference(decode(codec, encode(codec, make())), structuredClone(make()));
});
check('a getter that adds properties', () => {
  const make = () => ({
    get a() {
      this.z = 1;
      return 1;
    },
    c: 3,
  });
  return difference(decode(codec, encode(codec, make())), structuredClone(make()));
});
check('a getter that shortens the array around it', () => {
  const array = [1, 2, 3, 4];
  Object.defineProperty(array, 0, {
    get: () => {
      array.length = 2;
      return 0;
    },
    enumerable: true,
    configurable: true,
  });
  const clone = decode(codec, encode(codec, array));
  return difference([clone[0], clone[1], 2 in clone], [0, 2, false]);
});
check('a Map that changes while it is written', () => {
  const map = new Map([[1, { get a() { map.set(2, 2); return 1; } }]]);
  return difference(decode(codec, encode(codec, map)), new Map([[1, { a: 1 }]]));
});

// ---- Bad input -----------------------------------------------------------------------------------------------------------------------

const hex = (text) => Buffer.from(text.replace(/ /g, ''), 'hex');
const bad = {
  empty: '', 'no header': '30', version: 'ff 10 30', 'version 12': 'ff 0c 30', 'no value': 'ff 0f', 'unknown tag': 'ff 0f 11', 'trailing bytes': 'ff 0f 30 30',
  'long string': 'ff 0f 22 ff ff ff ff 0f 61', 'odd string': 'ff 0f 63 03 61 61 61', 'dense array': 'ff 0f 41 ff ff ff ff 0f', 'array lengths': 'ff 0f 41 01 30 24 00 02',
  'element beyond': 'ff 0f 61 01 49 08 30 40 01 01', 'buffer length': 'ff 0f 42 ff ff ff ff 0f', 'property count': 'ff 0f 6f 7b 01', 'map count': 'ff 0f 3b 30 30 3a 01',
  'map without value': 'ff 0f 3b 30 3a 01', reference: 'ff 0f 5e 00', 'view outside': 'ff 0f 42 02 01 02 56 42 01 02 00', 'view unaligned': 'ff 0f 42 04 01 02 03 04 56 57 01 02 00',
  'view kind': 'ff 0f 42 00 56 41 00 00 00', 'error part': 'ff 0f 72 11', 'bigint length': 'ff 0f 5a fe ff ff ff 0f', 'regexp flags': 'ff 0f 52 22 01 61 80 08',
  'regexp pattern': 'ff 0f 52 22 01 28 00', 'host object': 'ff 0f 5c 09', port: 'ff 0f 5c 01 00', 'blob class': 'ff 0f 5c 03 02 22 00 00', 'blob padding': 'ff 0f 5c 03 00 22 00 01 61 01', 'files count': 'ff 0f 5c 04 7f', 'files else': 'ff 0f 5c 04 01 30 30', 'blob length': 'ff 0f 5c 03 00 22 00 7f 61', 'image size': 'ff 0f 5c 02 02 02 00 04 00 00 00 00', 'endless varint': 'ff 0f 55 ff ff ff ff ff ff ff ff ff ff 01',
  key: 'ff 0f 6f 30 30 7b 01', 'unfinished resizable': 'ff 0f 7e 08 04 00 00 00 00 00 00 00 00',
};
for (const [name, bytes] of Object.entries(bad)) {
  check(`bad input: ${name}`, () => {
    try {
      decode(codec, hex(bytes));
    } catch (error) {
      return error instanceof TypeError || error instanceof SyntaxError ? undefined : String(error);
    }
    return 'was read';
  });
}
check('truncated and damaged input throws or reads, and nothing else', () => {
  for (const [name, make] of Object.entries(table)) {
    const bytes = v8Encode(make()).subarray(0, 300);
    for (let i = 0; i < bytes.length; i++) {
      const damaged = Buffer.from(bytes);
      damaged[i] ^= 1 << (i % 8);
      for (const input of [bytes.subarray(0, i), damaged]) {
        try {
          decode(codec, input);
        } catch (error) {
          if (!(error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError)) return `${name}: ${error}`;
        }
      }
    }
  }
  return difference(decode(codec, encode(codec, [1])), [1]);
});
check('a resizable buffer reserves nothing on the sender\'s word', () => {
  // 4 GiB announced, no byte sent.
  const value = decode(codec, hex('ff 0f 7e 00 ff ff ff ff 0f'));
  return value.byteLength === 0 && !value.resizable ? undefined : 'reserved';
});
check('too deep input', () => {
  const bytes = Buffer.concat([hex('ff 0f'), Buffer.alloc(100000, 0x27)]);
  try {
    decode(codec, bytes);
  } catch (error) {
    return error instanceof TypeError || error instanceof RangeError ? difference(decode(codec, encode(codec, [1])), [1]) : String(error);
  }
  return 'was read';
});
check('UTF-8 strings', () => {
  const texts = ['', 'abc', 'grün', '日本', '😀x', 'é'.repeat(3000)];
  for (const text of texts) {
    const utf8 = Buffer.from(text);
    const length = utf8.length < 128 ? [utf8.length] : [(utf8.length & 127) | 128, utf8.length >> 7];
    const wrong = difference(decode(codec, Buffer.concat([hex('ff 0f 53'), Buffer.from(length), utf8])), text);
    if (wrong) return wrong;
  }
  for (const broken of ['80', 'c3', 'e2 82', 'ed a0 80', 'f0 80 80 80', 'f5 41', 'c0 80', 'e2 28 a1', 'f0 9f 98']) {
    const bytes = hex(broken);
    const wrong = difference(decode(codec, Buffer.concat([hex('ff 0f 53'), Buffer.from([bytes.length]), bytes])), new TextDecoder().decode(bytes));
    if (wrong) return `${broken}: ${wrong}`;
  }
  return undefined;
});
check('older versions', () => difference([decode(codec, hex('ff 0d 42 01 05 56 42 00 01')), decode(codec, hex('ff 0e 30'))], [new Uint8Array([5]), null]));
check('a length-tracking view', () => {
  const view = decode(codec, hex('ff 0f 7e 02 08 01 02 56 42 01 00 03'));
  view.buffer.resize(8);
  return difference([view.length, view.buffer.maxByteLength], [7, 8]);
});
check('clone errors are the caller\'s', () => {
  try {
    codec.write(() => 1);
  } catch (error) {
    return difference([error instanceof CloneError, error.message], [true, 'An object could not be cloned.']);
  }
  return 'did not throw';
});

finish();
