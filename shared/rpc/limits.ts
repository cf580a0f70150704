/** What one link carries at most; both ends state the same, and refuse more with a typed error. */
export interface RpcLimits {
  /** Of one message, after its pieces were put together. */
  readonly messageBytes: number
  /** Objects and lists inside each other in one message. */
  readonly depth: number
  /** Members of objects and lists in one message; a typed array counts once. */
  readonly values: number
  readonly methodChars: number
  /** Calls of one batch. */
  readonly batchCalls: number
  /** Calls and streams that one end has under way. */
  readonly callsUnderWay: number
  /** What waits to be sent, or is being put together, or belongs to calls under way, each. */
  readonly pendingBytes: number
  /** Messages that are being put together at once. */
  readonly partialMessages: number
  /** Functions handed over with the arguments of one call. */
  readonly callbacks: number
  /** Items of a stream that may be on the way. */
  readonly streamItems: number
  /** Bytes of items that a lingering stream keeps for whoever comes back. */
  readonly lingerBytes: number
  /** Messages that could not be read, before the link is given up. */
  readonly unreadable: number
}

export const defaultLimits: RpcLimits = {
  messageBytes: 64 * 1024 * 1024,
  depth: 32,
  values: 1_000_000,
  methodChars: 200,
  batchCalls: 50_000,
  callsUnderWay: 1024,
  pendingBytes: 128 * 1024 * 1024,
  partialMessages: 16,
  callbacks: 64,
  streamItems: 1024,
  lingerBytes: 8 * 1024 * 1024,
  unreadable: 16,
}

/**
 * What one person, by all links, may have at a node beside what each link has of its own: messages that are not whole yet,
 * arguments of calls under way, what waits to be sent, and what lingering streams keep; and all persons together, of
 * which nobody has more than half of what is free. A link's own are the first 64 kB of arguments, 512 kB that wait to be
 * sent, and 64 kB of each stream that lingers.
 */
export const MOST_OF_PERSON_BYTES = 128 * 1024 * 1024
export const MOST_TOGETHER_BYTES = 256 * 1024 * 1024

/** In which a message that comes in pieces has to be whole, from its first. */
export const PARTIAL_MS = 120_000

/** Messages longer than this go in pieces of this length, so that small ones pass between them. */
export const PIECE_BYTES = 64 * 1024
