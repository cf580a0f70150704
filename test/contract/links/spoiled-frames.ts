import type { Format, Frame } from '@fernlab/shared/rpc/formats'
import { defaultLimits } from '@fernlab/shared/rpc/limits'
import { kindOf } from '@fernlab/shared/rpc/messages'
import fc from 'fast-check'

/** How many differ. */
export const SAMPLES = 2000

/** Frames that no end can read, of the kind that the link carries. */
export function spoiledFrames(good: Frame, { read }: Format): Frame[] {
  const isUnreadable = (frame: Frame) => {
    try {
      kindOf(read(frame, defaultLimits), defaultLimits)
      return false
    } catch {
      return true
    }
  }
  let frames: fc.Arbitrary<Frame>
  // Its beginning stays, or it might be a piece of a message, for which more is waited.
  if (typeof good === 'string') {
    const from = fc.integer({ min: 1, max: good.length - 1 })
    frames = fc.tuple(from, fc.string({ maxLength: 20 })).map(([at, text]) => good.slice(0, at) + text)
  } else if (good instanceof Uint8Array) {
    const from = fc.integer({ min: 1, max: good.length - 1 })
    const bytes = fc.uint8Array({ maxLength: 20 })
    frames = fc.tuple(from, bytes).map(([at, more]) => Uint8Array.of(...good.subarray(0, at), ...more))
  } else frames = fc.constantFrom<Frame>([], { id: {} }, { id: 1, method: 1 }, { method: '' }, new Uint8Array(3))
  return fc.sample(frames.filter(isUnreadable), { numRuns: SAMPLES, seed: 1 })
}
