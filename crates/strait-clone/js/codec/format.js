// V8's wire format 15: host objects, limits, and the tables of names and tags.

const VERSION = 15;
const OLDEST_VERSION = 13;
/** Host objects: `\`, a varint kind, then the kind's content. */
const HOST_PORT = 1;
const HOST_IMAGE = 2;
const HOST_BLOB = 3;
const HOST_FILES = 4;
/**
 * A value that crosses between two worlds of one document: a kind and a number, which both ends of
 * a bridge map to a value. Only these two ends read it.
 */
const HOST_CROSSING = 5;

/**
 * The limit of nested objects. `write` refuses deeper values, because the other end could not read
 * them and the message would be lost. Every object counts here. The Rust side (`MAX_DEPTH`) counts
 * only objects that contain others, so `read` accepts one level more. Both functions walk by
 * recursion. The engines have room for several times this depth; an engine with less stack reports
 * an error.
 */
const MAX_DEPTH = 2000;

/** Views: name, tag, element size and constructor, which is null if the engine lacks it. */
const VIEW_NAMES = createObject(null);
const VIEW_TAGS = createObject(null);
{
  const table = [
    ['Int8Array', 0x62, 1], ['Uint8Array', 0x42, 1], ['Uint8ClampedArray', 0x43, 1], ['Int16Array', 0x77, 2], ['Uint16Array', 0x57, 2],
    ['Int32Array', 0x64, 4], ['Uint32Array', 0x44, 4], ['Float16Array', 0x68, 2], ['Float32Array', 0x66, 4], ['Float64Array', 0x46, 8],
    ['BigInt64Array', 0x71, 8], ['BigUint64Array', 0x51, 8], ['DataView', 0x3f, 1],
  ];
  for (let i = 0; i < table.length; i++) {
    const entry = createObject(null);
    entry.tag = table[i][1];
    entry.size = table[i][2];
    entry.make = typeof global[table[i][0]] === 'function' ? global[table[i][0]] : null;
    VIEW_NAMES[table[i][0]] = entry;
    VIEW_TAGS[entry.tag] = entry;
  }
}

/** The names of errors that survive cloning, with tag and constructor of each. */
const ERROR_NAMES = createObject(null);
const ERROR_TAGS = createObject(null);
{
  const table = [['EvalError', 0x45], ['RangeError', 0x52], ['ReferenceError', 0x46], ['SyntaxError', 0x53], ['TypeError', 0x54], ['URIError', 0x55]];
  for (let i = 0; i < table.length; i++) {
    ERROR_NAMES[table[i][0]] = table[i][1];
    ERROR_TAGS[table[i][1]] = global[table[i][0]];
  }
}

/** RegExp flags in the order of V8's bits. Bit 6 is V8's own `linear`. */
const REGEXP_FLAGS = 'gimyusldv';
const regExpFlagGetters = newList();
{
  const names = ['global', 'ignoreCase', 'multiline', 'sticky', 'unicode', 'dotAll', '', 'hasIndices', 'unicodeSets'];
  for (let i = 0; i < names.length; i++) regExpFlagGetters[i] = names[i] ? getter(RegExp.prototype, names[i]) : null;
}
