import { enrollmentCodeSchema, nodeCredentialSchema, nodeSchema } from '@fernlab/shared/contracts/api'
import type { Command } from 'commander'
import { type Context, type HubOptions, openHub, withHub } from '../context.ts'
import { spokenTime } from '../shown-time.ts'
import { addCalibrate } from './calibrate.ts'
import { addNodeEquip } from './node-equip.ts'
import { addNodeImport } from './node-import.ts'
import { addNodeInstrument } from './node-instrument.ts'
import { addNodeLook } from './node-look.ts'
import { addNodeToken } from './node-token.ts'
import { addRemove } from './remove.ts'

/** `node enroll`, `node show`, `node look`, `node equip`, `node unequip`, `node rotate`, `node revoke`, `node calibrate`, `node remove`. */
export function addFleet(program: Command, context: Context): void {
  const { terminal } = context
  const node = program
    .command('node')
    .description('enrol and look at nodes, calibrate their signals, change or end their credentials, and remove them')
  addRemove(node, { kind: 'node', context })
  addNodeInstrument(node, context)
  addCalibrate(node, context)
  addNodeLook(node, context)
  addNodeEquip(node, context)
  addNodeImport(node, context)
  addNodeToken(node, context)

  withHub(
    node.command('enroll <node>').description('make a one-time code with which a node gets its credential'),
  ).action(async (name: string, options: HubOptions) => {
    const client = await openHub(context, options)
    const made = await client.call(enrollmentCodeSchema, '/api/v1/nodes', { method: 'POST', body: { node: name } })
    if (options.json) return terminal.out(JSON.stringify(made, null, 2))
    terminal.out(made.code)
    terminal.err(`Good once, until ${spokenTime(made.expiresAt)}. On the node, with node: ${made.node} and`)
    terminal.err(`hub: { url: ${made.mqtt[0]} } in its node.yaml:`)
    terminal.err(`  npm run edge -- --config node.yaml --hub ${client.url} --enroll ${made.code}`)
  })

  withHub(node.command('show <node>').description('its state, health and benches')).action(
    async (name: string, options: HubOptions) => {
      const client = await openHub(context, options)
      const found = await client.call(nodeSchema, `/api/v1/nodes/${encodeURIComponent(name)}`)
      if (options.json) return terminal.out(JSON.stringify(found, null, 2))
      const { state, version, lastSeen, health = {}, benches } = found
      terminal.out(`${name} is ${state}${version === undefined ? '' : `, version ${version}`}`)
      if (lastSeen !== undefined) terminal.out(`last seen ${spokenTime(lastSeen)}`)
      for (const [what, value] of Object.entries(health)) terminal.out(`${what}  ${JSON.stringify(value)}`)
      for (const bench of benches) terminal.out(`bench ${bench}: fernlab bench show ${bench}`)
    },
  )

  withHub(node.command('rotate <node>').description('give a node a new credential; the old one ends')).action(
    async (name: string, options: HubOptions) => {
      const client = await openHub(context, options)
      const path = `/api/v1/nodes/${encodeURIComponent(name)}/rotate`
      const credential = await client.call(nodeCredentialSchema, path, { method: 'POST' })
      if (options.json) return terminal.out(JSON.stringify(credential, null, 2))
      terminal.out(credential.password)
      terminal.err(`On the node, in <FERNLAB_DATA>/nodes/${name}/settings.json, set "password" to it; beside it stands`)
      terminal.err(`"username": ${JSON.stringify(credential.username)}. Then start the node again.`)
    },
  )

  withHub(node.command('revoke <node>').description('end a node’s credential and disconnect it, at once')).action(
    async (name: string, options: HubOptions) => {
      const client = await openHub(context, options)
      await client.fetch(`/api/v1/nodes/${encodeURIComponent(name)}/revoke`, { method: 'POST' })
      terminal.out(options.json ? JSON.stringify({ node: name, revoked: true }) : `${name} may no longer connect`)
    },
  )
}
