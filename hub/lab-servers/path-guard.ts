/**
 * Which addresses of a lab's own server browsers may ask for.
 *
 * INVARIANTS: what starts and ends sessions there (`weblab/sessions/…`) is refused however it is written, since what a
 * server makes of a path is not known here: what is refused is every path that some server could read that way.
 */

/** More than any path is encoded by mistake. */
const MOST_DECODINGS = 8

/** Why a browser may not ask for this: it is no path, or it is for hubs alone. Undefined for what it may. */
export function refusedTarget(target: string): 'not-a-path' | 'for-hubs-alone' | undefined {
  // Visible ASCII is all that a request line may hold; a backslash is a slash to some.
  if (!/^\/[!-~]*$/.test(target) || target.includes('#')) return 'not-a-path'
  const [path = ''] = target.split('?', 1)
  const read = decoded(path)
  if (read === undefined || read.includes('\0')) return 'not-a-path'
  const asWritten = segmentsOf(read)
  return leadsThere(asWritten) || leadsThere(followed(asWritten)) ? 'for-hubs-alone' : undefined
}

/** Decoded until nothing is left to decode; bytes that are no UTF-8 stay as they are. */
function decoded(path: string): string | undefined {
  let now = path
  for (let times = 0; times < MOST_DECODINGS; times++) {
    const next = now.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    if (next === now) return now
    now = next
  }
  return undefined
}

/** As the most generous server would read them: in lower case, and without what follows a `;`. */
function segmentsOf(path: string): string[] {
  // Letters of other widths and styles are the same letters to some (`ｗeblab`).
  const text = Buffer.from(path, 'latin1').toString('utf8').normalize('NFKC').toLowerCase()
  return text.split(/[/\\]/).flatMap((part) => {
    const [name = ''] = part.split(';', 1)
    // Some servers drop them.
    const seen = name.replace(/[\p{Cc}\p{Cf}\s]/gu, '')
    return seen === '' || seen === '.' ? [] : [seen]
  })
}

function followed(segments: readonly string[]): string[] {
  const found: string[] = []
  for (const name of segments) {
    if (name === '..') found.pop()
    else found.push(name)
  }
  return found
}

const leadsThere = (segments: readonly string[]) =>
  segments.some((name, at) => name === 'weblab' && segments[at + 1] === 'sessions')
