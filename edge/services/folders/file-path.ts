/** A path in a folder, as a client names it. */
import { folderError } from './folder-errors.ts'

/** Files that are being written begin so; nobody sees them. */
export const PART = '.fernlab-part-'

const MOST_BYTES = 1024
const MOST_NAME_BYTES = 200
const MOST_NAMES = 32
/** Control characters, marks that turn the direction of a text, halves of a character and what is left of them, and what other systems split at. */
const UNFIT = /[\p{Cc}\p{Cs}\ufffd\u200e\u200f\u202a-\u202e\u2066-\u2069\\]/u

/** Its names; none for the folder itself. Throws `path-invalid`, and `outside-folder` for one that leads out. */
export function namesOf(path: string): string[] {
  if (path === '') return []
  const shown = path.length > 100 ? `${path.slice(0, 100)}…` : path
  const invalid = (why: string) => folderError('path-invalid', `${JSON.stringify(shown)} ${why}`, shown)
  if (Buffer.byteLength(path) > MOST_BYTES) throw invalid(`is longer than ${MOST_BYTES} bytes`)
  if (path.startsWith('/'))
    throw folderError('outside-folder', `${shown} begins with /: say where in the folder`, shown)
  const names = path.split('/')
  if (names.includes('..')) throw folderError('outside-folder', `${shown} leads out of the folder`, shown)
  if (names.length > MOST_NAMES) throw invalid(`has more than ${MOST_NAMES} folders in each other`)
  for (const name of names) {
    if (name === '.') throw invalid('has the name "." in it: leave that out; the folder itself is ""')
    if (name === '') throw invalid('has an empty name in it')
    if (UNFIT.test(name)) throw invalid('has characters that no name may have')
    if (Buffer.byteLength(name) > MOST_NAME_BYTES) throw invalid(`has a name of more than ${MOST_NAME_BYTES} bytes`)
    if (name.startsWith(PART)) throw invalid(`has a name that begins with ${PART}, as what is being written does`)
  }
  return names
}
