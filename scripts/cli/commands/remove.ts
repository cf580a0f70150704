import { removalPreviewSchema } from '@fernlab/shared/contracts/bench-care'
import type { Command } from 'commander'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { mistake } from '../problem.ts'

/** Adds `remove` to `node` or `bench`: without the name again it only says what would happen. */
export function addRemove(parent: Command, { kind, context }: { kind: 'node' | 'bench'; context: Context }): void {
  const { terminal } = context
  const collection = kind === 'node' ? 'nodes' : 'benches'
  withHub(
    parent
      .command(`remove <${kind}>`)
      .description(`remove a ${kind} that is gone for good; without --confirm, say what that would do`)
      .option('--confirm <name>', `the ${kind}'s name again: this can not be undone`),
  ).action(async (name: string, options: HubOptions & { confirm?: string }) => {
    const client = await openHub(context, options)
    const path = `/api/v1/${collection}/${encodeURIComponent(name)}`
    if (options.confirm === undefined) {
      const preview = await client.call(removalPreviewSchema, `${path}/removal`)
      if (options.json) return terminal.out(JSON.stringify(preview, null, 2))
      const { benches, waiting, runsKept, hindrance } = preview
      if (kind === 'node') terminal.out(`With it go its benches: ${benches.join(', ') || 'none'}`)
      terminal.out(`Runs that wait for this alone and are cancelled: ${waiting}`)
      terminal.out(`Runs that were on it and stay: ${runsKept}`)
      if (hindrance !== undefined) throw mistake(kind, `${name} can not be removed now: ${hindrance}`)
      terminal.err(`Nothing was removed. To do it: fernlab ${kind} remove ${name} --confirm ${name}`)
      return
    }
    await client.fetch(`${path}?confirm=${encodeURIComponent(options.confirm)}`, { method: 'DELETE' })
    terminal.out(options.json ? JSON.stringify({ [kind]: name, removed: true }) : `${name} is removed`)
  })
}
