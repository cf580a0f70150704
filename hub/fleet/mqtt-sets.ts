/**
 * Values that whoever holds a bench sets over MQTT: each is an exchange of that use, recorded like one through the API.
 *
 * INVARIANTS: only the person who took the lease sets with it; of one bench one value is set at a time, in the order in
 * which they came; nothing is set later than `SET_MS` after it came, nor for a connection that was cut since; what names no
 * lease of its sender is said in the log and sets nothing.
 */
import { signalSetSchema } from '@fernlab/shared/contracts/node-status'
import { parseTopic } from '@fernlab/shared/contracts/topics'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { BrokerMessage, Sender } from '../broker/broker.ts'
import { createLossLog } from '../broker/loss-log.ts'
import type { Fleet } from './fleet.ts'
import type { FleetBook } from './fleet-book.ts'

export interface MqttSets {
  /** Resolves when the value was set, or refused and that is said. */
  take(message: BrokerMessage, sender: Sender): Promise<void>
  /** What waits for its turn is refused from now on. */
  close(): void
}

export interface CreateMqttSetsOptions {
  readonly site: string
  readonly book: Pick<FleetBook, 'benches'>
  readonly exchange: Fleet['exchange']
  readonly clock: Clock
  readonly log: Log
}

/** A value waits no longer than this for those before it. */
const SET_MS = 5000
const MOST_BYTES = 16 * 1024
const refusals = ['set-unreadable', 'set-too-large', 'lease-ended'] as const

interface Wanted {
  readonly bench: string
  readonly lease: string
  readonly set: Readonly<Record<string, number | string | boolean>>
}

/** Sets over the fleet's exchanges. */
export function createMqttSets({ site, book, exchange, clock, log }: CreateMqttSetsOptions): MqttSets {
  const losses = createLossLog(log)
  const lastOf = new Map<string, Promise<void>>()
  let closed = false

  const say = ({ topic }: BrokerMessage, { tokenId, address }: Sender, error: LabError) => {
    const fields = { token: tokenId, address, topic, code: error.code, error: error.message }
    losses.lost(`${tokenId}/${error.code}`, fields, 'a value to set over MQTT was refused')
  }

  const carryOut = async ({ bench, lease, set }: Wanted, sender: Sender, before: Promise<void> | undefined) => {
    const { personId, tokenId, address } = sender
    const latest = clock.monotonic() + SET_MS
    const turn = async () => {
      await before
      if (sender.isCut()) throw refuse('set-too-late', 'its connection was cut before it was its turn')
      if (closed) throw refuse('set-too-late', 'the hub was stopped before it was its turn')
      if (clock.monotonic() > latest) throw refuse('set-too-late', `those before it took longer than ${SET_MS} ms`)
    }
    try {
      await exchange(bench, { lease, set }, { person: personId, way: 'mqtt', address, turn })
      for (const code of refusals) losses.recovered(`${tokenId}/${code}`, { token: tokenId }, 'values are set again')
    } catch (error) {
      // The record of the use has it.
      log.debug({ bench, error: asLabError(error).message }, 'a value was not set')
    }
  }

  return {
    take: async (message, sender) => {
      let wanted: Wanted
      try {
        wanted = wantedBy(site, book, message, sender.personId)
      } catch (error) {
        return say(message, sender, asLabError(error))
      }
      const { bench } = wanted
      const mine = carryOut(wanted, sender, lastOf.get(bench))
      lastOf.set(bench, mine)
      await mine
      if (lastOf.get(bench) === mine) lastOf.delete(bench)
    },
    close: () => {
      closed = true
    },
  }
}

/** Reads a message on `…/set` of somebody; throws where it can't be read or names no lease of theirs on that instrument. */
function wantedBy(site: string, book: Pick<FleetBook, 'benches'>, message: BrokerMessage, person: string): Wanted {
  const { topic, payload } = message
  const parsed = parseTopic(site, topic)
  if (parsed?.kind !== 'signal-set') throw refuse('set-unreadable', 'that is no topic of a signal to set')
  const { lease, value } = read(payload)
  for (const bench of book.benches.values()) {
    if (bench.node !== parsed.node || bench.lease?.lease !== lease || bench.lease.holder !== person) continue
    const [part] = Object.entries(bench.parts).find(([, instrument]) => instrument === parsed.instrument) ?? []
    if (part !== undefined) return { bench: bench.id, lease, set: { [`${part}.${parsed.signal}`]: value } }
  }
  throw refuse('lease-ended', `its sender holds no such lease on ${parsed.instrument} of ${parsed.node}`)
}

function read(payload: Uint8Array) {
  if (payload.length > MOST_BYTES) {
    throw refuse('set-too-large', `it has ${payload.length} bytes; a value to set may have ${MOST_BYTES}`)
  }
  let message: unknown
  try {
    message = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  } catch {
    // What a parser says repeats the text, which may be a lease.
    throw refuse('set-unreadable', 'it is not JSON in UTF-8, such as {"value": 3.3, "lease": "…"}')
  }
  const checked = signalSetSchema.safeParse(message)
  if (checked.success) return checked.data
  const [issue] = checked.error.issues
  throw refuse('set-unreadable', `${issue?.path.join('.') || 'the message'}: ${issue?.message}`)
}

function refuse(code: string, message: string): LabError {
  return new LabError({ code, kind: 'caller', message, retry: 'never' })
}
