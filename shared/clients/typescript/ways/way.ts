/**
 * The port of ways to a node: a way is a kind of link and how one is opened. Each is a file here; `node-ways.ts` and
 * `page-ways.ts` list those that a program and a page have, the nearest first: a further one is a file, and a line there.
 */
import { LabError } from '../../../primitives/lab-error.ts'
import type { Link, LinkKind } from '../../../rpc/link.ts'

export interface Way {
  readonly kind: LinkKind
  /** Why it can't go to this address from here; undefined where it can, `other` for addresses of other ways. */
  refusal(address: string): string | 'other' | undefined
  /** Rejects with `link-unreachable`, or the signal's reason. */
  connect(address: string, signal: AbortSignal): Promise<Link>
}

/** An address, and the way that goes there. */
export interface Candidate {
  readonly address: string
  readonly way: Way
  /** Its place among the ways: 0 is the nearest. */
  readonly rank: number
}

/** What can be tried, the nearest first, and what can't, with the reason. */
export function candidates(addresses: readonly string[], ways: readonly Way[]) {
  const open: Candidate[] = []
  const refused: { readonly address: string; readonly why: string }[] = []
  for (const address of new Set(addresses)) {
    const rank = ways.findIndex((one) => one.refusal(address) !== 'other')
    const way = ways[rank]
    const why = way === undefined ? 'this client knows no way of that kind' : way.refusal(address)
    if (way === undefined || why !== undefined) refused.push({ address, why: why ?? '' })
    else open.push({ address, way, rank })
  }
  // Those of one kind keep their order: a node names the likeliest first.
  open.sort((a, b) => a.rank - b.rank)
  return { open, refused }
}

export function unreachable(
  what: string,
  tried: readonly { readonly address: string; readonly why: string }[],
): LabError {
  const each = tried.map(({ address, why }) => `${address}: ${why}`).join('; ')
  return new LabError({
    code: 'node-unreachable',
    kind: 'link',
    retry: 'later',
    message: tried.length === 0 ? `no address of ${what} is known` : `${what} can't be reached (${each})`,
    issues: tried.map(({ address, why }) => ({ path: address, message: why })),
  })
}
