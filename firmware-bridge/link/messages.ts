/** What frames say: requests, answers, the hello of a firmware that has started, samples. */
import { LabError } from '@fernlab/shared/primitives/lab-error'

/** Kinds of frames from the host. */
export const request = { connect: 1, describe: 2, read: 3, set: 4, call: 5, stream: 6, time: 7, credit: 8 } as const
export type RequestKind = (typeof request)[keyof typeof request]
/** Kinds of frames from the firmware; an answer is `reply` plus the kind of the request. */
export const reply = 16
export const hello = 24
export const samples = 25

/** Signals that one read can have, and settings of one frame, and signals of one stream at most. */
export const MOST_READ = 16
export const MOST_SET = 8

/** What a firmware says of itself as it starts, and as it is connected to. */
export interface Introduction {
  /** The number that the host gave when it connected; 0 before. */
  readonly session: number
  /** How often it has started since it had power. */
  readonly boots: number
  readonly firmware: Firmware
  /** Lines of its description. */
  readonly entries: number
  /** Signals that one stream can have. */
  readonly streamSignals: number
}

export interface Firmware {
  readonly name: string
  readonly version: string
  /** CRC-32 of the program, in hexadecimal. */
  readonly hash: string
}

const text = new TextDecoder('utf-8', { fatal: false })
const SELF = 12

/** Undefined for what is none. */
export function readIntroduction(payload: Uint8Array): Introduction | undefined {
  if (payload.length < SELF) return undefined
  const view = viewOf(payload)
  const [name, version, ...more] = text.decode(payload.subarray(SELF)).split('\0')
  if (name === undefined || version === undefined || more.length > 0) return undefined
  return {
    session: view.getUint32(0, true),
    boots: view.getUint16(4, true),
    firmware: { name, version, hash: view.getUint32(6, true).toString(16).padStart(8, '0') },
    entries: view.getUint8(10),
    streamSignals: view.getUint8(11),
  }
}

/** The answer to `time`. */
export interface TimeAnswer {
  /** Microseconds of the firmware's counter as the question came, modulo 2³². */
  readonly timeUs: number
  /** Frames that came to it broken, modulo 256. */
  readonly bad: number
  /** Number of the next frame of samples, and of the next sample. */
  readonly nextFrame: number
  readonly nextSample: number
}

/** Undefined for what is none. */
export function readTime(payload: Uint8Array): TimeAnswer | undefined {
  if (payload.length !== 8) return undefined
  const view = viewOf(payload)
  return {
    timeUs: view.getUint32(0, true),
    bad: view.getUint8(4),
    nextFrame: view.getUint8(5),
    nextSample: view.getUint16(6, true),
  }
}

const statuses: Readonly<Record<number, readonly [code: string, message: string]>> = {
  1: ['board-unknown', 'has no such signal or action, or it can not be read or set'],
  2: ['board-limits', 'refused a value that is outside of its limits'],
  3: ['board-refused', 'refused'],
  4: ['board-malformed', 'did not understand the request'],
}
/** The firmware has no session: it has started anew. */
export const NO_SESSION = 5

/** The refusal that a status other than 0 stands for. */
export function refusal(board: string, what: string, status: number): LabError {
  const [code, said] = statuses[status] ?? ['board-refused', `refused with its own reason ${status}`]
  return new LabError({
    code,
    kind: 'instrument',
    message: `${board} ${said}: ${what}`,
    studentMessage: 'A board of this bench refused a command. The staff can see which one in the log.',
    details: { status },
  })
}

/** A view of just these bytes. */
export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
