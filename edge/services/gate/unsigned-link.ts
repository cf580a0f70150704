/** A link that carries little until it is known who is at its other end. */

import { frameBytes } from '@fernlab/shared/rpc/formats'
import type { Link } from '@fernlab/shared/rpc/link'

/** The link; it is closed when more than so many bytes come before `isKnown`. */
export function boundedUntil(link: Link, mostBytes: number, isKnown: () => boolean): Link {
  let bytes = 0
  const { sendParts } = link
  return {
    kind: link.kind,
    format: link.format,
    get pendingBytes() {
      return link.pendingBytes
    },
    send: (frame) => link.send(frame),
    ...(sendParts === undefined ? {} : { sendParts: (head, body) => sendParts.call(link, head, body) }),
    close: (why) => link.close(why),
    listen: (listener) =>
      link.listen({
        drained: () => listener.drained(),
        ended: (error) => listener.ended(error),
        frame: (frame) => {
          if (bytes <= mostBytes && !isKnown()) bytes += frameBytes(frame)
          if (bytes > mostBytes && !isKnown()) void link.close('sign in first')
          else listener.frame(frame)
        },
      }),
  }
}
