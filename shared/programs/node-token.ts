/** `fernlab node token` on the machine of a node: the verb that both command lines have. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { LONGEST_TOKEN_S } from '../contracts/longest.ts'
import { serviceRightSchema } from '../contracts/services.ts'
import { LabError } from '../primitives/lab-error.ts'
import { didYouMean } from '../primitives/nearest.ts'
import { audienceOf } from '../primitives/token-audience.ts'
import { type NodeHere, withNodeHere } from './node-here.ts'

export interface NodeTokenOptions extends NodeHere {
  /** Who gets one; nobody where tokens are ended. */
  readonly person: string | undefined
  /** `bench3.*`, or `*`; everything where none is named. */
  readonly services: readonly string[]
  /** To read, use and lock where none is named. */
  readonly rights: readonly string[]
  readonly hours: string | undefined
  /** Whose tokens are ended instead. */
  readonly revoke: readonly string[]
  /** Everybody's are. */
  readonly revokeAll: boolean
  readonly json: boolean
  readonly out: (line: string) => void
  readonly err: (line: string) => void
}

export const NODE_TOKEN_HOURS = 12
export const MOST_TOKEN_HOURS = LONGEST_TOKEN_S / 3600

const answer = z.object({ token: z.string(), until: z.string() })
const endpointsSchema = z.object({ addresses: z.array(z.string()) })

const ended = z.object({ links: z.int(), unknown: z.array(z.string()).default([]) })
const namesSchema = z.array(z.object({ name: z.string() }))

/** Whether the token's word for services is of this one. */
const isNamed = (asked: string, name: string): boolean =>
  asked === '*' || asked === name || (asked.endsWith('.*') && name.startsWith(asked.slice(0, -1)))

/** Makes a token that the node signs itself, and says how it is used; or ends such tokens, and says how many links that cut. */
export async function nodeToken(options: NodeTokenOptions): Promise<void> {
  const { person, revoke, revokeAll, json, out, err } = options
  if (revoke.length > 0 || revokeAll) return await revokeTokens(options)
  if (person === undefined) throw mistake('name one person; or --revoke PERSON, or --revoke-all')
  const services = options.services.length === 0 ? ['*'] : [...options.services]
  const rights = options.rights.length === 0 ? ['read', 'use', 'lock'] : options.rights.map(rightOf)
  const lifetimeS = lifetimeOf(options.hours ?? String(NODE_TOKEN_HOURS))
  const asked = { person, services, rights, lifetimeS }
  await withNodeHere(options, async (peer, folder) => {
    const { token, until } = answer.parse(await peer.call('node/token', asked, { signal: options.signal }))
    const { addresses } = endpointsSchema.parse(JSON.parse(await readFile(join(folder, 'services.json'), 'utf8')))
    const node = audienceOf(token) ?? ''
    const there = namesSchema
      .parse(await peer.call('node/services', {}, { signal: options.signal }))
      .map(({ name }) => name)
    const strange = services.filter((asked) => !there.some((name) => isNamed(asked, name)))
    for (const name of strange)
      err(`This node has no service ${name} now${didYouMean(name, there)}: the token opens it once there is one.`)
    if (json) return out(JSON.stringify({ token, until, node, person, services, rights, addresses }, null, 2))
    out(token)
    err(`For ${person} at ${node}: ${services.join(', ')}, to ${rights.join(', ')}, until ${until}.`)
    const [address] = addresses
    if (address === undefined) {
      return err('It is of no use yet: nobody can come over the network before node.yaml has services.listen.')
    }
    err('It is shown once. Whoever has it has these rights: keep it in a file that nobody else reads, and then')
    err(`  fernlab directory --node ${address} --token-file FILE`)
    err(`  fernlab call SERVICE --node ${address} --token-file FILE`)
    err(`  TypeScript: connect({ node: '${address}', token })`)
    err(`  Python: fernlab.Proxy("SERVICE", address="${address}", token=token)`)
  })
}

async function revokeTokens(options: NodeTokenOptions): Promise<void> {
  const { person, services, rights, hours, revoke, revokeAll, json, out, err, signal } = options
  if (person !== undefined || services.length > 0 || rights.length > 0 || hours !== undefined) {
    throw mistake('tokens are ended or one is made: --revoke and --revoke-all take nothing of a new one')
  }
  if (revokeAll && revoke.length > 0) throw mistake('give --revoke PERSON or --revoke-all, not both')
  const people = [...new Set(revoke)]
  await withNodeHere(options, async (peer) => {
    const asked = revokeAll ? { all: true } : { people }
    const { links, unknown } = ended.parse(await peer.call('node/revoke', asked, { signal }))
    for (const name of unknown)
      err(`The node knows of no token that it has signed for ${name}: see that the name is written as it was then.`)
    if (json) return out(JSON.stringify({ revoked: revokeAll ? 'all' : people, links }, null, 2))
    const whose = revokeAll ? 'All tokens' : `The tokens of ${people.join(', ')}`
    const cut = links === 1 ? '1 open link was cut' : `${links} open links were cut`
    out(`${whose} that the node has signed so far are ended; ${cut}.`)
  })
}

function rightOf(text: string): string {
  const read = serviceRightSchema.safeParse(text)
  if (read.success) return read.data
  throw mistake(`--right is "${text}"; it may be ${serviceRightSchema.options.join(', ')}`)
}

/** Whole seconds. */
function lifetimeOf(text: string): number {
  const seconds = Math.floor(Number(text) * 3600)
  const isNumber = text.trim() !== '' && Number.isFinite(seconds)
  if (isNumber && seconds >= 1 && seconds <= LONGEST_TOKEN_S) return seconds
  throw mistake(`--hours is "${text}"; it must be a number of hours above 0, and ${MOST_TOKEN_HOURS} (31 days) at most`)
}

const mistake = (message: string) => new LabError({ code: 'bad-argument', kind: 'caller', message })
