import { Duplex } from 'node:stream'

/** Two ends of one connection in this process: what is written to one is read from the other, with backpressure. */
export function connectedPair(): [Duplex, Duplex] {
  const ends: [End, End] = [new End(), new End()]
  ends[0].other = ends[1]
  ends[1].other = ends[0]
  return ends
}

class End extends Duplex {
  other: End | undefined
  #resume: (() => void) | undefined

  constructor() {
    super({ highWaterMark: 1024 * 1024 })
  }

  override _read(): void {
    const resume = this.#resume
    this.#resume = undefined
    resume?.()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const { other } = this
    if (other === undefined || other.destroyed) done(new Error('the other end is closed'))
    else if (other.push(chunk)) done()
    else other.#resume = done
  }

  override _final(done: (error?: Error | null) => void): void {
    this.other?.push(null)
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const { other } = this
    if (other !== undefined && !other.destroyed) setImmediate(() => other.destroy())
    done(error)
  }
}
