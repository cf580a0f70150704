/** The lines that a daemon has written, the newest of them. */
import type { DaemonLine } from '@fernlab/shared/contracts/daemon-control'

export interface LogLines {
  /** `hide` takes out of it what no client may see, as that was when it was written. */
  add(line: DaemonLine, hide: (text: string) => string): void
  /** The newest `most`, the oldest first. */
  newest(most: number): readonly DaemonLine[]
  /** Those that clients may see, the oldest first. */
  ofClients(): readonly DaemonLine[]
  /** What there is by now is for the owner of the machine alone: it is of services that are no more, or elsewhere. */
  keepBack(): void
  /** The text of a line that is kept, as clients may see it. */
  shown(line: DaemonLine): string
}

const MOST_LINES = 2000
const MOST_CHARS = 512 * 1024

/** Keeps 2000 lines, of 512 Ki characters together. */
export function createLogLines(): LogLines {
  const lines: DaemonLine[] = []
  const hides = new WeakMap<DaemonLine, (text: string) => string>()
  let chars = 0
  /** The first that clients may see. */
  let firstOfClients = 0
  return {
    add: (line, hide) => {
      lines.push(line)
      hides.set(line, hide)
      chars += line.text.length
      while (lines.length > MOST_LINES || chars > MOST_CHARS) chars -= lines.shift()?.text.length ?? 0
    },
    newest: (most) => (most <= 0 ? [] : lines.slice(-most)),
    ofClients: () => lines.filter(({ number }) => number >= firstOfClients),
    keepBack: () => {
      firstOfClients = (lines.at(-1)?.number ?? firstOfClients - 1) + 1
    },
    shown: (line) => hides.get(line)?.(line.text) ?? '',
  }
}

const LF = 10
const LINE_BYTES = 8192

/** Cuts bytes into lines of UTF-8, a longer one after each 8 KiB: nothing that is written is kept without a bound. */
export function createLineCutter(line: (text: string) => void): { take(piece: Buffer): void; end(): void } {
  let kept = Buffer.alloc(0)
  const tell = (bytes: Buffer) => {
    const text = bytes.toString('utf8').replace(/\r$/, '')
    if (text.trim() !== '') line(text)
  }
  return {
    take: (piece) => {
      let rest = kept.length === 0 ? piece : Buffer.concat([kept, piece])
      for (;;) {
        const at = rest.subarray(0, LINE_BYTES).indexOf(LF)
        if (at < 0 && rest.length < LINE_BYTES) break
        tell(rest.subarray(0, at < 0 ? LINE_BYTES : at))
        rest = rest.subarray(at < 0 ? LINE_BYTES : at + 1)
      }
      // The stream may use its memory again.
      kept = Buffer.from(rest)
    },
    end: () => {
      tell(kept)
      kept = Buffer.alloc(0)
    },
  }
}
