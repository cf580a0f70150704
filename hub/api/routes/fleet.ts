import {
  benchSchema,
  enrollmentCodeSchema,
  enrollSchema,
  exchangedSchema,
  exchangeSchema,
  leaseSchema,
  nodeCredentialSchema,
  nodeSchema,
  page,
  takeLeaseSchema,
} from '@fernlab/shared/contracts/api'
import { nameSchema, timeSchema, writtenText } from '@fernlab/shared/contracts/common'
import { resetInterlockSchema } from '@fernlab/shared/contracts/interlocks'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import { z } from '@hono/zod-openapi'
import type { Caller } from '../../accounts/caller.ts'
import { can } from '../../accounts/can.ts'
import type { BenchViewer, NodeCredential } from '../../fleet/fleet.ts'
import { heldBench, heldMeanwhile } from '../../fleet/held-bench.ts'
import type { Attempts } from '../attempts.ts'
import { type AddRoute, type ApiParts, requireAccess } from '../context.ts'
import { pageOf, pageQuery } from '../paging.ts'
import { notFound } from '../problems.ts'

export const benchParams = z.object({
  bench: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}\.[a-z0-9][a-z0-9_-]{0,62}$/, 'must be <node>.<bench>'),
})
export const nodeParams = z.object({ node: nameSchema })

/** As the caller may see a bench. */
export const viewerOf = (caller: Caller): BenchViewer => ({
  personId: caller.personId,
  seesPeople: can(caller, 'people.read'),
})

/** Nodes and benches; an admin enrols nodes, staff may drive a bench directly. */
export function fleetRoutes(
  add: AddRoute,
  { fleet, benchChecks, interlockResets, config, store }: ApiParts,
  guesses: Attempts,
): void {
  const ownLease = async (bench: string, personId: string): Promise<string | undefined> => {
    const row = await store.db
      .selectFrom('bench')
      .select('lease')
      .where('id', '=', bench)
      .where('leased_by', '=', personId)
      .executeTakeFirst()
    return row?.lease ?? undefined
  }
  const existing = async (node: string) => {
    if ((await fleet.node(node)) === undefined) throw notFound(`the node ${node}`)
  }

  add(
    {
      method: 'get',
      path: '/api/v1/benches',
      tag: 'Fleet',
      summary: 'Benches with their states, parts and signals',
      access: 'benches.read',
      query: pageQuery,
      answer: { schema: page(benchSchema), what: 'Benches by id' },
    },
    async ({ c, query, caller }) => c.json(pageOf(await fleet.benches(viewerOf(caller)), query)),
  )
  add(
    {
      method: 'get',
      path: '/api/v1/benches/{bench}',
      tag: 'Fleet',
      summary: 'A bench',
      access: 'benches.read',
      params: benchParams,
      answer: { schema: benchSchema, what: 'The bench' },
    },
    async ({ c, params, caller }) => {
      const bench = await fleet.bench(params.bench, viewerOf(caller))
      if (bench === undefined) throw notFound(`the bench ${params.bench}`)
      return c.json(bench)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/benches/{bench}/lease',
      tag: 'Fleet',
      summary: 'Take a free bench for direct use, or renew the lease',
      description:
        'A check that is on the bench is ended first, and done again later: the answer says which. Anything else on it is refused with `bench-busy`. The `reason` is shown, to those who may see people, where the bench and its parts are, and is in the audit log. Taken with an `Idempotency-Key`, it is the same lease when it is asked for again, also where the hub was stopped meanwhile.',
      access: 'benches.drive',
      errors: [
        'bench-busy',
        'bench-fault',
        'bench-maintenance',
        'bench-offline',
        'lease-ended',
        'lease-invalid',
        'fence-stale',
        'node-offline',
        'node-silent',
      ],
      params: benchParams,
      body: takeLeaseSchema,
      idempotency: 'done-again',
      answer: { schema: leaseSchema, what: 'The lease; it ends by itself, and the bench goes to its safe state' },
    },
    async ({ c, params, body, caller }) => {
      const { ttlS, resume = false, reason } = body
      const lease = body.lease ?? (resume ? await ownLease(params.bench, caller.personId) : undefined)
      if (lease !== undefined) return c.json(await fleet.renewLease(params.bench, lease, ttlS, caller.personId, reason))
      try {
        const key = c.req.header('idempotency-key')
        const more = { address: caller.address, reason, key }
        return c.json(await fleet.takeLease(params.bench, caller.personId, ttlS, more))
      } catch (thrown) {
        if (asLabError(thrown).code !== 'bench-busy') throw thrown
        const bench = await fleet.bench(params.bench, viewerOf(caller))
        // A run or a session that is on it is named already.
        if (bench?.leased !== true) throw thrown
        throw heldBench(bench, { mayEnd: can(caller, 'benches.maintain') })
      }
    },
  )
  add(
    {
      method: 'delete',
      path: '/api/v1/benches/{bench}/lease',
      tag: 'Fleet',
      summary: 'Give the bench back, or end somebody else’s hold of it; it goes to its safe state',
      description:
        'Who may drive benches gives back what is their own. With a `reason`, who may maintain benches (a token needs `builder` or `admin`) ends the hold of whoever has it, if it is not their own: the reason and who it was are in the audit log, and links straight to the node that stand on the hold are cut within moments. With `since`, as the bench’s `leasedSince` or a directory’s `lockedBy` had it, no other hold than that one is ended: `hold-changed` says who has it now. Nothing of a run or a session is ended so.',
      access: 'benches.release',
      errors: ['hold-changed', 'lease-ended', 'lease-invalid', 'node-offline', 'node-silent'],
      params: benchParams,
      query: z.object({
        lease: z.string().max(200).optional(),
        reason: writtenText(500).min(1).optional(),
        since: timeSchema.optional(),
      }),
      answer: { schema: z.object({ safe: z.boolean() }), what: 'Whether the safe state was reached' },
    },
    async ({ c, params, query, caller }) => {
      const lease = query.lease ?? (await ownLease(params.bench, caller.personId))
      const { reason, since } = query
      if (lease !== undefined && since !== undefined) {
        const bench = await fleet.bench(params.bench, viewerOf(caller))
        if (bench?.leasedSince !== undefined && Date.parse(bench.leasedSince) !== Date.parse(since)) {
          throw heldMeanwhile(bench)
        }
      }
      if (lease === undefined && reason !== undefined) {
        requireAccess(caller, 'benches.maintain')
        try {
          return c.json(await fleet.endLease(params.bench, reason, caller.personId, since))
        } catch (thrown) {
          if (asLabError(thrown).code !== 'hold-changed') throw thrown
          const bench = await fleet.bench(params.bench, viewerOf(caller))
          if (bench?.leased !== true) throw thrown
          throw heldMeanwhile(bench)
        }
      }
      if (lease === undefined) throw notFound(`a lease of yours on the bench ${params.bench}`)
      requireAccess(caller, 'benches.drive')
      return c.json(await fleet.releaseLease(params.bench, lease, caller.personId))
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/benches/{bench}/put-back',
      tag: 'Fleet',
      summary: 'Put a bench back into use after a clean-up that was not done, or while a check fails',
      access: 'benches.put-back',
      errors: ['bench-busy', 'node-offline', 'node-silent'],
      params: benchParams,
      answer: { schema: benchSchema, what: 'The bench, which takes runs again' },
    },
    async ({ c, params, caller }) => {
      await benchChecks.putBack(params.bench, caller.personId)
      const bench = await fleet.bench(params.bench, viewerOf(caller))
      if (bench === undefined) throw notFound(`the bench ${params.bench}`)
      return c.json(bench)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/benches/{bench}/reset-interlock',
      tag: 'Fleet',
      summary: 'Reset the interlocks of a bench that stay tripped until a person has looked at it, or one of them',
      description: 'Refused with `interlock-holds` while what tripped one is not over: then none is reset.',
      access: 'benches.put-back',
      errors: ['interlock-holds', 'interlock-unknown', 'node-offline', 'node-silent'],
      params: benchParams,
      body: resetInterlockSchema,
      answer: { schema: benchSchema, what: 'The bench, with how its interlocks stand' },
    },
    async ({ c, params, body, caller }) => {
      await interlockResets.reset(params.bench, body.interlock, caller.personId)
      const bench = await fleet.bench(params.bench, viewerOf(caller))
      if (bench === undefined) throw notFound(`the bench ${params.bench}`)
      return c.json(bench)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/benches/{bench}/exchange',
      often: true,
      tag: 'Fleet',
      summary: 'Set, then read, signals of a bench in one call',
      description:
        'Keys are `part.signal`, values in the signal’s unit; the node enforces every limit. Setting needs the lease, which only the person who took it uses.',
      access: 'benches.drive',
      errors: [
        'lease-ended',
        'lease-invalid',
        'fence-stale',
        'bench-busy',
        'bench-offline',
        'value-unknown',
        'value-out-of-limits',
        'operation-overtaken',
        'node-offline',
        'node-silent',
        'deadline-exceeded',
      ],
      params: benchParams,
      body: exchangeSchema,
      answer: { schema: exchangedSchema, what: 'What was read' },
    },
    async ({ c, params, body, caller }) => {
      const { lease, set, read, raw } = body
      const exchange = {
        ...(lease === undefined ? {} : { lease }),
        ...(set === undefined ? {} : { set }),
        ...(read === undefined ? {} : { read }),
        ...(raw === true ? { raw } : {}),
      }
      const by = { person: caller.personId, way: 'api', address: caller.address } as const
      return c.json({ readings: await fleet.exchange(params.bench, exchange, by) })
    },
  )
  add(
    {
      method: 'get',
      path: '/api/v1/nodes',
      tag: 'Fleet',
      summary: 'Nodes',
      access: 'nodes.read',
      query: pageQuery,
      answer: { schema: page(nodeSchema), what: 'Nodes by id' },
    },
    async ({ c, query }) => c.json(pageOf(await fleet.nodes(), query)),
  )
  add(
    {
      method: 'get',
      path: '/api/v1/nodes/{node}',
      tag: 'Fleet',
      summary: 'A node',
      access: 'nodes.read',
      params: nodeParams,
      answer: { schema: nodeSchema, what: 'The node' },
    },
    async ({ c, params }) => {
      const node = await fleet.node(params.node)
      if (node === undefined) throw notFound(`the node ${params.node}`)
      return c.json(node)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/nodes',
      tag: 'Fleet',
      summary: 'A one-time code with which a machine becomes this node',
      access: 'nodes.manage',
      errors: ['name-invalid'],
      body: z.strictObject({ node: nameSchema }),
      idempotency: 'secret',
      answer: { status: 201, schema: enrollmentCodeSchema, what: 'The code, shown once' },
    },
    async ({ c, body, caller }) => {
      const code = await fleet.createEnrollment(body.node, caller.personId)
      return c.json({ ...code, mqtt: [...config.mqttUrls(c.req.header('host'))] }, 201)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/nodes/enroll',
      tag: 'Fleet',
      summary: 'Trade a one-time code for the node’s credential; the code is the authority',
      access: 'public',
      errors: ['enrollment-refused', 'name-invalid', 'too-many-attempts'],
      body: enrollSchema,
      answer: { status: 201, schema: nodeCredentialSchema, what: 'The credential, shown once' },
    },
    async ({ c, body }) => {
      const credential = await guesses.guess(c.get('address'), () => fleet.enroll(body.code, body.node))
      return c.json(answer(c.req.header('host'), body.node, credential), 201)
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/nodes/{node}/rotate',
      tag: 'Fleet',
      summary: 'Give the node a new credential; the old one stops working',
      access: 'nodes.manage',
      params: nodeParams,
      idempotency: 'secret',
      answer: { schema: nodeCredentialSchema, what: 'The credential, shown once' },
    },
    async ({ c, params, caller }) => {
      await existing(params.node)
      const credential = await fleet.rotate(params.node, caller.personId)
      return c.json(answer(c.req.header('host'), params.node, credential))
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/nodes/{node}/revoke',
      tag: 'Fleet',
      summary: 'Shut the node out at once',
      access: 'nodes.manage',
      params: nodeParams,
      answer: { schema: nodeSchema, what: 'The node' },
    },
    async ({ c, params, caller }) => {
      await existing(params.node)
      await fleet.revoke(params.node, caller.personId)
      return c.json(await fleet.node(params.node))
    },
  )

  function answer(host: string | undefined, node: string, { username, password }: NodeCredential) {
    return { site: config.site, node, username, password, mqtt: [...config.mqttUrls(host)] }
  }
}
