import { resolve } from 'node:path'
import { MOST_TOKEN_HOURS, NODE_TOKEN_HOURS, nodeToken } from '@fernlab/shared/programs/node-token'
import type { Command } from 'commander'
import type { Context } from '../context.ts'

interface NodeTokenOptions {
  readonly service: readonly string[]
  readonly right: readonly string[]
  readonly hours?: string
  readonly revoke: readonly string[]
  readonly revokeAll?: boolean
  readonly node?: string
  readonly json?: boolean
}

const several = (one: string, all: readonly string[]) => [...all, one]

/** `node token`: tokens that the node on this machine signs itself, for labs without a hub, and their end. */
export function addNodeToken(node: Command, { terminal, signal }: Context): void {
  node
    .command('token [person]')
    .description(
      'make a token of the node on this machine, for calling its services without a hub, shown once; or end such tokens',
    )
    .option('--service <name>', 'what it opens, as bench3.scope or bench3.*; all unless given', several, [])
    .option('--right <right>', 'read, use, lock, unlock; read, use and lock unless given', several, [])
    .option('--hours <hours>', `how long it lasts; ${NODE_TOKEN_HOURS} unless given, ${MOST_TOKEN_HOURS} at most`)
    .option('--revoke <person>', 'end all that the node has signed for the person so far', several, [])
    .option('--revoke-all', 'end all that the node has signed so far')
    .option('--node <name>', 'the node, where several run here')
    .option('--json', 'JSON instead of text')
    .action((person: string | undefined, options: NodeTokenOptions) =>
      nodeToken({
        person,
        services: options.service,
        rights: options.right,
        hours: options.hours,
        revoke: options.revoke,
        revokeAll: options.revokeAll === true,
        node: options.node,
        json: options.json === true,
        dataFolder: resolve(terminal.env.FERNLAB_DATA || './data'),
        out: (line) => terminal.out(line),
        err: (line) => terminal.err(line),
        signal,
      }),
    )
}
