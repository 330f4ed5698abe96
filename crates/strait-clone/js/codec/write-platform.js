// Writing: errors, and objects that only some platforms have.

const writeErrorParts = (name, message, cause, hasCause, stack) => {
  writeByte(0x72); // r
  const tag = ERROR_NAMES[name];
  if (tag !== undefined) writeByte(tag);
  if (message !== undefined) {
    writeByte(0x6d); // m
    writeString(message);
  }
  if (hasCause) {
    writeByte(0x63); // c
    writeValue(cause);
  }
  if (typeof stack === 'string') {
    writeByte(0x73); // s
    writeString(stack);
  }
  writeByte(0x2e); // .
};

const writeError = (value) => {
  if (crosser !== null) {
    writeErrorText(value);
    return;
  }
  const name = value.name;
  const message = ownData(value, 'message');
  const text = message === undefined ? undefined : toStringCopy(message.value);
  const cause = ownData(value, 'cause');
  writeErrorParts(
    name === undefined ? 'Error' : `${name}`,
    text,
    cause === undefined ? undefined : cause.value,
    cause !== undefined,
    value.stack,
  );
};

/**
 * Writes the message of an error, the only part that crosses to another world. The stack is an
 * empty text.
 */
const writeErrorText = (value) => {
  const { message } = value;
  writeErrorParts('Error', message === undefined ? undefined : toStringCopy(message), undefined, false, '');
};

/** Writes a DOMException as an Error with its message, because not every end has the class. */
const writeException = (value) => {
  const name = exceptionName(value);
  writeErrorParts('Error', exceptionMessage(value), undefined, false, `${name}: ${exceptionMessage(value)}`);
};

/** Writes `\` 2, width, height, colour space (0 sRGB, 1 Display P3), byte length and RGBA bytes. */
const writeImage = (value) => {
  const data = imageData(value);
  if (typedTag(data) !== 'Uint8ClampedArray' || isDetached(typedBuffer(data))) fail();
  const size = typedSize(data);
  writeByte(0x5c);
  writeVarint(HOST_IMAGE);
  writeVarint(imageWidth(value));
  writeVarint(imageHeight(value));
  writeVarint(imageColorSpace && imageColorSpace(value) === 'display-p3' ? 1 : 0);
  writeVarint(size);
  writeBytes(data, size);
};

/**
 * Writes `\` 3, class (0 Blob, 1 File), type, for a File its name and date, byte length, bytes, and
 * a zero byte if their number is odd.
 */
const writeBlob = (value, isFile) => {
  const size = isFile ? fileSize(value) : blobSize(value);
  writeByte(0x5c);
  writeVarint(HOST_BLOB);
  writeVarint(isFile ? 1 : 0);
  writeString(isFile ? fileType(value) : blobType(value));
  if (isFile) {
    writeString(fileName(value));
    writeDouble(fileDate(value));
  }
  writeVarint(size);
  if (blobsLater) {
    if (blobList === null) blobList = newList();
    const count = blobList.length;
    blobList[count] = value;
    blobList[count + 1] = sunk + pos;
    blobList[count + 2] = size;
    return;
  }
  if (blobBytes === null) fail();
  let bytes = null;
  try {
    bytes = blobBytes(value);
  } catch {
    // The file was removed or changed.
    fail();
  }
  if (typedSize(bytes) !== size) fail();
  writeBytes(bytes, size);
  if (size % 2 === 1) writeByte(0);
};

/**
 * Writes `\` 4, the count, and each file in its usual form. Files in a list have no object numbers.
 */
const writeFiles = (value) => {
  const count = filesLength(value);
  writeByte(0x5c);
  writeVarint(HOST_FILES);
  writeVarint(count);
  for (let i = 0; i < count; i++) writeBlob(filesItem(value, i), true);
};
