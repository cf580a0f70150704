import { nameSchema } from '@fernlab/shared/contracts/common'
import { nodeHardwareSchema } from '@fernlab/shared/contracts/hardware'
import { addInstrumentSchema, shownInstrumentSchema } from '@fernlab/shared/contracts/hardware-drafts'
import type { AddRoute, ApiParts } from '../context.ts'
import { nodeParams } from './fleet.ts'

/** The hardware of a node's machine, for admins and lab builders. */
export function nodeHardwareRoutes(add: AddRoute, { nodeHardware }: Pick<ApiParts, 'nodeHardware'>): void {
  const errors = ['look-under-way', 'method-unknown', 'node-offline', 'node-silent', 'node-unknown'] as const
  add(
    {
      method: 'get',
      path: '/api/v1/nodes/{node}/hardware',
      tag: 'Fleet',
      summary: 'What a node finds on its machine: ports, buses, cameras, permissions, what it lacks and what to type',
      description: 'Reads what the kernel says; nothing is opened, and no bus has traffic by it.',
      access: 'nodes.equip',
      errors,
      params: nodeParams,
      answer: { schema: nodeHardwareSchema, what: 'What was found, with what to do' },
    },
    async ({ c, params }) => c.json(await nodeHardware.look(params.node)),
  )
  add(
    {
      method: 'post',
      path: '/api/v1/nodes/{node}/hardware/scan',
      tag: 'Fleet',
      summary: 'The same, with the node’s I2C buses asked which addresses answer',
      description:
        'That is traffic on the buses. One with an instrument that is in use, or that an interlock may watch, is left alone, and its finding says so.',
      access: 'nodes.equip',
      errors,
      params: nodeParams,
      answer: { schema: nodeHardwareSchema, what: 'What was found, with what to do' },
    },
    async ({ c, params, caller }) => c.json(await nodeHardware.scan(params.node, caller.personId)),
  )
  add(
    {
      method: 'post',
      path: '/api/v1/nodes/{node}/instruments',
      tag: 'Fleet',
      summary: 'Make an instrument of what the node has found, at once and without a restart',
      description:
        'The node looks for the find again and takes the driver’s draft of it with these settings; nothing else of a config can be said. The instrument is kept in the node’s data folder; a bench that is to have it names it in node.yaml.',
      access: 'nodes.equip',
      errors: [...errors, 'find-not-usable', 'find-unknown', 'instrument-failed', 'instrument-unfit', 'setting-wrong'],
      params: nodeParams,
      body: addInstrumentSchema,
      answer: { status: 201, schema: shownInstrumentSchema, what: 'The instrument' },
    },
    async ({ c, params, body, caller }) => c.json(await nodeHardware.add(params.node, body, caller), 201),
  )
  add(
    {
      method: 'delete',
      path: '/api/v1/nodes/{node}/instruments/{instrument}',
      tag: 'Fleet',
      summary: 'Remove an instrument that was made of a find, and that no bench has',
      access: 'nodes.equip',
      errors: [
        'instrument-of-bench',
        'instrument-unknown',
        'method-unknown',
        'node-offline',
        'node-silent',
        'node-unknown',
      ],
      params: nodeParams.extend({ instrument: nameSchema }),
      answer: { status: 204, what: 'It is gone' },
    },
    async ({ c, params, caller }) => {
      await nodeHardware.remove(params.node, params.instrument, caller.personId)
      return c.body(null, 204)
    },
  )
}
