/**
 * The calls that a hub makes on this node (`nodeMethods`).
 *
 * INVARIANTS: setting needs the bench's lease, or the seat of the session that holds it; reading does not, but never
 * disturbs a run: while a run holds the bench only its own lease reads. A call ends by its deadline.
 */
import { LONGEST_LEASE_S } from '@fernlab/shared/contracts/longest'
import { type NodeMethod, nodeMethods } from '@fernlab/shared/contracts/sync'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { z } from 'zod'
import type { Bench } from '../benches/bench.ts'
import type { Lease } from '../benches/lease.ts'
import { isTripped, trippedError } from '../benches/present-state.ts'
import type { Calibrations } from '../calibration/calibrations.ts'
import type { BenchChecks } from '../checks/bench-checks.ts'
import type { Equipment } from '../discovery/equipment.ts'
import type { NodeLook } from '../discovery/node-look.ts'
import type { Reading, SignalValue } from '../drivers/driver.ts'
import type { Seat, Visited } from '../engine/seat.ts'
import type { Interlocks } from '../interlocks/interlocks.ts'
import type { Queue } from '../queue/queue.ts'
import type { Services } from '../services/open-services.ts'
import type { Journal } from '../store/journal.ts'
import { fenceStatement } from '../store/store.ts'
import type { CameraLines } from './camera-lines.ts'
import type { LabTunnels } from './lab-tunnels.ts'

type Params<M extends NodeMethod> = z.infer<(typeof nodeMethods)[M]['params']>
type Results<M extends NodeMethod> = z.infer<(typeof nodeMethods)[M]['result']>

export interface CreateRequestsOptions {
  readonly benches: ReadonlyMap<string, Bench>
  readonly queue: Pick<Queue, 'length' | 'seat'>
  readonly journal: Pick<Journal, 'later'>
  readonly checks: Pick<BenchChecks, 'now'>
  readonly interlocks: Pick<Interlocks, 'reset'>
  readonly calibrations: Pick<Calibrations, 'histories' | 'add' | 'undo'>
  readonly hardware: Pick<NodeLook, 'look'>
  readonly equipment: Pick<Equipment, 'add' | 'remove'>
  readonly tunnels: LabTunnels
  readonly cameras: CameraLines
  readonly services: Pick<Services, 'revoke' | 'holdEnds'>
  /** The hub's web address as this node reaches it, given how browsers do. */
  readonly hubWeb: (said: string) => string
  readonly clock: Clock
  /** Values as they are read and set, for the signal topics. */
  readonly onValue: (instrument: string, signal: string, value: SignalValue, unit: string, timeS: number) => void
}

export interface Requests {
  /** Answers one call; rejects with a LabError. */
  answer(method: string, params: unknown, deadlineMs: number): Promise<unknown>
}

const grant = (ttlMs: number): number => Math.min(Math.max(ttlMs, 1), LONGEST_LEASE_S * 1000)

export function createRequests(options: CreateRequestsOptions): Requests {
  const { benches, queue, journal, checks, interlocks, calibrations, hardware, equipment } = options
  const { tunnels, cameras, services, hubWeb, clock, onValue } = options
  const benchOf = (name: string): Bench => {
    const bench = benches.get(name)
    if (bench === undefined) throw refuse('bench-unknown', `this node has no bench ${name}`, 'never')
    return bench
  }

  const leaseOf = (bench: Bench, token: string): Lease => {
    const tripped = bench.status.interlocks?.find(isTripped)
    if (tripped !== undefined) throw trippedError(bench.name, tripped)
    return heldLease(bench, token)
  }

  const heldLease = (bench: Bench, token: string): Lease => {
    const { lease } = bench
    // A run's lease has a token that nobody is told.
    if (lease === undefined || lease.token !== token || lease.expiresAtMs === undefined || !lease.active) {
      throw refuse('lease-invalid', `that lease on bench ${bench.name} has ended`, 'never')
    }
    return lease
  }

  const seatOf = (key: { readonly runId: string; readonly attempt: number }): Seat => {
    const seat = queue.seat(key)
    if (seat !== undefined) return seat
    throw refuse('session-not-active', `session ${key.runId} does not run on this node`, 'never')
  }

  const visitedOf = (key: { readonly runId: string; readonly attempt: number }): Visited => {
    const { visited } = seatOf(key)
    if (visited !== undefined) return visited
    throw refuse('session-not-active', "no session on a lab's own server is active", 'never')
  }

  const take = ({ bench: name, holder, fence, ttlMs, lease: id }: Params<'lease.take'>): Results<'lease.take'> => {
    const bench = benchOf(name)
    if (fence < bench.fence)
      throw refuse('fence-stale', `fence ${fence} is older than ${bench.fence} of bench ${name}`, 'never')
    const granted = grant(ttlMs)
    const { lease: held, holder: by } = bench
    if (id !== undefined && held?.token === id && held.active && by?.kind === 'direct' && by.id === holder) {
      held.onRenew?.(granted)
      return { lease: id, ttlMs: granted }
    }
    if (queue.length(name) > 0) throw refuse('bench-busy', `bench ${name} has a run`, 'later')
    const lease = bench.acquire({ kind: 'direct', id: holder }, { ttlMs: granted, ...(id && { token: id }) })
    bench.advanceFence(fence)
    journal.later(fenceStatement(name, fence))
    return { lease: lease.token, ttlMs: granted }
  }

  const exchange = async (
    params: Params<'bench.exchange'>,
    signal: AbortSignal,
  ): Promise<Results<'bench.exchange'>> => {
    const bench = benchOf(params.bench)
    const readings: Results<'bench.exchange'>['readings'] = {}
    const wanted = (params.read ?? []).map(split)
    const isRaw = params.raw === true
    if (params.set !== undefined || params.lease !== undefined) {
      const lease = leaseOf(bench, params.lease ?? '')
      for (const [key, value] of Object.entries(params.set ?? {})) {
        const { part, signal: name } = split(key)
        const own = await lease.set(part, name, value, undefined, signal)
        onValue(lease.instrument(part).name, name, own, lease.signal(part, name).unit, clock.now() / 1000)
      }
      note(readings, bench, await lease.read(wanted, signal), isRaw)
    } else {
      // Asked again before each signal: a run may have begun meanwhile.
      const guard = () => {
        if (bench.lease !== undefined) throw refuse('bench-busy', `bench ${bench.name} is in use`, 'later')
      }
      guard()
      for (const { part, signal: name } of wanted) {
        const handle = bench.parts.get(part)
        const spec = handle?.spec.signals.find((one) => one.name === name)
        if (handle === undefined || spec === undefined || spec.access === 'set') {
          throw refuse('signal-unknown', `bench ${bench.name} has no readable signal ${part}.${name}`, 'never')
        }
        const answer = await handle.read([name], { signal, guard })
        const reading = answer[name]
        if (reading !== undefined) note(readings, bench, { [`${part}.${name}`]: reading }, isRaw)
      }
    }
    return { readings }
  }

  const note = (
    readings: Results<'bench.exchange'>['readings'],
    bench: Bench,
    found: Readonly<Record<string, Reading>>,
    isRaw = false,
  ) => {
    for (const [key, { value, time, raw = value }] of Object.entries(found)) {
      const { part, signal } = split(key)
      const handle = bench.parts.get(part)
      const unit = handle?.spec.signals.find(({ name }) => name === signal)?.unit ?? '1'
      readings[key] = { value, unit, time, ...(isRaw ? { raw } : {}) }
      if (handle !== undefined) onValue(handle.name, signal, value, unit, time)
    }
  }

  const dispatch = async (method: string, params: unknown, signal: AbortSignal): Promise<unknown> => {
    switch (method as NodeMethod) {
      case 'lease.take':
        return take(check('lease.take', params))
      case 'lease.renew': {
        const { bench: name, lease: token, ttlMs } = check('lease.renew', params)
        const lease = leaseOf(benchOf(name), token)
        const granted = grant(ttlMs)
        lease.onRenew?.(granted)
        return { ttlMs: granted } satisfies Results<'lease.renew'>
      }
      case 'lease.release': {
        const { bench: name, lease: token, ended } = check('lease.release', params)
        const bench = benchOf(name)
        const held = heldLease(bench, token)
        if (ended !== undefined) services.holdEnds(token, ended)
        const { reached } = await bench.release(held)
        return { safe: reached } satisfies Results<'lease.release'>
      }
      case 'bench.exchange':
        return await exchange(check('bench.exchange', params), signal)
      case 'bench.check': {
        const { bench: name } = check('bench.check', params)
        return { checks: await checks.now(benchOf(name)) } satisfies Results<'bench.check'>
      }
      case 'bench.reset-interlock': {
        const { bench: name, interlock } = check('bench.reset-interlock', params)
        const stand = await interlocks.reset(benchOf(name), interlock, signal)
        return { interlocks: [...stand] } satisfies Results<'bench.reset-interlock'>
      }
      case 'node.calibrations':
        check('node.calibrations', params)
        return { calibrations: calibrations.histories } satisfies Results<'node.calibrations'>
      case 'node.calibrate': {
        const { signal: key, by, change } = check('node.calibrate', params)
        const history = change === 'undo' ? await calibrations.undo(key, by) : await calibrations.add(key, change, by)
        return { history: [...history] } satisfies Results<'node.calibrate'>
      }
      case 'node.look': {
        const { scan } = check('node.look', params)
        return (await hardware.look(scan)) satisfies Results<'node.look'>
      }
      case 'node.add-instrument': {
        const { by, ...asked } = check('node.add-instrument', params)
        return { instrument: await equipment.add(asked, by) } satisfies Results<'node.add-instrument'>
      }
      case 'node.remove-instrument':
        await equipment.remove(check('node.remove-instrument', params).name)
        return {} satisfies Results<'node.remove-instrument'>
      case 'session.command': {
        const { by, command, ...key } = check('session.command', params)
        return {
          readings: { ...(await seatOf(key).command(by, command, signal)) },
        } satisfies Results<'session.command'>
      }
      case 'session.extend': {
        const { by, seconds, ...key } = check('session.extend', params)
        return { secondsLeft: seatOf(key).extend(by, seconds) } satisfies Results<'session.extend'>
      }
      case 'session.finish': {
        const { by, ...key } = check('session.finish', params)
        seatOf(key).finish(by)
        return {} satisfies Results<'session.finish'>
      }
      case 'session.visit': {
        const { url, through } = visitedOf(check('session.visit', params))
        return { url, through } satisfies Results<'session.visit'>
      }
      case 'session.dial': {
        const { hub, token, ...key } = check('session.dial', params)
        await tunnels.open({ visited: visitedOf(key), hub: hubWeb(hub), token, signal })
        return {} satisfies Results<'session.dial'>
      }
      case 'session.look': {
        const { hub, token, part, ...key } = check('session.look', params)
        await cameras.open({ ...seatOf(key).look(part), hub: hubWeb(hub), token, signal })
        return {} satisfies Results<'session.look'>
      }
      case 'session.used': {
        const { requests, ...key } = check('session.used', params)
        seatOf(key).requested(requests)
        return {} satisfies Results<'session.used'>
      }
      case 'session.noted': {
        const { rows, ...key } = check('session.noted', params)
        seatOf(key).noted(rows)
        return {} satisfies Results<'session.noted'>
      }
      case 'session.renew':
        for (const { awaited = false, ...key } of check('session.renew', params).sessions) {
          queue.seat(key)?.renew(awaited)
        }
        return {} satisfies Results<'session.renew'>
      case 'services.revoke':
        return { closed: await services.revoke(check('services.revoke', params)) } satisfies Results<'services.revoke'>
      default:
        throw refuse('method-unknown', `this node does not know the call ${method}`, 'never')
    }
  }

  return {
    answer: (method, params, deadlineMs) => {
      const late = () => refuse('deadline-exceeded', `${method} did not finish within ${deadlineMs} ms`, 'later')
      return withDeadline(clock, deadlineMs, undefined, late, (signal) => dispatch(method, params, signal))
    },
  }
}

function check<M extends NodeMethod>(method: M, params: unknown): Params<M> {
  const checked = nodeMethods[method].params.safeParse(params)
  if (checked.success) return checked.data as Params<M>
  const issues = checked.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }))
  throw new LabError({
    code: 'call-invalid',
    kind: 'caller',
    message: `${method}: ${issues[0]?.path}: ${issues[0]?.message}`,
    issues,
  })
}

function split(key: string): { part: string; signal: string } {
  const [part = '', signal = ''] = key.split('.')
  return { part, signal }
}

function refuse(code: string, message: string, retry: 'never' | 'later'): LabError {
  return new LabError({ code, kind: 'caller', message, retry })
}
