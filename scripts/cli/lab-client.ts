/** The lab that a verb about services speaks to: that of a hub, or nodes that are asked themselves. */
import { readFile } from 'node:fs/promises'
import type { Client } from '@fernlab/shared/clients/typescript/client'
import { connect } from '@fernlab/shared/clients/typescript/node'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import { readAuthority } from '@fernlab/shared/programs/authority'
import type { Command } from 'commander'
import { type Context, type HubOptions, withHub } from './context.ts'
import { findHub } from './hub-address.ts'
import { misspelt, mistake } from './problem.ts'

/** Options of every verb that takes a hub, or nodes without one. */
export interface LabOptions extends HubOptions {
  readonly node?: string
  readonly network?: boolean
  readonly tokenFile?: string
}

/** Adds the options of a hub, `--node`, `--network` and `--token-file` to a verb. */
export function withLab(command: Command): Command {
  return withHub(command)
    .option('--node <address>', 'a node instead of a hub: ws://bench-pi:8090, or the path of its services.sock')
    .option('--network', 'the nodes that tell of themselves on this network (mDNS), instead of a hub')
    .option('--token-file <file>', 'where tokens of nodes are, one a line; else FERNLAB_NODE_TOKENS names the file')
}

/** Whether nodes are asked, and no hub. */
export const asksNodes = ({ node, network }: LabOptions): boolean => node !== undefined || network === true

/** A client of what the options and the environment name. */
export async function openLab(context: Context, options: LabOptions): Promise<Client> {
  return asksNodes(options) ? await openNodes(context, options) : await openByHub(context, options)
}

async function openByHub({ terminal }: Context, options: LabOptions): Promise<Client> {
  if (options.tokenFile !== undefined) {
    throw misspelt(
      'option-invalid',
      '--token-file has tokens of nodes, and a hub is asked',
      'Name a node by --node, or look by --network.',
    )
  }
  const { url, token, ca } = await findHub(terminal.env, options)
  if (token === undefined) {
    throw mistake(
      'sign-in-needed',
      'services are called with a token',
      'Sign in with "fernlab login", or give --token; a node without a hub is named by --node.',
    )
  }
  return connect({ hub: url, token, ...(ca === undefined ? {} : { ca }) })
}

async function openNodes({ terminal }: Context, options: LabOptions): Promise<Client> {
  const { env } = terminal
  const { node, network, hub } = options
  if ([hub !== undefined, node !== undefined, network === true].filter(Boolean).length > 1) {
    throw misspelt('option-invalid', 'one of --hub, --node and --network, not several')
  }
  const tokens = await tokensOf(env, options)
  const authority = await readAuthority(env.FERNLAB_TLS_CA || undefined)
  const ca = authority === undefined ? {} : { ca: authority }
  const onUnanswered = (name: string, { message }: LabError) => {
    if (!options.quiet) terminal.err(`${name} is left out: ${message}`)
  }
  if (node === undefined) return connect({ network: true, tokens, onUnanswered, ...ca })
  const [token, ...others] = tokens
  if (others.length > 0) {
    throw mistake('token-file', 'the file has several tokens, and --node takes one', 'Give it by --token.')
  }
  return connect({ node, ...(token === undefined ? {} : { token }), ...ca })
}

/** What was given, else what is in the file. */
async function tokensOf(env: Context['terminal']['env'], { token, tokenFile }: LabOptions): Promise<string[]> {
  if (token !== undefined) return [token]
  const path = tokenFile ?? (env.FERNLAB_NODE_TOKENS || undefined)
  if (path === undefined) return []
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw mistake('token-file', `the tokens in ${path} can't be read: ${cause.message}`)
  })
  return text.split(/\s+/).filter(Boolean)
}
