/** What cameras have recorded of a session: pieces of about a second, each with its pictures one after another. Pure. */
import * as z from 'zod'

/**
 * Pictures that come sooner after the one before are not kept. Those of a camera of 10 to 20 Hz are then no further apart
 * than 100 ms, so that the nearest of any moment is within 50 ms of it.
 */
export const LEAST_APART_S = 0.045
/** So many bytes are kept of an attempt of a run; what would come after is not. */
export const MOST_RECORDED_BYTES = 1024 * 1024 * 1024

/** `GET /api/v1/runs/{id}/recording`. */
export const recordingSchema = z.object({
  attempt: z.number(),
  /** With `?since=` it, a later call answers with the pieces that have come after these alone. */
  cursor: z.string(),
  cameras: z.array(
    z.object({
      part: z.string(),
      bytes: z.number(),
      pieces: z.array(
        z.object({
          number: z.number(),
          /** When each picture of the piece was seen, epoch seconds by the node's clock, as the times of readings. */
          times: z.array(z.number()),
        }),
      ),
    }),
  ),
})
export type Recording = z.infer<typeof recordingSchema>
