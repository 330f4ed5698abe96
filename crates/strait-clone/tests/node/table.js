/** One entry for every type and every shape that is written differently: name → function that makes the value. */
'use strict';

const shared = () => {
  const part = { n: 1 };
  return [part, part, { part }];
};

const cycle = () => {
  const root = { name: 'root', list: [] };
  root.self = root;
  root.list.push(root, { up: root.list });
  return root;
};

const withStack = (error, stack = 'at a\nat b') => {
  error.stack = stack;
  return error;
};

const views = () => {
  const buffer = new Uint8Array(Array.from({ length: 32 }, (_, i) => i)).buffer;
  return [
    new Int8Array(buffer, 1, 2), new Uint8Array(buffer, 3), new Uint8ClampedArray(buffer), new Int16Array(buffer, 2, 3), new Uint16Array(buffer, 4),
    new Int32Array(buffer, 4, 2), new Uint32Array(buffer, 8), new Float32Array(buffer, 12, 1), new Float64Array(buffer, 8, 2),
    new BigInt64Array(buffer, 16, 1), new BigUint64Array(buffer, 24), new DataView(buffer, 5, 6), buffer,
  ];
};

class Shape {
  constructor() {
    this.sides = 3;
  }

  get area() {
    return 1;
  }
}

module.exports = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  false: () => false,
  zero: () => 0,
  'minus zero': () => -0,
  one: () => 1,
  negative: () => -123456,
  'int32 limits': () => ({ a: 2147483647, b: -2147483648, c: 2147483648, d: -2147483649 }),
  'array of doubles': () => [0.5, 1.5],
  double: () => 1.5,
  'tiny and huge': () => [5e-324, 1.7976931348623157e308, 1e21],
  nan: () => NaN,
  infinities: () => [Infinity, -Infinity],
  bigints: () => [0n, 1n, -1n, 2n ** 63n, 2n ** 64n, -(2n ** 64n), 2n ** 64n - 1n, -(2n ** 200n) + 12345n],
  'empty string': () => '',
  ascii: () => 'hello, world',
  latin1: () => 'naïve ÿ',
  'two-byte': () => '日本語',
  emoji: () => ['a😀', '😀'],
  'lone surrogates': () => ['\ud800', 'x\udc00y', '\udc00\ud800'],
  'nul and controls': () => 'a\0b\u001f\u007f\u0080',
  'long latin1': () => 'é'.repeat(300) + 'a'.repeat(300),
  'long broken': () => 'жз\ud800'.repeat(300),
  'long with byte order mark': () => ['\ufeff' + 'ж'.repeat(300), '\u00ef\u00bb\u00bf' + 'a'.repeat(300)],
  'long one-byte': () => 'abcdefghij'.repeat(2000),
  'long two-byte': () => 'жзийклмноп'.repeat(2000),
  'boxed primitives': () => [new Boolean(true), new Boolean(false), new Number(-0), new Number(1.5), new String('é日'), Object(7n)],
  date: () => new Date(1700000000123),
  'old date': () => new Date(-1),
  'invalid date': () => new Date(NaN),
  regexp: () => /a[bc]+\/d/gi,
  'regexp flags': () => [/a/dgimsuy, /[a--b]/v, /(?:)/],
  'empty object': () => ({}),
  'small object': () => ({ a: 1, b: 'x' }),
  'index keys': () => ({ b: 1, 10: 2, 2: 3, '01': 4, '-1': 5, 4294967294: 6, 4294967295: 7, 3000000000: 8, '1.5': 9 }),
  'odd keys': () => ({ '': 1, 日本: 2, é: 3, '\ud800': 4, length: 5, constructor: 6, toString: 7, hasOwnProperty: 8, ['__proto__']: { x: 1 } }),
  'null prototype': () => Object.assign(Object.create(null), { a: 1 }),
  'class instance': () => new Shape(),
  getter: () => ({
    get a() {
      return [1];
    },
  }),
  'hidden and symbol keys': () => Object.defineProperty({ [Symbol('s')]: 1, a: 2 }, 'hidden', { value: 3 }),
  nested: () => ({ a: { b: { c: [{ d: [[], [[]], {}] }] } } }),
  'empty array': () => [],
  'dense array': () => [1, 'two', null, undefined, [3]],
  holes: () => [1, , 3, , ],
  'only holes': () => new Array(5),
  'sparse array': () => {
    const array = [];
    array[0] = 'a';
    array[4000000000] = 'z';
    return array;
  },
  'array with properties': () => Object.assign([1, 2], { name: 'n', '-1': 0 }),
  'sparse array with properties': () => Object.assign([, 2], { name: 'n' }),
  map: () => new Map([[1, 'a'], ['1', 'b'], [NaN, 'c'], [null, undefined]]),
  'map of objects': () => {
    const key = { k: 1 };
    const map = new Map([[key, key]]);
    return map.set(map, [map]);
  },
  set: () => new Set([1, '1', NaN, {}, [1]]),
  'empty map and set': () => [new Map(), new Set()],
  'set in itself': () => {
    const set = new Set();
    return set.add(set);
  },
  buffer: () => new Uint8Array([1, 2, 3, 255]).buffer,
  'empty buffer': () => new ArrayBuffer(0),
  views,
  'empty view': () => new Float64Array(0),
  'view alone': () => new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
  'view and its buffer': () => {
    const view = new Uint16Array([1, 2]);
    return { view, buffer: view.buffer, again: view };
  },
  'node buffer slice': () => new Uint8Array(new Uint8Array([9, 8, 7]).buffer, 1),
  'resizable buffer': () => new ArrayBuffer(4, { maxByteLength: 16 }),
  'view on a resizable buffer': () => new Uint8Array(new ArrayBuffer(4, { maxByteLength: 16 }), 1, 2),
  errors: () => [
    withStack(new Error('e')), withStack(new EvalError('e')), withStack(new RangeError('e')), withStack(new ReferenceError('e')),
    withStack(new SyntaxError('e')), withStack(new TypeError('e')), withStack(new URIError('日')), withStack(new Error()),
  ],
  'error with cause': () => withStack(new TypeError('outer', { cause: withStack(new RangeError('inner', { cause: undefined })) })),
  shared,
  cycle,
  'deep list': () => {
    let list = null;
    for (let i = 0; i < 500; i++) list = { next: list, i };
    return list;
  },
  wide: () => Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`key${i}`, i])),
  'mixed bag': () => ({ when: new Date(5), tags: new Set(['a']), bytes: new Uint8Array([1]), by: new Map([['x', { y: [1n] }]]), shared: shared() }),
};
