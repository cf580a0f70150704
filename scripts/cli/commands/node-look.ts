import { nodeHardwareSchema } from '@fernlab/shared/contracts/hardware'
import type { Command } from 'commander'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'

interface LookOptions extends HubOptions {
  readonly scan?: boolean
}

/** `node look`: what a node finds on its own machine, as `fernlab doctor` on it. */
export function addNodeLook(node: Command, context: Context): void {
  const { terminal } = context
  withHub(
    node
      .command('look <node>')
      .description('what a node finds on its machine: ports, buses, cameras, and what to type there'),
  )
    .option('--scan', 'ask its I2C buses which addresses answer, but for buses in use')
    .action(async (name: string, { scan = false, ...options }: LookOptions) => {
      const client = await openHub(context, options)
      const path = `/api/v1/nodes/${encodeURIComponent(name)}/hardware`
      const found = scan
        ? await client.call(nodeHardwareSchema, `${path}/scan`, { method: 'POST' })
        : await client.call(nodeHardwareSchema, path)
      if (options.json) return terminal.out(JSON.stringify(found, null, 2))
      const { findingLines } = await import('@fernlab/edge/discovery/finding-lines')
      const columns = terminal.interactive ? terminal.columns : Number.POSITIVE_INFINITY
      for (const line of findingLines(found.findings, columns)) terminal.out(line)
    })
}
