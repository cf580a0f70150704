/**
 * When a page draws what it has heard.
 *
 * INVARIANTS: every `tell` is called once, with a frame; between the end of a drawing and the next one lies as much time
 * as that drawing took, so that the page has half of a slow computer for what its person does, but not more than
 * `longestRestMs`: what looked like a drawing may have been a computer that slept.
 */
const longestRestMs = 2_000

/** What a browser has for it; times in milliseconds. */
export interface FrameClock {
  readonly nowMs: () => number
  /** Calls back before the next frame is drawn. */
  readonly frame: (draw: () => void) => void
  /** Calls back once the page has come to rest, so many milliseconds later at the earliest. */
  readonly rest: (then: () => void, ms: number) => void
}

const browser: FrameClock = {
  nowMs: () => performance.now(),
  frame: (draw) => requestAnimationFrame(draw),
  rest: (then, ms) => setTimeout(then, ms),
}

/** A schedule for one that has at most one `tell` outstanding. */
export function restfulFrames({ nowMs, frame, rest }: FrameClock = browser): (tell: () => void) => void {
  let isResting = false
  let waiting: (() => void) | undefined

  const draw = (tell: () => void) =>
    frame(() => {
      isResting = true
      const beganMs = nowMs()
      // After the frame, with what the browser itself had to do for it.
      rest(() => rest(rested, Math.min(nowMs() - beganMs, longestRestMs)), 0)
      tell()
    })

  const rested = () => {
    isResting = false
    const tell = waiting
    waiting = undefined
    if (tell !== undefined) draw(tell)
  }

  return (tell) => {
    if (isResting) waiting = tell
    else draw(tell)
  }
}
