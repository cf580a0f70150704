import { nodeHardwareSchema } from '@fernlab/shared/contracts/hardware'
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
}
