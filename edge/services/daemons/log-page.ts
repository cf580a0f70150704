/** Which lines of a log answer who asks again and again; pure. */
import type { DaemonLine } from '@fernlab/shared/contracts/daemon-control'
import type { AskedLog, ServiceLog } from '@fernlab/shared/contracts/service-log'

interface LogPage extends Pick<ServiceLog, 'next' | 'continues'> {
  readonly lines: readonly DaemonLine[]
}

/** Of all lines that are kept, the oldest first; `start` names the start of the node that has numbered them. */
export function logPage(kept: readonly DaemonLine[], { lines: most, after }: AskedLog, start: string): LogPage {
  const [known, number = ''] = after.split('.')
  const seen = known === start && /^\d+$/.test(number) ? Number(number) : undefined
  const [oldest] = kept
  // What was seen last is still there, so that nothing between was dropped.
  const isKept = seen === 0 || (seen !== undefined && oldest !== undefined && oldest.number <= seen)
  const newer = isKept ? kept.filter((line) => line.number > seen) : kept
  const lines = newer.slice(-most)
  const last = kept.at(-1)?.number ?? 0
  return { lines, next: `${start}.${last}`, continues: isKept && newer.length === lines.length }
}
