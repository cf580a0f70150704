/** Finds the files in a posted form as it passes by: their names and sizes, and nothing of what is in them. */

export interface Upload {
  readonly name: string
  readonly bytes: number
}

export interface UploadWatch {
  note(chunk: Buffer): void
  /** The files whose end has passed. */
  readonly files: readonly Upload[]
}

const MOST_FILES = 50
const MOST_HEAD = 8 * 1024
const MOST_NAME = 200

/** For the body of this content type; undefined where it is no form with files. */
export function watchUploads(contentType: string | undefined): UploadWatch | undefined {
  const [, quoted, plain] =
    /^multipart\/form-data\b.*?;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(contentType ?? '') ?? []
  const boundary = quoted ?? plain
  if (boundary === undefined || boundary.length > 70) return undefined
  const mark = Buffer.from(`\r\n--${boundary}`, 'latin1')
  const files: Upload[] = []
  /** Not looked at yet; begins as if a line had ended, since the first mark has none before it. */
  let rest: Buffer = Buffer.from('\r\n')
  /** Of the file that is passing; undefined between files and in other fields. */
  let name: string | undefined
  let bytes = 0
  let inHead = false
  let lost = false

  const step = (): boolean => {
    if (inHead) {
      const end = rest.indexOf('\r\n\r\n')
      if (end === -1) {
        lost = rest.length > MOST_HEAD
        return false
      }
      name = fileName(rest.subarray(0, end).toString('utf8'))
      bytes = 0
      inHead = false
      // The line end stays: an empty part has its mark right there.
      rest = rest.subarray(end + 2)
      bytes -= 2
      return true
    }
    const at = rest.indexOf(mark)
    const passed = at === -1 ? Math.max(0, rest.length - mark.length + 1) : at
    bytes += passed
    rest = rest.subarray(at === -1 ? passed : at + mark.length)
    if (at === -1) return false
    if (name !== undefined && name !== '') files.push({ name, bytes: Math.max(0, bytes) })
    name = undefined
    inHead = true
    lost = files.length >= MOST_FILES
    return true
  }

  return {
    files,
    note: (chunk) => {
      if (lost) return
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      while (!lost && step());
      if (lost) rest = Buffer.alloc(0)
    },
  }
}

function fileName(head: string): string | undefined {
  const [, quoted, plain] = /^content-disposition:.*?;\s*filename=(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/im.exec(head) ?? []
  return (quoted ?? plain)?.slice(0, MOST_NAME)
}
