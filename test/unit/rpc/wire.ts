import { linkEnded } from '@fernlab/shared/rpc/errors'
import { type Format, type Frame, jsonFormat } from '@fernlab/shared/rpc/formats'
import type { Link, LinkListener } from '@fernlab/shared/rpc/link'

/** A link of which the test is the other end, and says how much waits in it. */
export class Wire implements Link {
  readonly kind = 'websocket'
  readonly format: Format
  readonly sent: Frame[] = []
  pendingBytes = 0
  listener: LinkListener | undefined
  closed: string | undefined

  constructor(format: Format = jsonFormat) {
    this.format = format
  }
  send(frame: Frame): void {
    this.sent.push(frame)
  }
  listen(listener: LinkListener): void {
    this.listener = listener
  }
  async close(why = 'closed'): Promise<void> {
    if (this.closed !== undefined) return
    this.closed = why
    this.listener?.ended(linkEnded(why))
  }
  get texts(): unknown[] {
    return this.sent.map((frame) => JSON.parse(frame as string))
  }
}
