/**
 * Values made from a seed, nested, with shared parts and cycles, and a comparison that sees classes, sharing, holes, order and -0.
 *
 * Runs in pages and in main processes, and makes equal values of equal seeds in every engine: each end of a port can make by itself what should have come.
 * The one expression gives `{ generate, difference, settle }`.
 */
(() => {
  'use strict';

  const VIEWS = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array',
    'Float64Array', 'BigInt64Array', 'BigUint64Array', 'DataView'];
  const ERRORS = ['Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError'];
  const FLAGS = ['', 'g', 'gi', 'su', 'dmy'];
  const TYPES = ['', 'text/plain', 'x/y; charset=utf-8'];
  const NAMES = ['', 'a.txt', 'gr\u00fcn', '\u65e5\u672c', '\u{1f600}'];

  /**
   * @param {number} seed
   * @param {{ resizable?: boolean, images?: boolean, blobs?: boolean }} has what both ends have
   * @returns {{ value: any, buffers: ArrayBuffer[] }} `buffers` are those in the value that may be transferred
   */
  const generate = (seed, has) => {
    let state = seed >>> 0;
    const next = (below) => {
      state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) >>> 0;
      return Math.floor((state / 4294967296) * below);
    };
    const pick = (list) => list[next(list.length)];
    const made = [];
    const buffers = [];
    const keep = (object) => {
      made.push(object);
      return object;
    };
    const text = (most) => {
      let made = '';
      const range = pick([128, 256, 65536]);
      for (let i = next(most); i > 0; i--) made += String.fromCharCode(next(range));
      return made;
    };
    const bigint = () => BigInt(next(1e9)) ** BigInt(next(9)) * (next(2) ? 1n : -1n);
    const number = () => pick([next(2000) - 1000, (next(1e9) - 5e8) * 1.37e5, NaN, -0, Infinity, 4294967296.5, 5e-324, 2 ** 31, -(2 ** 31) - 1]);
    const bytes = (buffer) => {
      const all = new Uint8Array(buffer);
      for (let i = 0; i < all.length; i++) all[i] = next(256);
      return buffer;
    };
    const buffer = () => {
      const size = next(6) * 8;
      if (has.resizable && next(4) === 0) return keep(bytes(new ArrayBuffer(size, { maxByteLength: size + next(64) })));
      const fresh = keep(bytes(new ArrayBuffer(next(12) === 0 ? 3000 : size)));
      buffers.push(fresh);
      return fresh;
    };
    const view = () => {
      const old = made.filter((object) => object instanceof ArrayBuffer);
      const under = old.length > 0 && next(2) ? pick(old) : buffer();
      const Make = globalThis[pick(VIEWS)];
      const unit = Make.BYTES_PER_ELEMENT || 1;
      const room = Math.floor(under.byteLength / unit);
      const offset = next(room + 1);
      return keep(new Make(under, offset * unit, next(room - offset + 1)));
    };
    const fill = (object, deep) => {
      for (let i = next(5); i > 0; i--) {
        const key = next(4) === 0 ? String(next(50)) : text(5);
        Object.defineProperty(object, key, { value: value(deep), enumerable: true, writable: true, configurable: true });
      }
      return object;
    };
    const compound = [
      view,
      view,
      buffer,
      () => keep(Object(pick([true, false, -0, 1.5, text(4), bigint()]))),
      (deep) => {
        const map = keep(new Map());
        for (let i = next(4); i > 0; i--) map.set(value(deep), value(deep));
        return map;
      },
      (deep) => {
        const set = keep(new Set());
        for (let i = next(4); i > 0; i--) set.add(value(deep));
        return set;
      },
      (deep) => {
        const error = keep(new globalThis[pick(ERRORS)](text(9)));
        error.stack = text(9);
        if (next(2)) Object.defineProperty(error, 'cause', { value: value(deep), writable: true, configurable: true });
        return error;
      },
      (deep) => {
        const array = keep([]);
        for (let i = next(5); i > 0; i--) array[array.length + (next(5) === 0 ? next(3) : 0)] = value(deep);
        if (next(5) === 0) array.length += next(3);
        if (next(4) === 0) array[`x${text(5)}`] = value(deep);
        return array;
      },
      (deep) => fill(keep({}), deep),
      (deep) => fill(keep({}), deep),
      (deep) => {
        if (!has.images || next(3)) return fill(keep({}), deep);
        const image = keep(new ImageData(1 + next(3), 1 + next(3)));
        bytes(image.data.buffer);
        return image;
      },
      (deep) => {
        if (!has.blobs || next(2)) return fill(keep({}), deep);
        const [parts, type] = [[bytes(new ArrayBuffer(next(40)))], pick(TYPES)];
        if (next(2)) return keep(new Blob(parts, { type }));
        return keep(new File(parts, pick(NAMES), { type, lastModified: next(1e9) }));
      },
    ];
    const simple = [
      () => undefined,
      () => null,
      () => next(2) === 0,
      number,
      number,
      bigint,
      () => text(6),
      () => text(600),
      () => (made.length > 0 ? pick(made) : 'none'),
      () => (made.length > 0 ? pick(made) : 'none'),
      () => keep(new Date(next(2) ? next(1e9) : NaN)),
      () => keep(new RegExp(pick(['a', 'b+', '[x]', '日', '\\/']), pick(FLAGS))),
    ];
    const value = (deep) => pick(deep > 5 || (deep > 0 && next(2)) ? simple : compound)(deep + 1);
    return { value: value(0), buffers };
  };

  const show = (value) => {
    try {
      return typeof value === 'object' ? Object.prototype.toString.call(value) : `${typeof value} ${String(value)}`.slice(0, 60);
    } catch {
      return typeof value;
    }
  };

  /** Blobs whose bytes are still to be compared. */
  let later = [];

  /** Compares the bytes of all Blobs that `difference` has met: resolves with why the first ones differ, or undefined. */
  const settle = async () => {
    const pairs = later;
    later = [];
    for (const [a, b, at] of pairs) {
      const [left, right] = [await a.arrayBuffer(), await b.arrayBuffer()];
      const found = difference(left, right, `${at}.bytes`);
      if (found) return found;
    }
    return undefined;
  };

  /** Why `a`, what should have come, and `b` differ; undefined if they do not. Of Blobs `settle` says the rest. */
  const difference = (a, b, at = 'value', seen = new Map()) => {
    if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) {
      return Object.is(a, b) ? undefined : `${at}: ${show(b)} instead of ${show(a)}`;
    }
    if (seen.has(a)) return seen.get(a) === b ? undefined : `${at}: another object than before`;
    seen.set(a, b);
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return `${at}: of another class, ${show(b)} instead of ${show(a)}`;
    const tag = Object.prototype.toString.call(a);
    if (tag !== Object.prototype.toString.call(b)) return `${at}: ${show(b)} instead of ${tag}`;
    const parts = [];
    if (a instanceof Map || a instanceof Set) {
      const [left, right] = [[...a], [...b]];
      parts.push(['size', a.size, b.size]);
      left.forEach((entry, i) => {
        if (a instanceof Set) parts.push([`entry ${i}`, entry, right[i]]);
        else parts.push([`key ${i}`, entry[0], right[i] && right[i][0]], [`entry ${i}`, entry[1], right[i] && right[i][1]]);
      });
    } else if (a instanceof Date) parts.push(['time', a.getTime(), b.getTime()]);
    else if (a instanceof RegExp) parts.push(['source', a.source, b.source], ['flags', a.flags, b.flags]);
    else if (a instanceof Error) {
      for (const key of ['name', 'message', 'stack', 'cause']) parts.push([key, a[key], b[key]]);
      parts.push(['cause there', Object.hasOwn(a, 'cause'), Object.hasOwn(b, 'cause')]);
    } else if (a instanceof ArrayBuffer) {
      parts.push(['resizable', a.resizable, b.resizable], ['limit', a.maxByteLength, b.maxByteLength], ['bytes', [...new Uint8Array(a)].join(), [...new Uint8Array(b)].join()]);
    } else if (ArrayBuffer.isView(a)) {
      parts.push(['offset', a.byteOffset, b.byteOffset], ['size', a.byteLength, b.byteLength], ['buffer', a.buffer, b.buffer]);
    } else if (a instanceof Number || a instanceof Boolean || a instanceof String || a instanceof BigInt) {
      parts.push(['primitive', a.valueOf(), b.valueOf()]);
    } else if (typeof ImageData === 'function' && a instanceof ImageData) {
      parts.push(['width', a.width, b.width], ['height', a.height, b.height], ['pixels', a.data.join(), b.data.join()]);
    } else if (typeof Blob === 'function' && a instanceof Blob) {
      for (const key of ['size', 'type', 'name', 'lastModified']) parts.push([key, a[key], b[key]]);
      later.push([a, b, at]);
    } else {
      const [left, right] = [Object.keys(a), Object.keys(b)];
      parts.push(['keys', left.join('\u0001'), right.join('\u0001')], ['length', a.length, b.length]);
      for (const key of left) parts.push([key, a[key], b[key]]);
    }
    for (const [key, left, right] of parts) {
      const found = difference(left, right, `${at}.${key}`, seen);
      if (found) return found;
    }
    return undefined;
  };

  return { __proto__: null, generate, difference, settle };
})()
