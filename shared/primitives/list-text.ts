/**
 * The text of a list as spreadsheets save it: UTF-8, or UTF-16 that says so with a byte-order mark (Excel's “Unicode
 * text”). Bytes that are neither become U+FFFD, by which `readPeople` names their line: nobody's name is guessed.
 */
export function listText(bytes: Uint8Array): string {
  const [first, second] = bytes
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8'
  return new TextDecoder(encoding).decode(bytes)
}
