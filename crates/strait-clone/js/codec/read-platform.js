// Reading: errors, and objects that only some platforms have.

const readError = () => {
  const id = newId();
  let tag = readVarint();
  let make = NewError;
  if (ERROR_TAGS[tag] !== undefined) {
    make = ERROR_TAGS[tag];
    tag = readVarint();
  }
  const error = new make();
  objects[id] = error;
  // The error's own stack would show where the codec runs.
  define(error, 'stack', undefined, false);
  for (; tag !== 0x2e; tag = readVarint()) {
    switch (tag) {
      case 0x6d: // m
        define(error, 'message', readString(), false);
        break;
      case 0x63: // c
        define(error, 'cause', readValue(), false);
        break;
      case 0x73: // s
        define(error, 'stack', readString(), false);
        break;
      default:
        bad('an unknown part of an error');
    }
  }
  return error;
};

const readHost = () => {
  const kind = readVarint();
  if (kind === HOST_PORT) {
    const index = readVarint();
    if (index >= readPortCount) bad(`port ${index} did not come along`);
    return addObject(readPorts[index]);
  }
  if (kind === HOST_BLOB) return addObject(readBlob());
  if (kind === HOST_FILES) return addObject(readFiles());
  if (kind === HOST_CROSSING && crossed !== null) return crossed(readVarint(), readVarint());
  if (kind !== HOST_IMAGE) bad('an unknown host object');
  const width = readVarint();
  const height = readVarint();
  const colorSpace = readVarint();
  const size = readVarint();
  if (width === 0 || height === 0 || colorSpace > 1 || size !== width * height * 4) bad('a malformed ImageData');
  const bytes = bufferOut(size);
  if (NewImageData === null) bad('this realm has no ImageData');
  const pixels = new VIEW_NAMES.Uint8ClampedArray.make(bytes);
  const settings = createObject(null);
  settings.colorSpace = colorSpace === 1 ? 'display-p3' : 'srgb';
  return addObject(imageColorSpace ? new NewImageData(pixels, width, height, settings) : new NewImageData(pixels, width, height));
};

/** A sequence for WebIDL with this one item, which does not depend on the state of arrays. */
const sequenceOf = (item) => {
  const sequence = createObject(null);
  sequence[iterator] = () => {
    let over = false;
    const steps = createObject(null);
    steps.next = () => {
      const step = createObject(null);
      step.done = over;
      step.value = over ? undefined : item;
      over = true;
      return step;
    };
    return steps;
  };
  return sequence;
};

const readBlob = () => {
  const kind = readVarint();
  if (kind > 1) bad('an unknown kind of blob');
  const options = createObject(null);
  options.type = readString();
  let name = '';
  if (kind === 1) {
    name = readString();
    options.lastModified = readDouble();
  }
  const size = readVarint();
  if (readBlobs !== null) {
    if (readBlobCount >= readBlobs.length) bad('there are more Blobs than were written');
    const blob = readBlobs[readBlobCount];
    readBlobCount += 3;
    return blob;
  }
  const bytes = copyOut(size);
  if (size % 2 === 1 && readByte() !== 0) bad('a blob is not padded');
  if ((kind === 1 ? NewFile : NewBlob) === null) bad('this realm has no Blob or File');
  const parts = sequenceOf(bytes);
  return kind === 1 ? new NewFile(parts, name, options) : new NewBlob(parts, options);
};

/** Reads a FileList; an array where the class is missing. */
const readFiles = () => {
  const count = readVarint();
  // Each file takes at least one byte.
  if (count > end - at + pending) bad('a list is longer than the input');
  const transfer = NewTransfer !== null && addItem !== null ? new NewTransfer() : null;
  const items = transfer === null ? [] : transferItems(transfer);
  for (let i = 0; i < count; i++) {
    if (readByte() !== 0x5c || readVarint() !== HOST_BLOB) bad('a list of files has something else in it');
    const file = readBlob();
    if (transfer === null) define(items, i, file, true);
    else if (addItem(items, file) === null) bad('a list of files has something else in it');
  }
  return transfer === null ? items : transferFiles(transfer);
};
