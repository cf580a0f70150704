/** What a node and the process of a daemon say to each other, besides `rpc.ping`. */
import type { LabErrorJson } from '@fernlab/shared/primitives/lab-error'
import type { ServiceContract } from '@fernlab/shared/rpc/contract/service-contract'
import type { Batch } from '@fernlab/shared/rpc/messages'
import type { Room } from '@fernlab/shared/rpc/peer/handing-on'

/** A call: makes the services. Answers {@link Loaded}. */
export const LOAD = 'host.load'
/** A call: closes the services; no other call comes after it. */
export const CLOSE = 'host.close'
/** One way: a client is gone, and with it the objects that were its own. `{session}` */
export const SESSION_ENDED = 'host.session-ended'
/** One way: nobody waits for a call any more, which is answered all the same when it has ended. `{call}` */
export const GIVE_UP = 'host.give-up'

/** A call: does calls one after another. {@link HostedBatch}, answered as `rpc.batch` is. */
export const BATCH = 'host.batch'

export interface HostedBatch {
  /** Its number, for {@link GIVE_UP}: the one that is being done, and all after it. */
  readonly call: number
  readonly stop: boolean
  /** What the answers may have together. */
  readonly room: Room
  /** Each stands once. */
  readonly kinds: readonly { readonly method: string; readonly params: Readonly<Record<string, unknown>> }[]
  /** Number of the kind of each call. */
  readonly calls: Batch['calls']
  /** The member `args` of the params of each. */
  readonly args: Batch['params']
}

/** `<service>/call {action, args}`, `/read {signals}`, `/set {signal, value}`, `/events {names}`; each with the session, and `call`: its number, for {@link GIVE_UP}. */
export type HostedMember = 'call' | 'read' | 'set' | 'events'

export type InstanceMode = 'single' | 'session' | 'percall'

export interface ServiceToLoad {
  readonly name: string
  /** Its file, or the folder that it shares; relative to the folder of node.yaml, which is the process's own. */
  readonly file: string
  /** Of a folder that is shared: how many bytes may be in it, where it may be written. */
  readonly shared?: { readonly quotaBytes?: number }
  readonly instances: InstanceMode
  readonly parameters: Readonly<Record<string, unknown>>
  /** A folder of its own, in which it may keep what it likes. */
  readonly folder: string
}

/** For each service what it can do, or why it can't be used. */
export type Loaded = Readonly<Record<string, { readonly contract: ServiceContract } | { readonly error: LabErrorJson }>>
