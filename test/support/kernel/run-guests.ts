/**
 * Runs guest test files in one machine, and reports each of their tests as a test of this file.
 *
 * INVARIANTS: every guest file ends with at least one outcome; what a machine that has ended left undone has failed.
 */
import { limit } from '../long.ts'
import type { GuestFile } from './guest-files.ts'
import type { RunningMachine } from './machine.ts'
import type { GuestMessage, TestEvent } from './messages.ts'
import type { HostPeer } from './need.ts'
import type { Report } from './report.ts'

interface Runner {
  judge(
    events: readonly TestEvent[],
    end: { code: number | null; signal: string | null; timedOut: number | undefined; left: boolean },
  ): {
    readonly skips: readonly { test: string; reason: string }[]
    readonly failures: readonly { test: string; error: string }[]
  }
}

/** The runner's own judgement of a file, so that a guest's file is held to the same. */
const { judge } = (await import(new URL('../../../scripts/test/run-file.mjs', import.meta.url).href)) as Runner

const fileLimitMs = 5 * 60_000
const bootLimitMs = 3 * 60_000

/** Runs these files one after the other; the machine has been started and is ended by the caller. */
export async function runGuests(machine: RunningMachine, guests: readonly GuestFile[], report: Report): Promise<void> {
  const startedAt = performance.now()
  const left = [...guests]
  try {
    const ready = await within(machine.next(), limit(bootLimitMs), 'the kernel has not come up')
    if (ready.kind !== 'ready') throw new Error(`the guest began with ${JSON.stringify(ready)}`)
    process.stdout.write(`kernel ${ready.release}, Node ${ready.node}, up in ${since(startedAt)}\n`)
    for (let guest = left[0]; guest !== undefined; guest = left[0]) {
      await runGuest(machine, guest, report)
      left.shift()
    }
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    for (const { name } of left) report.fail(name, '(file)', `${text}\n${machine.console()}`)
  }
}

async function runGuest(machine: RunningMachine, guest: GuestFile, report: Report): Promise<void> {
  const startedAt = performance.now()
  const peer = await guest.need.host?.(machine)
  try {
    machine.send({ kind: 'run', path: guest.bundle, modules: guest.need.modules ?? [], limitMs: limit(fileLimitMs) })
    for (;;) {
      const message = await machine.next()
      if (message.kind === 'call') void answer(machine, peer, message)
      if (message.kind !== 'end') continue
      publish(guest.name, message, report)
      process.stdout.write(`${guest.file}: ${since(startedAt)}\n`)
      return
    }
  } finally {
    await peer?.close()
  }
}

async function answer(
  machine: RunningMachine,
  peer: HostPeer | undefined,
  { id, operation, args }: Extract<GuestMessage, { kind: 'call' }>,
): Promise<void> {
  try {
    const perform = peer?.operations[operation] as ((...given: readonly unknown[]) => unknown) | undefined
    if (perform === undefined) throw new Error('the .need.ts file offers no such operation')
    machine.send({ kind: 'reply', id, value: await perform(...args) })
  } catch (error) {
    machine.send({ kind: 'reply', id, error: error instanceof Error ? error.message : String(error) })
  }
}

function publish(name: string, end: Extract<GuestMessage, { kind: 'end' }>, report: Report): void {
  for (const { event, test } of end.events) if (event === 'pass') report.pass(name, test ?? '')
  const { code, signal, timedOutMs } = end
  const { skips, failures } = judge(end.events, { code, signal, timedOut: timedOutMs, left: false })
  for (const { test, reason } of skips) report.skip(name, test, reason)
  for (const { test, error } of failures) report.fail(name, test, error)
  if (failures.length > 0) process.stdout.write(`${end.output}\n`)
}

async function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${ms / 1000} s`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

const since = (startedAt: number) => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`
