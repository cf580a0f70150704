const lookMs = 250

/** npm ends at a SIGTERM without passing it on: what it started is called back, once, when its parent is gone. */
export function whenParentIsGone(callback: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    callback()
  }, lookMs)
  timer.unref()
}
