/** The nodes and benches of the stand-in for the hub. */

import type { Outage, PlanOutages } from '@fernlab/shared/contracts/bench-care'
import type { AddInstrumentRequest } from '@fernlab/shared/contracts/hardware-drafts'
import { type Area, json, listed, problem } from './fake-answers.ts'
import { FakeCalibrations } from './fake-calibrations.ts'
import { FakeHardware } from './fake-hardware.ts'
import { services, supplyContract } from './fake-services.ts'
import { benches, benchHistory, nodes, plannedOutages } from './fake-staff.ts'
import type { FakeState } from './fake-state.ts'

/** The objects of `/api/v1/benches`, `/api/v1/outages`, `/api/v1/nodes` and `/api/v1/directory`. */
export function fakeFleet(hub: FakeState): Area {
  const removed = new Set<string>()
  const outages: Outage[] = [...plannedOutages]
  const hardware = new FakeHardware()
  const calibrations = new FakeCalibrations(hub)

  return async ({ call, method, url, body, collection, id, verb, rest }) => {
    if (call === 'GET /api/v1/benches') {
      return listed(
        hub,
        benches.map((bench) => ({
          ...bench,
          ...held(hub.heldBy.get(bench.id)),
          ...(hub.unclean.has(bench.id) ? notCleanedUp : {}),
          ...interlocked(hub.interlocked.get(bench.id)),
        })),
      )
    }
    if (collection === 'benches' && verb === 'history') return json(benchHistory)
    if (collection === 'benches' && verb === 'checks') {
      hub.checked++
      return json(benches.find((bench) => bench.id === id))
    }
    if (collection === 'benches' && verb === 'reset-interlock') {
      if ((body as { interlock?: string }).interlock !== 'too-hot') return problem(404, 'interlock-unknown')
      if (hub.interlocked.get(id)?.holds === true) return problem(409, 'interlock-holds')
      hub.interlocked.delete(id)
      return json(benches.find((bench) => bench.id === id))
    }
    if (collection === 'benches' && verb === 'put-back') {
      hub.unclean.delete(id)
      return json(benches.find((bench) => bench.id === id))
    }
    if (collection === 'benches' && verb === 'lease') {
      if (method === 'DELETE') {
        hub.heldBy.delete(id)
        return json({ safe: true })
      }
      const { lease, resume } = body as { lease?: string; resume?: boolean }
      const holder = hub.heldBy.get(id)
      if (holder === 'other' || (holder === 'me' && lease === undefined && resume !== true)) {
        return problem(409, 'bench-busy')
      }
      hub.heldBy.set(id, 'me')
      await hub.taking
      const check = benches.find((one) => one.id === id)?.checks?.find(({ underWay }) => underWay !== undefined)
      const ended = lease !== undefined || resume !== true || check === undefined ? {} : { endedCheck: check.title }
      return json({ lease: 'l1', expiresAt: new Date(Date.now() + 120_000).toISOString(), ...ended })
    }
    if (collection === 'benches' && verb === 'exchange') {
      const { lease, set = {}, read = [] } = body as { lease?: string; set?: Record<string, unknown>; read?: string[] }
      if (hub.heldBy.has(id) && lease === undefined) {
        const hint = 'An instrument of this bench failed. What was measured until then is kept.'
        return problem(409, 'bench-busy', { hint })
      }
      if (set['psu.current_limit'] === 0.4) return problem(422, 'value-out-of-limits', { hint: 'it takes 0.3 A' })
      const time = new Date().toISOString()
      return json({
        readings: Object.fromEntries(
          read.map((name) => [name, { value: name.endsWith('.output') ? false : 3.3012, unit: 'V', time }]),
        ),
      })
    }
    if (collection === 'benches' && verb === 'outages') {
      const mine = outages.filter(({ bench }) => bench === id)
      if (method === 'GET') return json({ items: mine })
      if (method === 'DELETE') {
        const at = outages.findIndex((outage) => outage.id === rest[0])
        if (at === -1) return problem(404, 'outage-unknown')
        outages.splice(at, 1)
        return json(undefined, 204)
      }
    }
    if (call === 'POST /api/v1/outages') {
      const { benches: closed, ...planned } = body as PlanOutages
      const made = closed.map(
        (bench, at): Outage => ({
          id: `o${outages.length + 1 + at}`,
          bench,
          reason: planned.reason,
          atOnce: planned.atOnce ?? false,
          from: planned.from ?? new Date().toISOString(),
          ...(planned.until === undefined ? {} : { until: planned.until }),
          ...(planned.weekly === undefined ? {} : { weekly: { ...planned.weekly, timeZone: 'Europe/Madrid' } }),
          inForce: planned.from === undefined && planned.weekly === undefined,
          createdBy: hub.ownName,
          createdAt: new Date().toISOString(),
        }),
      )
      outages.push(...made)
      return json({ items: made }, 201)
    }
    if (call === 'GET /api/v1/directory') return listed(hub, services)
    if (collection === 'directory') {
      const found = services.find((one) => url.pathname.endsWith(`/${encodeURIComponent(one.id)}`))
      return found === undefined ? problem(404, 'service-unknown') : json({ ...found, contract: supplyContract })
    }
    if (call === 'GET /api/v1/nodes') {
      return listed(
        hub,
        nodes.filter((node) => !removed.has(node.id)),
      )
    }
    if (collection === 'nodes' && verb === 'hardware') {
      if (rest[0] === 'scan') hub.scanned++
      return json(rest[0] === 'scan' ? hardware.scan : hardware.look)
    }
    if (collection === 'nodes' && verb === 'instruments') {
      if (method === 'DELETE') {
        hardware.remove(rest[0] ?? '')
        return json(undefined, 204)
      }
      const made = hardware.add(body as AddInstrumentRequest)
      return made === undefined
        ? problem(422, 'instrument-unfit', { hint: 'there is an instrument of that name already' })
        : json(made, 201)
    }
    if (collection === 'nodes' && verb === 'calibrations') return calibrations.answer(method, rest[0], body)
    if (collection === 'nodes' && verb === 'removal')
      return json({ benches: ['physics-2.diode-1'], waiting: 2, runsKept: 1 })
    if (collection === 'nodes' && method === 'DELETE') {
      if (url.searchParams.get('confirm') !== id) return problem(422, 'not-confirmed')
      removed.add(id)
      return json(undefined, 204)
    }
    if (call === 'POST /api/v1/nodes') {
      const { node } = body as { node: string }
      return json(
        {
          node,
          code: 'K7QM-4XWD-9RTB',
          expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
          mqtt: ['mqtt://127.0.0.1:1883'],
        },
        201,
      )
    }
    return undefined
  }
}

const notCleanedUp = {
  state: 'fault',
  reason: 'the clean-up after session s1 was not done: the supply did not answer',
  out: true,
}

const interlocked = (tripped: { readonly holds: boolean } | undefined) =>
  tripped === undefined
    ? {}
    : {
        state: 'fault',
        reason: `interlock too-hot has tripped: oven.temperature > 90, with oven.temperature = 93 Cel; ${tripped.holds ? 'when that is over, reset it' : 'that is over: look at the bench, then reset it'}`,
        interlocks: [
          {
            name: 'too-hot',
            title: 'Too hot',
            when: 'oven.temperature > 90',
            state: 'tripped',
            reason: 'oven.temperature > 90, with oven.temperature = 93 Cel',
            since: new Date(Date.now() - 60_000).toISOString(),
            latched: true,
            ...tripped,
          },
          { name: 'door', when: 'box.closed is false', state: 'clear' },
        ],
      }

const held = (holder: 'me' | 'other' | undefined) =>
  holder === undefined
    ? {}
    : {
        state: 'busy',
        reason: 'it is being used directly',
        leased: true,
        ...(holder === 'me' ? { mine: true } : { leasedBy: { id: 'p7', name: 'Bo Lindqvist' } }),
      }
