/**
 * The page's WebSocket to a camera.
 *
 * INVARIANTS: a picture is answered once it has been shown, so that a slow page is sent fewer, never late ones; after
 * close() nothing is told.
 */
import { readPicture } from '@fernlab/shared/contracts/picture-messages'

export interface Seen {
  /** When, in epoch seconds by the clock of the node. */
  readonly time: number
  readonly file: Blob
}

export interface CameraLinkOptions {
  /** Makes a connection that is being opened. */
  readonly connect: () => WebSocket
  /** Resolves when it is shown. */
  readonly show: (seen: Seen) => Promise<void>
  /** No more will come, for this reason; nothing is tried again. */
  readonly onEnd: (reason: string) => void
}

const retryMs = { first: 500, longest: 8000 }
/** Close codes of hub/sessions/socket-watch: the sign-in has ended, the session is over. */
const final = [4401, 4410]

/** Opens the link and keeps it open; returns how to close it. */
export function openCameraLink({ connect, show, onEnd }: CameraLinkOptions): () => void {
  let isClosed = false
  let socket: WebSocket | undefined
  let retry: ReturnType<typeof setTimeout> | undefined
  let waitMs = retryMs.first

  const open = () => {
    const own = connect()
    own.binaryType = 'arraybuffer'
    socket = own
    own.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer | string>) => {
      if (isClosed) return
      if (typeof data === 'string') return onEnd((JSON.parse(data) as { message: string }).message)
      const picture = readPicture(new Uint8Array(data))
      if (picture === undefined) return own.close()
      waitMs = retryMs.first
      const file = new Blob([picture.jpeg as Uint8Array<ArrayBuffer>], { type: 'image/jpeg' })
      const answer = () => {
        if (own.readyState === own.OPEN) own.send('')
      }
      show({ time: picture.time, file }).then(answer, answer)
    })
    own.addEventListener('close', ({ code }) => {
      if (isClosed || socket !== own || final.includes(code)) return
      retry = setTimeout(open, waitMs)
      waitMs = Math.min(waitMs * 2, retryMs.longest)
    })
  }

  open()
  return () => {
    isClosed = true
    clearTimeout(retry)
    socket?.close()
  }
}
