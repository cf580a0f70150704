/** What the page says and hears over the WebSocket of a session; the only place that knows names and shapes. */
import type { Scalar } from '@fernlab/shared/capabilities/signals'
import type { LiveNotification, LiveParams } from '@fernlab/shared/contracts/sessions'
import type { Command } from '../panel/panel-context.tsx'

export interface Person {
  readonly id: string
  readonly name: string
}

/** Somebody whose page of the session is open. */
export type Present = LiveParams<'people'>['people'][number]
export type ChatLine = LiveParams<'chat'>

/** The calls of the page, with their parameters. */
export interface SessionCalls {
  set: { readonly values: Readonly<Record<string, Scalar>> }
  call: { readonly action: string; readonly arguments?: Readonly<Record<string, Scalar>> }
  read: { readonly signals: readonly string[] }
  extend: { readonly seconds: number } | { readonly total: number }
  finish: Readonly<Record<string, never>>
  chat: { readonly text: string }
  'control.give': { readonly to: string }
  'control.take': Readonly<Record<string, never>>
}

/** What the hub tells, by the notification's method. */
export type SessionNotices = { [Name in LiveNotification]: LiveParams<Name> }

export type SessionNotice = {
  [Name in keyof SessionNotices]: { readonly name: Name; readonly params: SessionNotices[Name] }
}[keyof SessionNotices]

/** Where the session's WebSocket is. */
export const socketPath = (id: string): string => `/api/v1/sessions/${id}/live`

/** Where a camera of the session's bench is looked at. */
export const cameraPath = (id: string, part: string): string => `/api/v1/sessions/${id}/cameras/${part}`

/** The address of a WebSocket of the hub that served the page. */
export function webSocketUrl(path: string): string {
  const address = new URL(path, location.href)
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:'
  return address.href
}

/** What was done, one entry for each signal or action; readings are no doings. */
export function commandsOf({ by, command, outcome, at }: SessionNotices['command']): Command[] {
  const entry = { at, by: by.name, refused: outcome === 'done' ? undefined : outcome }
  switch (command.what) {
    case 'set':
      return Object.entries(command.values).map(([target, value]) => ({ ...entry, what: 'set', target, value }))
    case 'call':
      return [{ ...entry, what: 'call', target: command.action }]
    case 'read':
      return []
  }
}
