/**
 * A page that poisons everything after the codec was made: each accessor throws and is remembered. The codec must neither notice nor be noticed.
 * All of it in one realm of its own; the judge is this realm, whose intrinsics are whole.
 */
'use strict';

const vm = require('node:vm');
const { SOURCE, v8Decode, check, finish } = require('./harness.js');

/** Runs in the realm: makes the codec, then the value, then poisons, then uses the codec. Needs nothing that is poisoned after the poisoning. */
const attack = (source, mode) => `
  const global = globalThis;
  const codec = (${source})({ cloneError: (message) => message, isPort: (value) => value === port });
  const port = { __proto__: null };
  const { defineProperty, ownKeys, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
  const setPrototypeOf = Object.setPrototypeOf;
  const seen = { __proto__: null, length: 0 };

  const value = { a: 1, b: 'x', empty: {}, nested: { deep: [[{ q: 1 }]] } };
  value.self = value;
  value.list = [1, 2, , 3];
  value.texts = ['one', 'é', '日本', '\\ud800', 'long'.repeat(300), 'я'.repeat(300)];
  value.map = new Map([[1, { k: 2 }]]);
  value.items = new Set([1, {}]);
  value.date = new Date(5);
  value.regexp = /a/gi;
  value.bytes = new Uint8Array([1, 2, 3]);
  value.floats = new Float64Array([1.5]);
  value.view = new DataView(new ArrayBuffer(3), 1);
  value.error = new TypeError('t', { cause: { c: 1 } });
  value.big = -(1n << 80n);
  value.boxed = [Object(5), Object('s'), Object(true), Object(5n)];
  value.instance = new (class Q { constructor() { this.z = 1; } })();
  value.port = port;
  value[0] = 9;
  defineProperty(value, '__proto__', { value: 7, enumerable: true });
  for (const name of ['get', 'set', 'value', 'length', 'constructor', 'then', 'toString', 'valueOf']) defineProperty(value, name, { value: name, enumerable: true });

  const spy = (name) => function () {
    if (seen.length < 20) seen[seen.length++] = name;
    throw name;
  };
  const targets = [];
  const add = (object, key, name) => targets.push([object, key, name]);
  const classes = ['Array', 'Map', 'Set', 'Date', 'RegExp', 'ArrayBuffer', 'Uint8Array', 'Float64Array', 'DataView', 'String', 'Number', 'Boolean', 'BigInt',
    'Symbol', 'Promise', 'Function', 'Object', 'WeakMap', 'WeakRef', 'TypeError', 'TextEncoder', 'TextDecoder'];
  for (const name of classes) {
    for (const key of ownKeys(global[name].prototype)) {
      // An error's own name is the page's to tell: it is read, as the standard says.
      if (name === 'TypeError') continue;
      // Node's TextDecoder is written in JavaScript and reads this getter itself; in an engine it is a field.
      if (name === 'TextDecoder' && key === 'encoding') continue;
      add(global[name].prototype, key, name + '.prototype.' + String(key));
    }
    if (!name.startsWith('Text')) for (const key of ownKeys(global[name])) add(global[name], key, name + '.' + String(key));
  }
  const Typed = getPrototypeOf(Uint8Array);
  for (const key of ownKeys(Typed.prototype)) add(Typed.prototype, key, 'TypedArray.prototype.' + String(key));
  for (const key of ownKeys(Typed)) add(Typed, key, 'TypedArray.' + String(key));
  const names = ['get', 'set', 'value', 'enumerable', 'configurable', 'writable', 'length', 'a', 'b', 'list', 'map', 'error', 'transfer', 'colorSpace', 'cause',
    'maxByteLength', 'constructor', 'then', 'tag', 'size', 'make', 'buffer', 'detach'];
  for (const name of names) {
    add(Object.prototype, name, 'Object.prototype.' + name);
    add(Array.prototype, name, 'Array.prototype.' + name);
  }
  for (let i = 0; i < 40; i++) {
    add(Object.prototype, String(i), 'Object.prototype[' + i + ']');
    add(Array.prototype, String(i), 'Array.prototype[' + i + ']');
  }
  for (const space of ['Reflect', 'Math', 'JSON', 'Atomics']) for (const key of ownKeys(global[space])) add(global[space], key, space + '.' + String(key));

  // From here on nothing may be used that is about to be poisoned.
  setPrototypeOf(targets, null);
  const count = targets.length;
  for (let i = 0; i < count; i++) setPrototypeOf(targets[i], null);
  const ports = setPrototypeOf([port], null);
  const spies = setPrototypeOf([], null);
  for (let i = 0; i < count; i++) spies[i] = spy(targets[i][2]);
  const undefinedDescriptor = { __proto__: null, value: undefined };
  ${mode === 'globals' ? `
  for (const name of classes) defineProperty(global, name, undefinedDescriptor);
  for (const name of ['Reflect', 'Error', 'structuredClone']) defineProperty(global, name, undefinedDescriptor);` : `
  for (let i = 0; i < count; i++) {
    const trap = { __proto__: null, get: spies[i], set: spies[i], configurable: true };
    defineProperty(targets[i][0], targets[i][1], trap);
  }`}
  ${mode === 'chain' ? `
  const trapper = (name) => ({ __proto__: null, get: spy(name + ' get'), set: spy(name + ' set'), has: spy(name + ' has'), getOwnPropertyDescriptor: spy(name + ' gopd'), getPrototypeOf: spy(name + ' proto') });
  setPrototypeOf(ArrayProto, new ProxyOfPage({ __proto__: null }, trapper('proxy')));` : ''}

  const result = { __proto__: null, seen, value };
  try {
    result.length = codec.write(value, ports);
    result.clone = codec.read(codec.buffer, result.length, ports);
    result.bytes = { __proto__: null };
    for (let i = 0; i < result.length; i++) result.bytes[i] = codec.buffer[i];
    let refused = 0;
    try { codec.write(() => 1); } catch { refused++; }
    try { codec.write({ x: { port } }); } catch { refused++; }
    result.refused = refused;
    try { codec.read(codec.buffer, 3); } catch { result.badInput = true; }
  } catch (error) {
    result.thrown = error;
  }
  result`;

const prelude = 'const ArrayProto = Array.prototype; const ProxyOfPage = Proxy;';

for (const mode of ['accessors', 'globals', 'chain']) {
  // These two are the host's own: what the page does to their prototypes is undone afterwards.
  const context = vm.createContext({ TextEncoder, TextDecoder });
  const kept = [TextEncoder.prototype, TextDecoder.prototype].map((proto) => [proto, Object.getOwnPropertyDescriptors(proto)]);
  const result = vm.runInContext(`'use strict'; ${prelude} ${attack(SOURCE, mode)}`, context);
  for (const [proto, descriptors] of kept) Object.defineProperties(proto, descriptors);
  const own = (object, key) => Reflect.getOwnPropertyDescriptor(object, key)?.value;
  check(`${mode}: nothing threw`, () => ('thrown' in result ? String(result.thrown && result.thrown.stack ? result.thrown.stack : result.thrown) : undefined));
  check(`${mode}: no page code ran`, () => {
    const names = [];
    for (let i = 0; i < result.seen.length; i++) names.push(result.seen[i]);
    return names.join(', ') || undefined;
  });
  check(`${mode}: the bytes are those of the value`, () => {
    const bytes = Buffer.alloc(result.length);
    for (let i = 0; i < result.length; i++) bytes[i] = result.bytes[i];
    // V8 knows no ports: an empty object takes the place, as it takes one number too.
    const at = bytes.indexOf(Buffer.from([0x5c, 1, 0]));
    if (at < 0) return 'no port in it';
    const value = v8Decode(Buffer.concat([bytes.subarray(0, at), Buffer.from([0x6f, 0x7b, 0]), bytes.subarray(at + 3)]));
    const flags = [value.a, value.b, value.list.length, 2 in value.list, value.map.get(1).k, value.items.size, +value.date, `${value.regexp}`, value.bytes[2],
      value.view.byteOffset, value.error.message, value.error.cause.c, value.big, value.instance.z, value.self === value, value[0], value.get, value.length,
      Object.getOwnPropertyDescriptor(value, '__proto__').value, value.texts[3], value.texts[4].length];
    const expected = [1, 'x', 4, false, 2, 2, 5, '/a/gi', 3, 1, 't', 1, -(1n << 80n), 1, true, 9, 'get', 'length', 7, '\ud800', 1200];
    for (let i = 0; i < expected.length; i++) if (flags[i] !== expected[i]) return `${i}: ${String(flags[i])}`;
    return undefined;
  });
  check(`${mode}: the clone is whole`, () => {
    const { clone, value } = result;
    const keys = Reflect.ownKeys(clone);
    if (keys.join() !== Reflect.ownKeys(value).join()) return `keys ${keys.join()}`;
    for (const key of keys) {
      const descriptor = Reflect.getOwnPropertyDescriptor(clone, key);
      if (!descriptor.enumerable || !descriptor.writable || !descriptor.configurable || !('value' in descriptor)) return `attributes of ${key}`;
    }
    const list = own(clone, 'list');
    if (Reflect.ownKeys(list).join() !== '0,1,3,length' || own(list, '3') !== 3) return 'list';
    if (own(clone, 'self') !== clone || own(clone, '__proto__') !== 7 || own(clone, 'value') !== 'value') return 'odd keys';
    return own(own(clone, 'texts'), '2') === '日本' ? undefined : 'texts';
  });
  check(`${mode}: refusals and bad input still are`, () => (result.refused === 2 && result.badInput ? undefined : `${result.refused} ${result.badInput}`));
}
finish();
