import { schedule } from 'node-cron'

/**
 * Calls at the times of a cron expression; what is due stands in the database, so a call that is late or left out loses
 * nothing. Returns what ends it.
 *
 * Each call has a task of its own: a task that lives on goes through every time that a jump of the clock passes over,
 * with a warning for each, before it does anything else.
 */
export function startTicker(expression: string, call: () => void): () => Promise<void> {
  let ended = false
  let task: ReturnType<typeof schedule>
  const begin = () => {
    task = schedule(expression, async () => {
      await task.destroy()
      if (ended) return
      begin()
      call()
    })
  }
  begin()
  return async () => {
    ended = true
    await task.destroy()
  }
}
