/** Pulls the JPEG files out of what ffmpeg's muxer mpjpeg writes: MIME parts (RFC 2046) with the length in their head. */
import { LabError } from '@fernlab/shared/primitives/lab-error'

export interface Parts {
  /** The files that are whole now; throws `camera-garbage` for what are no such parts. */
  take(piece: Buffer): Buffer[]
}

const MOST_HEAD_BYTES = 1024
const MOST_FILE_BYTES = 16 * 1024 * 1024
const HEAD_END = Buffer.from('\r\n\r\n')

/** Of one stream, from its begin. */
export function createParts(): Parts {
  let pieces: Buffer[] = []
  let held = 0
  /** How many bytes must be there before it is worth a look. */
  let wanted = 1
  let file: number | undefined

  const head = (bytes: Buffer): number | undefined => {
    const end = bytes.indexOf(HEAD_END)
    if (end === -1) {
      if (bytes.length > MOST_HEAD_BYTES) throw garbage('a head without an end')
      return undefined
    }
    const length = /^content-length: *(\d+)\r?$/im.exec(bytes.subarray(0, end + 2).toString('latin1'))?.[1]
    if (length === undefined) throw garbage('a head without a length')
    if (Number(length) > MOST_FILE_BYTES) throw garbage(`a picture of ${length} bytes`)
    file = Number(length)
    return end + HEAD_END.length
  }

  return {
    take: (piece) => {
      pieces.push(piece)
      held += piece.length
      if (held < wanted) return []
      let bytes = pieces.length === 1 ? piece : Buffer.concat(pieces)
      const files: Buffer[] = []
      for (;;) {
        if (file === undefined) {
          const begin = head(bytes)
          if (begin === undefined) break
          bytes = bytes.subarray(begin)
        }
        if (file === undefined || bytes.length < file) break
        // A copy: what it was cut from may be far longer, and would stay as long as it.
        files.push(Buffer.from(bytes.subarray(0, file)))
        bytes = bytes.subarray(file)
        file = undefined
      }
      pieces = [bytes]
      held = bytes.length
      wanted = Math.max(file ?? 0, held + 1)
      return files
    },
  }
}

function garbage(what: string): LabError {
  return new LabError({
    code: 'camera-garbage',
    kind: 'instrument',
    retry: 'later',
    message: `the pictures can not be read: ${what}`,
  })
}
