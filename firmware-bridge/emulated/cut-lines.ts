/** Cuts bytes into lines that end with a line feed, after a carriage return or not; one that grows too long is dropped. */
export function cutLines(longest: number, onTooLong: () => void): (bytes: Uint8Array) => string[] {
  let buffer = ''
  return (bytes) => {
    buffer += Buffer.from(bytes).toString('latin1')
    const lines = buffer.split('\n')
    buffer = lines.pop() ?? ''
    if (buffer.length > longest) {
      buffer = ''
      onTooLong()
    }
    return lines.map((line) => line.replace(/\r$/, ''))
  }
}
