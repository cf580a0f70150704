/** What host and guest say to each other, one JSON object a line, over the machine's second serial port. */

/** A test's outcome as `suite.ts` writes it. */
export interface TestEvent {
  readonly event: 'suite' | 'start' | 'pass' | 'fail' | 'skip' | 'only' | 'exit'
  readonly suite?: string
  readonly test?: string
  readonly error?: string
  readonly reason?: string
  readonly ms?: number
  readonly fileTimeoutMs?: number
}

export type GuestMessage =
  | { readonly kind: 'ready'; readonly release: string; readonly node: string }
  | {
      readonly kind: 'call'
      readonly id: number
      readonly operation: string
      readonly args: readonly unknown[]
    }
  | {
      readonly kind: 'end'
      readonly events: readonly TestEvent[]
      readonly output: string
      readonly code: number | null
      readonly signal: string | null
      /** The limit that was passed, when the file was killed for it. */
      readonly timedOutMs?: number
    }

export type HostMessage =
  | {
      readonly kind: 'run'
      /** Path of the bundle. */
      readonly path: string
      readonly modules: readonly string[]
      readonly limitMs: number
    }
  | { readonly kind: 'reply'; readonly id: number; readonly value?: unknown; readonly error?: string }

/** Splits a stream of bytes into lines, and gives the parsed message of each line that is one. */
export function messageReader<T>(take: (message: T) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0)
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = rest.subarray(0, end).toString('utf8').trim()
      rest = rest.subarray(end + 1)
      if (line.startsWith('{')) take(JSON.parse(line) as T)
    }
  }
}
