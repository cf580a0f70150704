/**
 * What those who are on a session's WebSocket ask of it.
 *
 * INVARIANTS: calls of one connection are bounded, and one that drives is refused to whoever has not the controls; who has
 * gone is answered nothing.
 */
import { type LiveMethod, liveMethods } from '@fernlab/shared/contracts/sessions'
import type { SessionCommand } from '@fernlab/shared/contracts/sync'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { type RpcRequest, rpcError, rpcResult } from '@fernlab/shared/rpc/envelope'
import type { z } from 'zod'
import type { Caller } from '../accounts/caller.ts'
import type { SessionChat } from './chat.ts'
import type { Room, Viewer } from './room.ts'
import type { Sessions } from './sessions.ts'

/** One connection that asks. */
export interface Asker extends Viewer {
  readonly caller: Caller
  /** How many of its calls are under way. */
  calls: number
}

/** Which session is asked, and by whom. */
export interface Asked {
  readonly id: string
  readonly room: Room
  readonly by: Asker
}

export interface LiveCallsOptions {
  readonly sessions: Pick<Sessions, 'command' | 'extend' | 'finish'>
  readonly chat: Pick<SessionChat, 'say'>
  readonly clock: Clock
}

const MOST_CALLS = 16

/** Does what a request asks and answers it, with why not where it is refused; never rejects. */
export function createLiveCalls(options: LiveCallsOptions): (asked: Asked, request: RpcRequest) => Promise<void> {
  return async ({ id, room, by }, { id: call, method, params }) => {
    const reply = (text: string) => {
      if (room.viewers.has(by)) room.answer(by, text)
    }
    if (by.calls >= MOST_CALLS) {
      const error = new LabError({
        code: 'session-busy',
        kind: 'caller',
        retry: 'now',
        message: `${MOST_CALLS} calls are under way already`,
      })
      return reply(rpcError(call, error))
    }
    by.calls++
    try {
      if (!Object.hasOwn(liveMethods, method)) {
        throw new LabError({ code: 'method-unknown', kind: 'caller', message: `there is no call ${method}` })
      }
      reply(rpcResult(call, await perform(options, { id, room, by }, method as LiveMethod, params)))
    } catch (error) {
      reply(rpcError(call, asLabError(error)))
    } finally {
      by.calls--
    }
  }
}

async function perform(
  { sessions, chat, clock }: LiveCallsOptions,
  { id, room, by: { person, place, caller } }: Asked,
  method: LiveMethod,
  params: unknown,
): Promise<unknown> {
  const drive = async (command: SessionCommand) => {
    room.requireControl(person)
    const at = new Date(clock.now()).toISOString()
    try {
      const readings = await sessions.command(id, person.id, command)
      room.tell('command', { by: person, command, outcome: 'done', at })
      return readings
    } catch (error) {
      room.tell('command', { by: person, command, outcome: asLabError(error).message, at })
      throw error
    }
  }
  const ownOnly = () => {
    if (place === 'owner') return
    throw new LabError({ code: 'forbidden', kind: 'caller', message: 'only the owner of the session may do this' })
  }
  switch (method) {
    case 'set':
      await drive({ what: 'set', ...check(method, params) })
      return null
    case 'call':
      await drive({ what: 'call', ...check(method, params) })
      return null
    case 'read':
      return { readings: await drive({ what: 'read', ...check(method, params) }) }
    case 'extend': {
      const asked = check(method, params)
      ownOnly()
      return await sessions.extend(id, caller, asked)
    }
    case 'finish':
      check(method, params)
      if (place === 'partner') room.requireControl(person)
      else ownOnly()
      return await sessions.finish(id, caller)
    case 'chat': {
      const { text } = check(method, params)
      room.tell('chat', await chat.say(id, person, text))
      return null
    }
    case 'control.give':
      room.giveControl(person, check(method, params).to)
      return null
    case 'control.take':
      check(method, params)
      ownOnly()
      room.giveControl(person, person.id)
      return null
  }
}

function check<Name extends LiveMethod>(method: Name, params: unknown): z.output<(typeof liveMethods)[Name]['params']> {
  const checked = liveMethods[method].params.safeParse(params ?? {})
  if (checked.success) return checked.data as z.output<(typeof liveMethods)[Name]['params']>
  const issues = checked.error.issues.map(({ path, message }) => ({ path: path.map(String).join('.'), message }))
  throw new LabError({
    code: 'call-invalid',
    kind: 'caller',
    message: `${method}: ${issues[0]?.path}: ${issues[0]?.message}`,
    issues,
  })
}
