// V8's wire format 15, as far as it is more than single bytes: tables of what has names and tags.

const VERSION = 15;
const OLDEST_VERSION = 13;
/** Host objects: `\` + varint kind + … */
const HOST_PORT = 1;
const HOST_IMAGE = 2;
const HOST_BLOB = 3;
const HOST_FILES = 4;
/** What only crosses between two worlds of one document: kind and number, of which the two ends of a bridge make something. Nobody else reads it. */
const HOST_CROSSING = 5;

/**
 * How deep objects may be nested: `write` refuses what is deeper, so that whatever was posted can be read at the other end, rather than be lost there.
 * Every object counts here, while the Rust side (`MAX_DEPTH`) counts those that contain others: so `read` takes one level more.
 * Both walk by recursion; the engines have room for several times that, and what they have not becomes an error.
 */
const MAX_DEPTH = 2000;

/** Views: name, tag, element size, constructor (missing ones are null). */
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

/** Error names that survive, with the tag and constructor of each. */
const ERROR_NAMES = createObject(null);
const ERROR_TAGS = createObject(null);
{
  const table = [['EvalError', 0x45], ['RangeError', 0x52], ['ReferenceError', 0x46], ['SyntaxError', 0x53], ['TypeError', 0x54], ['URIError', 0x55]];
  for (let i = 0; i < table.length; i++) {
    ERROR_NAMES[table[i][0]] = table[i][1];
    ERROR_TAGS[table[i][1]] = global[table[i][0]];
  }
}

/** RegExp flags in the order of V8's bits; bit 6 is V8's own `linear`. */
const REGEXP_FLAGS = 'gimyusldv';
const regExpFlagGetters = newList();
{
  const names = ['global', 'ignoreCase', 'multiline', 'sticky', 'unicode', 'dotAll', '', 'hasIndices', 'unicodeSets'];
  for (let i = 0; i < names.length; i++) regExpFlagGetters[i] = names[i] ? getter(RegExp.prototype, names[i]) : null;
}
